"""A run: its folder, its config, from the packed file to the metrics."""

from __future__ import annotations

import json
import math
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from baselines.data import Dives
from baselines.evaluate import predict_clips, summarise
from baselines.hpmcr import HPMCR
from baselines.results import write_predictions
from baselines.splits import Split, split_clips
from baselines.train import train
from finediving_pose.errors import UsageError
from finediving_pose.packed.reader import open_packed
from finediving_pose.progress import tell
from finediving_pose.workspace import Workspace, atomic_write

PRESETS = {"demo": "hpmcr_demo.py", "full": "hpmcr_finediving.py"}
"""Config file of each preset, under ``baselines/configs``."""

WEIGHT_FILES = {"i3d": ("model_rgb.pth",), "static": ("regnety_002.safetensors", "regnety_002.pth")}
"""Names under which published weights are looked for, by encoder."""


def new_run(
    workspace: Workspace, preset: str, seed: int, epochs: int | None = None, weights: Path | None = None
) -> Path:
    """Make a run folder with the complete config of a training that is yet to start, once the data is fit for it.

    Parameters
    ----------
    weights : folder with published weights of the encoders, see :data:`WEIGHT_FILES`;
        an encoder whose file is not there starts from random weights

    Raises
    ------
    PackedError
        The packed file is missing, or can't be trained on.
    """
    config = Config.fromfile(Path(__file__).parent / "configs" / PRESETS[preset])
    with open_packed(workspace.packed) as packed:
        digest = packed.digest
        split_clips(packed, config.validation.share)  # nothing is left behind where it can't be trained on
    if epochs is not None:
        for scheduler in config.param_scheduler:
            if scheduler.T_max == scheduler.end == config.training.epochs:
                scheduler.T_max = epochs
            scheduler.end = epochs
        config.training.epochs = epochs
    for encoder, names in WEIGHT_FILES.items():
        found = next((weights / n for n in names if (weights / n).is_file()), None) if weights else None
        config.model[encoder].weights = str(found.resolve()) if found else None
    config.run = {
        "preset": preset,
        "seed": seed,
        "packed": str(workspace.packed.resolve()),
        "digest": digest,
        "versions": {p: version(p) for p in ("fdpose", "torch", "timm", "numpy")}
        | {"python": platform.python_version()},
    }
    folder = _free_folder(workspace.runs / time.strftime("hpmcr-%Y%m%d-%H%M%S"))
    with atomic_write(folder / "config.json") as part:
        part.write_text(json.dumps(config.to_dict(), indent=2), encoding="utf-8")
    return folder


def run(folder: Path, *, resume: bool = False) -> dict[str, Any]:
    """Train the run in ``folder`` to its end, score it on the test split, write its results; return ``metrics.json``.

    After every epoch a checkpoint is kept, from which ``resume`` goes on.

    Raises
    ------
    PackedError
        The packed file is missing, or can't be trained on.
    UsageError
        ``folder`` is no run, or its packed file has changed since it began.
    """
    started = time.monotonic()
    config = load_config(folder)
    with open_packed(config.run.packed) as packed:
        if packed.digest != config.run.digest:
            raise UsageError(
                f"{folder}: began on other data (digest {config.run.digest[:12]}, {packed.path} now has"
                f" {packed.digest[:12]}); start a new run with: fdpose benchmark hpmcr"
            )
        split = split_clips(packed, config.validation.share)
        torch.manual_seed(config.run.seed)
        model = HPMCR(**config.model)
        announce(config, split, model)
        dives = Dives(packed, **config.data)
        history = train(model, dives, split, config, folder, resume=resume)
        predictions = predict_clips(model, dives, split.test, split.train, config.evaluation.votes, config.run.seed)
    write_predictions(folder, predictions)
    metrics = {
        "model": "hpmcr",
        "preset": config.run.preset,
        "seed": config.run.seed,
        "n_train": len(split.train),
        "n_test": len(split.test),
        **summarise(predictions),
        "selection": "best rho on validation videos held out of train" if split.validation else "last epoch",
        "seconds": round(time.monotonic() - started, 1),
        "parameters": sum(p.numel() for p in model.parameters()),
        "packed": config.run.packed,
        "digest": config.run.digest,
        "weights": starting_weights(config),
        "left_out": split.left_out,
        "history": history,
    }
    with atomic_write(folder / "metrics.json") as part:
        part.write_text(json.dumps(_no_nan(metrics), indent=2), encoding="utf-8")
    return _no_nan(metrics)


