"""A run: its folder, and the way from the packed file to the metrics."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import chain, count
from pathlib import Path
from typing import Any

import torch
from torch import nn

from baselines.data.dives import Dives
from baselines.data.pairs import TrainingPairs, labels_and_pairs
from baselines.data.splash import read_splashes
from baselines.data.splits import MENDS, Split, some, split_clips
from baselines.features.compute import freeze
from baselines.method import Method, Needs
from baselines.registry import find_method
from baselines.runs.best_epoch import BEST, BestEpoch
from baselines.runs.config import CONFIG, Evaluation, Origin, RunConfig, make_config, read_config, write_config
from baselines.runs.figures import Figures, compute_figures
from baselines.runs.outcome import as_section, conditions, needed, run_metrics, selecting_split, starting_weights
from baselines.runs.panels import Scored, score_with_panels
from baselines.runs.predictions import write_predictions
from baselines.runs.results import RunMetrics, epochs_in_words, write_metrics
from baselines.runs.scoring import predict_clips
from baselines.scorer.file import SCORER, write_scorer
from baselines.scorer.make import make_scorer
from baselines.training import processes
from baselines.training.threads import computing_with
from baselines.training.tracking import check_installed
from baselines.training.trainer import train
from finediving_pose.checkpoints import read_checkpoint
from finediving_pose.errors import CheckpointError, UsageError, first_line
from finediving_pose.memory import keep_memory
from finediving_pose.packed.reader import PackedFile, open_packed
from finediving_pose.progress import tell
from finediving_pose.resuming import last_checkpoint
from finediving_pose.workspace import Workspace


def prepare_run(
    workspace: Workspace,
    method: Method,
    preset: str,
    seed: int,
    *,
    epochs: int | None = None,
    weights: Path | None = None,
    without: Sequence[str] = (),
    reads: Sequence[str] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> RunConfig:
    """The complete configuration of a training, if the data is fit for it. Nothing is written.

    Parameters
    ----------
    weights : folder with all published weights of the method, see :attr:`baselines.method.Method.weights`
    epochs, without, changes : see :func:`baselines.runs.config.make_config`
    reads : see :class:`~baselines.runs.config.RunConfig`; what this training reads where not given

    Raises
    ------
    PackedError
        The packed file is missing, or can't be trained on.
    SetupError
        What ``tracking.to`` names is not installed.
    UsageError
        A preset, a part, a setting or a weight file does not exist.
    """
    config = make_config(method, preset, seed, epochs, without, changes)
    check_installed(config.tracking)
    if config.data.splash:
        read_splashes(Path(config.data.splash))  # what is wrong with it is said before there is a folder
    found = _find_weights(method, preset, weights)
    for encoder, file in found.items():
        config.model[encoder] = {**config.model.get(encoder, {}), "weights": file["file"]}
    config = replace(config, reads=tuple(reads) if reads is not None else needed(method, config))
    with open_packed(workspace.packed) as packed:
        split_of(packed, method, config)
        versions = {p: version(p) for p in ("fdpose", "torch", "timm", "numpy")} | {"python": platform.python_version()}
        changed = {name: value for name, value in (changes or {}).items() if not name.startswith("tracking.")}
        changed |= {} if epochs is None else {"training.epochs": epochs}
        origin = Origin(str(workspace.packed.resolve()), packed.digest, versions, found, changed)
        return replace(config, origin=origin)


@processes.on_first
def new_run(workspace: Workspace, method: Method, preset: str, seed: int, **options: Any) -> Path:
    """Make a run folder, named by the time, with the configuration of a training; as :func:`prepare_run`."""
    config = prepare_run(workspace, method, preset, seed, **options)
    folder = new_folder(workspace, method.name)
    write_config(folder, config)
    return folder


def run(folder: Path, *, packed_file: Path | None = None, resume: bool = False) -> RunMetrics:
    """Train the run in ``folder`` to its end, score the test split, and write the results.

    After every epoch a checkpoint is kept; ``resume`` goes on from the last whole one. Started by torchrun, all
    processes train together and the first one scores.

    Parameters
    ----------
    packed_file : where the packed file is now, if it may have moved since the run began

    Raises
    ------
    PackedError
        The packed file is missing, or can't be trained on.
    CheckpointError
        A checkpoint is of another training.
    UsageError
        ``folder`` is not a run, its packed file has changed since it began, or its method is not installed.
    BusyError
        Another process is training this run.
    """
    processes.join()
    with processes.sole(folder):
        return _run(folder, packed_file, resume)


def _run(folder: Path, packed_file: Path | None, resume: bool) -> RunMetrics:
    started = time.monotonic()
    config = read_config(folder)
    method = method_of(folder, config)
    keep_memory()
    with computing_with(config.training.threads), open_run_data(folder, config, packed_file) as packed:
        split = split_of(packed, method, config)
        begun = last_checkpoint(folder) if resume else None
        torch.manual_seed(config.seed)
        network = _built(method, without_weights(config) if begun else config, folder)
        announce(method, config, split, network)
        dives = dives_of(packed, method, config)
        if config.training.frozen:
            dives.features = freeze(network, method, packed, config)
        judged = selecting_split(config, split)
        prepare = getattr(network, "prepare", None)
        if prepare is not None:
            prepare(labels_and_pairs(dives, split.train))

        @processes.on_first
        def score_test() -> Scored:
            how = config.evaluation
            return score_with_panels(network, method, dives, split.test, split.train, how, config.seed)

        def figures_of(epoch: int) -> Figures:
            seed = config.seed + epoch if config.evaluation.redraw else config.seed
            queries = split.test if judged == "test" else split.validation
            return compute_figures(predict_clips(network, method, dives, queries, split.train, config.evaluation, seed))

        # what would fail after the training had better fail before it
        predict_clips(network, method, dives, split.test[:1], split.train, Evaluation(votes=1), config.seed)
        if resume and begun is None and config.training.epochs:
            tell(f"{folder}: no whole checkpoint is there; starting with the first epoch")
        epochs = config.training.epochs
        hooks = [BestEpoch(figures_of, judged, lambda n: config.validation.is_due(n, epochs))] if judged else []
        pairs = TrainingPairs(dives, split.train, config.training.exemplars if method.comparative else 0, config.seed)
        hub = train(network, method, pairs, config, folder, hooks, resume=begun).message_hub if epochs else None
        if judged:
            _load_best(network, folder / BEST)
        scored = score_test()
        if processes.is_first():
            scorer = make_scorer(network, method, config, dives, split.train, scored.predictions, judged == "test")
            write_scorer(folder / SCORER, scorer)
        made = conditions(config, method, split, packed)
    metrics = run_metrics(config, made, judged, network, scored, hub, time.monotonic() - started)
    if processes.is_first():
        write_predictions(folder, scored.predictions)
        write_metrics(folder, metrics)
    return metrics


def _built(method: Method, config: RunConfig, folder: Path) -> nn.Module:
    try:
        return method.build(config)
    except (TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError) as e:
        said = first_line(e)
        raise UsageError(f"{folder / CONFIG}: its network can't be built ({said}); start a new run") from e


def _load_best(network: nn.Module, path: Path) -> None:
    try:
        network.load_state_dict(read_checkpoint(path))
    except (CheckpointError, RuntimeError, TypeError, AttributeError) as e:
        said = first_line(e).removeprefix(f"{path}: ")
        raise CheckpointError(f"{path}: the weights of the best epoch are lost ({said}); start a new run") from e


def method_of(folder: Path, config: RunConfig) -> Method:
    """The method that a run was begun with. Raises UsageError where it is not installed here."""
    try:
        return find_method(config.method)
    except UsageError as e:
        raise UsageError(f"{folder}: was begun with the method {config.method!r}; {e}; install its package") from e


def open_run_data(folder: Path, config: RunConfig, packed_file: Path | None = None) -> PackedFile:
    """The packed file of a run: the given one, that of the data directory around the folder, or the recorded one.

    Raises
    ------
    UsageError
        None of them is the file that the run began with.
    """
    assert config.origin is not None
    recorded, wanted = Path(config.origin.packed), config.origin.digest
    beside = [parent.parent / recorded.name for parent in folder.resolve().parents if parent.name == "runs"][:1]
    candidates = dict.fromkeys([p for p in (packed_file, *beside, recorded) if p is not None])
    there = [p for p in candidates if p.is_file()]
    for path in there:
        packed = open_packed(path)
        if packed.digest == wanted:
            return packed
        packed.close()
    if not there:
        raise UsageError(
            f"{folder}: its packed file {recorded} is not there any more, nor is one beside the run; name the data"
            " directory where it is now with --data DIR, or copy it there"
        )
    raise UsageError(
        f"{folder}: began on other data (digest {wanted[:12]}, {there[0]} now has another); start a new run with:"
        f" fdpose benchmark {config.method}"
    )


def _find_weights(method: Method, preset: str, folder: Path | None) -> dict[str, dict[str, str]]:
    """Path and sha256 of each weight file in a folder, by encoder; nothing without a folder."""
    if folder is None:
        return {}
    if not method.presets[preset].published_weights:
        raise UsageError(f"--weights: preset {preset} of {method.title} takes no published weights; leave it out")
    found, missing = {}, []
    for encoder, file in method.weights.items():
        path = next((folder / name for name in file.names if (folder / name).is_file()), None)
        if path is None:
            missing.append(f"{' or '.join(file.names)} (from {file.source})")
        else:
            with open(path, "rb") as f:
                found[encoder] = {"file": str(path.resolve()), "sha256": hashlib.file_digest(f, "sha256").hexdigest()}
    if missing:
        raise UsageError(f"{folder}: has no {', no '.join(missing)}; put the file there, see docs/reproduce.md")
    return found


def without_weights(config: RunConfig) -> RunConfig:
    """The same, to be filled from a checkpoint: files that the run began with may have gone by now.

    Batch norms that were frozen because there were weights (``freeze_bn`` None) remain so.
    """
    named = {}
    for key, value in config.model.items():
        if "weights" in as_section(value):
            follows = value["weights"] is not None and value.get("freeze_bn", False) is None
            named[key] = {**value, "weights": None} | ({"freeze_bn": True} if follows else {})
    return replace(config, model=config.model | named)


def split_of(packed: PackedFile, method: Method, config: RunConfig) -> Split:
    """The clips that can take part in a run. Raises PackedError where they are not enough."""
    needs = Needs.NOTHING
    for name in config.reads if config.reads is not None else needed(method, config):
        needs |= Needs[name]
    pairing = config.data.pairing if method.comparative else None
    return split_clips(packed, needs, config.validation.share, config.evaluation.exemplar_fallback, pairing)


def dives_of(packed: PackedFile, method: Method, config: RunConfig) -> Dives:
    """The samples that a run's network reads."""
    splash = read_splashes(Path(config.data.splash)) if config.data.splash else None
    return Dives(packed, config.data, method.needs_of(config), splash)


