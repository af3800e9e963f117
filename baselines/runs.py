"""A run: its folder, its config, from the packed file to the metrics."""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from inspect import signature
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

import torch
from mmengine.config import Config

from baselines import processes
from baselines.data import Dives, TrainingPairs
from baselines.evaluate import Prediction, predict_clips, summarise
from baselines.hooks import BEST, BestEpoch
from baselines.hpmcr import HPMCR
from baselines.modules.stages import STAGES
from baselines.results import write_predictions
from baselines.splash import read_splashes
from baselines.splits import MENDS, Fallback, Split, some, split_clips
from baselines.train import Training, train
from finediving_pose.errors import UsageError
from finediving_pose.packed.reader import PackedFile, open_packed
from finediving_pose.progress import tell
from finediving_pose.workspace import Workspace, atomic_write

PRESETS = {
    "demo": "hpmcr_demo.py",
    "full": "hpmcr_finediving.py",
    "released": "hpmcr_finediving_released.py",
    "mtl-aqa": "hpmcr_mtl_aqa.py",
}
"""Config file of each preset, under ``baselines/configs``."""

WEIGHT_FILES = {"i3d": ("model_rgb.pth",), "static": ("regnety_002.safetensors", "regnety_002.pth")}
"""Names under which published weights are looked for, by encoder."""