def load_config(folder: Path) -> Config:
    """The config that a run began with. Raises UsageError where the folder is no run."""
    try:
        return Config(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as e:
        raise UsageError(f"{folder}: no run to resume; name a folder under runs/ of the data directory") from e


def starting_weights(config: Config) -> dict[str, str]:
    """What each encoder starts from: a file, or ``random``. The skeleton encoder has no published weights."""
    return {e: config.model[e].weights or "random" for e in WEIGHT_FILES} | {"skeleton": "random"}


def announce(config: Config, split: Split, model: HPMCR) -> None:
    """Say what is about to be trained, on what, from which weights, and where it will take long."""
    parameters = sum(p.numel() for p in model.parameters())
    tell(
        f"HPMCR, preset {config.run.preset}: {parameters:,} parameters; {len(split.train)} train,"
        f" {len(split.validation)} validation, {len(split.test)} test dives; {config.training.epochs} epochs"
    )
    for reason, count in split.left_out.items():
        tell(f"left out: {count} dives with {reason}")
    random = [e for e, w in starting_weights(config).items() if w == "random" and e != "skeleton"]
    if random:
        names = ", ".join(" or ".join(WEIGHT_FILES[e]) for e in random)
        tell(
            f"[bold yellow]RANDOM WEIGHTS: the {' and '.join(random)} encoders start from random weights, not from the"
            f" published Kinetics and ImageNet ones, so figures can't be compared with the paper's[/]"
            f" (give a folder with {names} as --weights DIR)"
        )
    if config.run.preset == "full" and not torch.cuda.is_available():
        hours = seconds_per_clip(model, config) * clips_per_epoch(config, split) * config.training.epochs / 3600
        time_left = f"{hours / 24:,.0f} days" if hours > 48 else f"{hours:,.1f} hours"
        tell(f"[bold]no GPU: expect about {time_left} on this processor[/] (Ctrl-C stops, --resume goes on)")


def clips_per_epoch(config: Config, split: Split) -> int:
    """How many clips are encoded in an epoch, at most."""
    return len(split.train) * (1 + config.training.exemplars)


def seconds_per_clip(model: HPMCR, config: Config) -> float:
    """Time of one training step on one pair of random clips, a clip."""
    frames, size = config.data.frames, config.data.crop
    batch = {
        "video": torch.randn(2, 3, frames, size, size),
        "pose": torch.randn(2, 2, frames, 16, 1),
        "transitions": torch.tensor([[frames // 3, 2 * frames // 3]] * 2),
        "score": torch.tensor([50.0, 60.0]),
        "query": torch.tensor([0]),
        "exemplar": torch.tensor([1]),
    }
    state = {k: v.clone() for k, v in model.state_dict().items()}  # the step moves batch-norm statistics
    started = time.monotonic()
    torch.stack(list(model.loss(**batch).values())).sum().backward()
    seconds = (time.monotonic() - started) / 2
    model.zero_grad(set_to_none=True)
    model.load_state_dict(state)
    return seconds


def _free_folder(folder: Path) -> Path:
    taken = 1
    candidate = folder
    while candidate.exists():
        taken += 1
        candidate = folder.with_name(f"{folder.name}-{taken}")
    return candidate


def _no_nan(value: Any) -> Any:
    """Numbers that are none become null, since JSON has no NaN."""
    if isinstance(value, dict):
        return {k: _no_nan(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_no_nan(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