def announce(method: Method, config: RunConfig, split: Split, network: nn.Module) -> None:
    """Say what is about to be trained, on what, and from which weights."""
    parameters, epochs = sum(p.numel() for p in network.parameters()), config.training.epochs
    tell(
        f"{method.title}, preset {config.preset}: {parameters:,} parameters; {len(split.train)} train,"
        f" {len(split.validation)} validation, {len(split.test)} test dives; {epochs_in_words(epochs)}"
    )
    for reason, keys in split.left_out.items():
        tell(f"left out: {len(keys)} dives with {reason} ({some(keys)}); {MENDS[reason]}")
    random = [encoder for encoder, weights in starting_weights(method, config).items() if weights == "random"]
    preset = method.presets.get(config.preset)
    if random and preset and preset.published_weights:
        names = ", ".join(" or ".join(method.weights[encoder].names) for encoder in random)
        tell(
            f"RANDOM WEIGHTS: {' and '.join(random)} start from random weights, not from the published"
            f" ones, so figures can't be compared with the paper's (give a folder with {names} as --weights DIR)",
            style="bold yellow",
        )


def new_folder(workspace: Workspace, what: str) -> Path:
    """Make a folder under the data directory's runs, named by what is run and the time, that nobody else has."""
    name = f"{what}-{time.strftime('%Y%m%d-%H%M%S')}"
    for taken in chain([name], (f"{name}-{n}" for n in count(2))):
        folder = workspace.runs / taken
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError  # count() has no end