@processes.on_first
def new_run(
    workspace: Workspace,
    preset: str,
    seed: int,
    epochs: int | None = None,
    weights: Path | None = None,
    *,
    without: Sequence[str] = (),
    exemplar_fallback: Fallback | None = None,
    changes: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Path:
    """Make a run folder with the complete config of a training that is yet to start, once the data is fit for it.

    Parameters
    ----------
    weights : folder with published weights of the encoders, see :data:`WEIGHT_FILES`;
        an encoder whose file is not there starts from random weights
    without : parts of the model to leave out, see :class:`baselines.hpmcr.HPMCR`
    exemplar_fallback : see :func:`baselines.splits.split_clips`
    changes : values to put in the place of the preset's, by their dotted name, ``{"training.accumulate": 4}``
    folder : where to; one of the present time under the data directory's runs where not given

    Raises
    ------
    PackedError
        The packed file is missing, or can't be trained on.
    UsageError
        ``changes`` names what the preset does not have.
    """
    config = Config.fromfile(Path(__file__).parent / "configs" / PRESETS[preset])
    _change(config, changes or {})
    config.model.without = sorted({*config.model.get("without", ()), *without})
    config.evaluation.exemplar_fallback = exemplar_fallback
    with open_packed(workspace.packed) as packed:
        digest = packed.digest
        split_of(packed, config)  # nothing is left behind where it can't be trained on
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
    folder = folder or free_folder(workspace)
    with atomic_write(folder / "config.json") as part:
        part.write_text(json.dumps(config.to_dict(), indent=2), encoding="utf-8")
    return folder


def run(folder: Path, *, resume: bool = False) -> dict[str, Any]:
    """Train the run in ``folder`` to its end, score it on the test split, write its results; return ``metrics.json``.

    After every epoch a checkpoint is kept, from which ``resume`` goes on. Started by torchrun, all processes train
    together and the first one scores.

    Raises
    ------
    PackedError
        The packed file is missing, or can't be trained on.
    UsageError
        ``folder`` is no run, or its packed file has changed since it began.
    """
    started = time.monotonic()
    processes.join()
    config = load_config(folder)
    with open_packed(config.run.packed) as packed:
        if packed.digest != config.run.digest:
            raise UsageError(
                f"{folder}: began on other data (digest {config.run.digest[:12]}, {packed.path} now has"
                f" {packed.digest[:12]}); start a new run with: fdpose benchmark hpmcr"
            )
        split = split_of(packed, config)
        torch.manual_seed(config.run.seed)
        model = HPMCR(**config.model)
        announce(config, split, model)
        dives = dives_of(packed, config)

        pairs = TrainingPairs(dives, split.train, config.training.exemplars, config.run.seed)
        judged = selecting_split(config, split)

        def score(queries: Sequence[int]) -> list[Prediction]:
            return predict_clips(model, dives, queries, split.train, seed=config.run.seed, **voting(config))

        hooks = [BestEpoch(lambda: score(getattr(split, judged)), judged, config.validation.interval)] if judged else []
        hub = train(model, pairs, config, folder, hooks, resume=resume).message_hub
        if judged:
            model.load_state_dict(torch.load(folder / BEST, map_location="cpu", weights_only=True))
        predictions = processes.on_first(score)(split.test)
    metrics = {
        "model": "hpmcr",
        **_circumstances(config, split),
        **summarise(predictions),
        "stage_weights": [round(w, 4) for w in model.stage_weights.shares.tolist()],
        "selection": SELECTIONS[judged],
        "seconds": round(time.monotonic() - started, 1),
        "parameters": sum(p.numel() for p in model.parameters()),
        **_epochs(config, judged, hub.get_info("history", []), hub.get_info("best_of_each", {})),
    }
    if processes.is_first():
        write_predictions(folder, predictions)
        write_metrics(folder, metrics)
    return plain(metrics)


def _circumstances(config: Config, split: Split) -> dict[str, Any]:
    """What a figure depends on: data, protocol, seed, weights."""
    return {
        "preset": config.run.preset,
        "seed": config.run.seed,
        "n_train": len(split.train),
        "n_test": len(split.test),
        "batch_size": config.training.batch_size,
        "epochs": config.training.epochs,
        "target": config.data.get("target", "score"),
        "pairing": config.data.get("pairing", "number"),
        "stages": config.model.get("stages", STAGES),
        "votes": config.evaluation.votes,
        "voters": config.evaluation.voters,
        "without": list(config.model.without),
        "packed": config.run.packed,
        "digest": config.run.digest,
        "weights": starting_weights(config),
        "left_out": split.left_out,
    }


def _epochs(
    config: Config, judged: str | None, history: list[dict[str, Any]], best_of_each: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The epoch that the figures are from; where it was chosen on the test split, the best figures of all epochs."""
    if judged is None:
        return {"epoch": config.training.epochs, "history": history}
    found = {"epoch": best_epoch(history, judged), "history": history}
    if judged == "test":
        found |= {name: best["value"] for name, best in best_of_each.items()}
        found["epoch_of_each"] = {name: best["epoch"] for name, best in best_of_each.items()}
    return found


SELECTIONS = {
    None: "last epoch",
    "validation": "best rho on validation videos held out of train",
    "test": "CHOSEN ON THE TEST SPLIT: each figure is the best of all epochs, as the public code reports them",
}
"""Which epoch the figures are from, by the split that it was chosen on; to be printed beside them."""


def selecting_split(config: Config, split: Split) -> Literal["test", "validation"] | None:
    """The split that the best epoch is chosen on, None for the last epoch."""
    if config.validation.get("on_test", False):
        return "test"
    return "validation" if split.validation else None


def split_of(packed: PackedFile, config: Config) -> Split:
    """The clips that can take part in a run. Raises PackedError where they are not enough."""
    optional = set() if config.data.get("target", "score") == "score_over_difficulty" else {"no difficulty"}
    if "segmentation" in config.model.without:
        optional.add("no stages")
    fallback, pairing = config.evaluation.exemplar_fallback, config.data.get("pairing", "number")
    return split_clips(packed, config.validation.share, fallback, pairing, optional)


def dives_of(packed: PackedFile, config: Config) -> Dives:
    """The samples that a run's model reads."""
    data = config.data.to_dict()
    source = data.pop("splash", None)
    splash = read_splashes(Path(source)) if source else None
    return Dives(packed, **data, stages=config.model.get("stages", STAGES), splash=splash)


def voting(config: Config) -> dict[str, Any]:
    """How test dives are voted on, arguments of :func:`baselines.evaluate.predict_clips`."""
    how = config.evaluation.to_dict()
    how.pop("exemplar_fallback", None)
    return {**how, "pairing": config.data.get("pairing", "number")}


def write_metrics(folder: Path, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Write ``metrics.json`` and return it as it was written."""
    written = plain(metrics)
    with atomic_write(folder / "metrics.json") as part:
        part.write_text(json.dumps(written, indent=2), encoding="utf-8")
    return written


def best_epoch(history: Sequence[Mapping[str, Any]], split: str = "validation") -> int | None:
    """The first epoch with the best rho on the dives of a split."""
    scored = [h for h in history if h.get(f"{split}_rho") is not None]
    return max(scored, key=lambda h: h[f"{split}_rho"])["epoch"] if scored else None


def _change(config: Config, changes: Mapping[str, Any]) -> None:
    """Set values of a config by their dotted names. Raises UsageError for a setting or a value that can't be."""
    for name, value in changes.items():
        section, *path = name.split(".")
        known = SETTINGS.get(section, [])
        if not path or path[0] not in known:
            there = known or [f"{s}.*" for s in SETTINGS]
            raise UsageError(f"no setting {name!r}; there are {', '.join(there)}; write one as training.accumulate")
        place = config[section]
        for step in path[:-1]:
            if not isinstance(place.get(step), Mapping):
                raise UsageError(f"no setting {name!r}; {step} is a single value")
            place = place[step]
        place[path[-1]] = value
    if changes:
        try:
            with torch.device("meta"):  # no memory, no time
                HPMCR(**config.model)
            _ = Training(**config.training).part
        except (TypeError, ValueError, ArithmeticError) as e:
            said = str(e).splitlines()[0]
            raise UsageError(f"{', '.join(f'{n}={v}' for n, v in changes.items())}: can't be built ({said})") from e


def _parameters(of: Callable[..., Any]) -> list[str]:
    return [name for name in signature(of).parameters if name not in ("packed", "_kept")]


SETTINGS = {
    "model": _parameters(HPMCR),
    "data": [name for name in _parameters(Dives) if name != "stages"],
    "training": _parameters(Training),
    "evaluation": ["votes", "voters", "pad"],
    "validation": ["share", "interval", "on_test"],
}
"""What a config's sections may hold."""


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


def free_folder(workspace: Workspace) -> Path:
    """A folder that is not there yet, named by the time, under the data directory's runs."""
    name = time.strftime("hpmcr-%Y%m%d-%H%M%S")
    taken = (f"{name}-{n}" for n in count(2))
    return next(f for f in (workspace.runs / n for n in chain([name], taken)) if not f.exists())


def plain(value: Any) -> Any:
    """The same for JSON, which has no NaN: numbers that are none become null."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
