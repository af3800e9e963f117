"""A run: its folder, its config, from the packed file to the metrics."""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import chain, count
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from baselines.data import Dives
from baselines.evaluate import predict_clips, summarise
from baselines.hpmcr import HPMCR
from baselines.results import write_predictions
from baselines.splits import MENDS, Fallback, Split, some, split_clips
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
    workspace: Workspace,
    preset: str,
    seed: int,
    epochs: int | None = None,
    weights: Path | None = None,
    *,
    without: Sequence[str] = (),
    exemplar_fallback: Fallback | None = None,
    folder: Path | None = None,
) -> Path:
    """Make a run folder with the complete config of a training that is yet to start, once the data is fit for it.

    Parameters
    ----------
    weights : folder with published weights of the encoders, see :data:`WEIGHT_FILES`;
        an encoder whose file is not there starts from random weights
    without : parts of the model to leave out, see :class:`baselines.hpmcr.HPMCR`
    exemplar_fallback : see :func:`baselines.splits.split_clips`
    folder : where to; one of the present time under the data directory's runs where not given

    Raises
    ------
    PackedError
        The packed file is missing, or can't be trained on.
    """
    config = Config.fromfile(Path(__file__).parent / "configs" / PRESETS[preset])
    with open_packed(workspace.packed) as packed:
        digest = packed.digest
        split_clips(
            packed, config.validation.share, exemplar_fallback
        )  # nothing is left behind where it can't be trained on
    if epochs is not None:
        for scheduler in config.param_scheduler:
            if scheduler.T_max == scheduler.end == config.training.epochs:
                scheduler.T_max = epochs
            scheduler.end = epochs
        config.training.epochs = epochs
    for encoder, names in WEIGHT_FILES.items():
        found = next((weights / n for n in names if (weights / n).is_file()), None) if weights else None
        config.model[encoder].weights = str(found.resolve()) if found else None
    config.model.without = list(without)
    config.evaluation.exemplar_fallback = exemplar_fallback
    config.run = {
        "preset": preset,
        "seed": seed,
        "packed": str(workspace.packed.resolve()),
        "digest": digest,
        "versions": {p: version(p) for p in ("fdpose", "torch", "timm", "numpy")}
        | {"python": platform.python_version()},
    }
    folder = folder or free_folder(workspace)
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
        split = split_clips(packed, config.validation.share, config.evaluation.exemplar_fallback)
        torch.manual_seed(config.run.seed)
        model = HPMCR(**config.model)
        announce(config, split, model)
        dives = Dives(packed, **config.data)
        history = train(model, dives, split, config, folder, resume=resume)
        how = config.evaluation
        predictions = predict_clips(model, dives, split.test, split.train, how.votes, config.run.seed, how.voters)
    write_predictions(folder, predictions)
    metrics = {
        "model": "hpmcr",
        "preset": config.run.preset,
        "seed": config.run.seed,
        "n_train": len(split.train),
        "n_test": len(split.test),
        "batch_size": config.training.batch_size,
        "epochs": config.training.epochs,
        "epoch": best_epoch(history) if split.validation else config.training.epochs,
        "votes": how.votes,
        "voters": how.voters,
        "without": list(config.model.without),
        **summarise(predictions),
        "stage_weights": [round(w, 4) for w in model.stage_weights.shares.tolist()],
        "selection": "best rho on validation videos held out of train" if split.validation else "last epoch",
        "seconds": round(time.monotonic() - started, 1),
        "parameters": sum(p.numel() for p in model.parameters()),
        "packed": config.run.packed,
        "digest": config.run.digest,
        "weights": starting_weights(config),
        "left_out": split.left_out,
        "history": history,
    }
    return write_metrics(folder, metrics)


def write_metrics(folder: Path, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Write ``metrics.json`` and return it as it was written: numbers that are none are null, JSON has no NaN."""
    plain = {name: _no_nan(value) for name, value in metrics.items()}
    with atomic_write(folder / "metrics.json") as part:
        part.write_text(json.dumps(plain, indent=2), encoding="utf-8")
    return plain


def best_epoch(history: Sequence[Mapping[str, Any]]) -> int | None:
    """The first epoch with the best rho on the validation dives."""
    scored = [h for h in history if h.get("validation_rho") is not None]
    return max(scored, key=lambda h: h["validation_rho"])["epoch"] if scored else None


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
    for reason, keys in split.left_out.items():
        tell(f"left out: {len(keys)} dives with {reason} ({some(keys)}); {MENDS[reason]}")
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


def free_folder(workspace: Workspace) -> Path:
    """A folder that is not there yet, named by the time, under the data directory's runs."""
    name = time.strftime("hpmcr-%Y%m%d-%H%M%S")
    taken = (f"{name}-{n}" for n in count(2))
    return next(f for f in (workspace.runs / n for n in chain([name], taken)) if not f.exists())


def _no_nan(value: Any) -> Any:
    """Numbers that are none become null, since JSON has no NaN."""
    if isinstance(value, dict):
        return {k: _no_nan(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_no_nan(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
