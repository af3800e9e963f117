"""Finished runs, and predictions of other programs, as entries of a leaderboard."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from baselines.runs.config import CONFIG, RunConfig, read_config
from baselines.runs.external import EXTERNAL, read_external
from baselines.runs.figures import Figures
from baselines.runs.predictions import Prediction, read_predictions
from baselines.runs.results import SELECTIONS, is_finished, read_run, row_name
from baselines.runs.study import is_study, read_plan
from baselines.runs.suite import is_suite, read_suite
from baselines.training.tracking import Tracking
from finediving_pose.clip import ClipKey
from finediving_pose.droppings import entries as entries_of
from finediving_pose.errors import FdposeError, UsageError

SHOWN_ELSEWHERE = ("data.pairing", "data.target", "training.epochs")
"""Settings that a table shows in a place of their own, not in the name of the row."""


@dataclass(frozen=True)
class Entry:
    """One training that was scored, or one file of another program's predictions.

    What is not known of an entry is None: of other programs, and of runs that an older version made.

    Attributes
    ----------
    folder : where it was read
    name : method and preset
    changes : settings that are not the preset's, but for :data:`SHOWN_ELSEWHERE`
    key : entries with the same key are trainings of one row, which differ by their seed
    external : whether another program made the predictions
    seed : of the training; None where it is not known
    packed, digest : the file that it was scored on
    pairing : the protocol
    multiplies : whether scores over difficulty are predicted and multiplied by the true difficulty
    reads : what is read of a test dive, names of :class:`~baselines.method.Needs`
    epochs, epoch, selection : of the training; which epoch counts and how it was chosen
    figures, exemplars_mean, panels : as in :class:`~baselines.runs.results.RunMetrics`
    parameters, seconds, clips_per_second : size, time of training and scoring, test dives a second when scoring
    errata : known errors in the labels that are corrected, and that are not
    version : of fdpose that made it
    command : what makes it again, but for its seed
    predictions : of all test dives that it scored
    """

    folder: Path
    name: str
    key: str
    external: bool
    seed: int | None
    packed: str
    digest: str
    pairing: str
    multiplies: bool | None
    reads: tuple[str, ...] | None
    figures: Figures
    exemplars_mean: Figures
    predictions: Sequence[Prediction] = field(repr=False)
    changes: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    epoch: int | None = None
    selection: str | None = None
    panels: tuple[Figures, ...] = ()
    parameters: int | None = None
    seconds: float | None = None
    clips_per_second: float | None = None
    n_train: int | None = None
    errata: tuple[int, int] | None = None
    version: str | None = None
    command: str | None = None

    @property
    def on_test(self) -> bool:
        """Whether its epoch was chosen on the test split: no figure of it may be compared."""
        return self.selection == SELECTIONS["test"]

    @property
    def trained(self) -> bool:
        """Whether another seed would give another training."""
        return self.epochs != 0

    @cached_property
    def predicted(self) -> dict[ClipKey, float]:
        """Predicted scores, points."""
        return {p.dive: p.predicted_score for p in self.predictions}

    @cached_property
    def true(self) -> dict[ClipKey, float]:
        """True scores, points."""
        return {p.dive: p.true_score for p in self.predictions}


def find_entries(folders: Iterable[Path]) -> tuple[list[Entry], list[str]]:
    """Entries of runs, studies, suites and kept predictions, and a line for each training that is not finished.

    Raises
    ------
    UsageError
        A folder holds none of them, or what is in it can't be read, for example because another version wrote it.
    """
    found, unfinished = [], []
    for folder in folders:
        if not is_run(folder):
            raise UsageError(f"{folder}: no run, study or kept predictions; name a folder under runs/")
        for training in trainings_of(folder):
            if (training / EXTERNAL).is_file():
                found.append(_external(training))
            elif is_finished(training):
                found.append(_run(training))
            else:
                unfinished.append(f"{training}: not finished; go on with: fdpose benchmark --resume {folder}")
    return found, unfinished


def find_all_entries(runs: Path) -> tuple[list[Entry], list[str]]:
    """Entries of everything under a folder of runs, and a line for each that takes no part: what and why."""
    found, left_out = [], []
    for folder in entries_of(runs) if runs.is_dir() else []:
        if not is_run(folder):
            continue
        try:
            read, lines = find_entries([folder])
        except FdposeError as e:
            read, lines = [], [str(e)]
        found += read
        left_out += lines
    return found, left_out


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run, a study, a suite or kept predictions, finished or not."""
    return any((folder / name).is_file() for name in (CONFIG, EXTERNAL)) or is_study(folder) or is_suite(folder)


def trainings_of(folder: Path) -> list[Path]:
    """Folders of single trainings; of a study those of the whole method."""
    if is_suite(folder):
        return [training for name in read_suite(folder).studies for training in trainings_of(folder / name)]
    if is_study(folder):
        return [folder / m.run for m in read_plan(folder) if m.without is None]
    return [folder]


def _run(folder: Path) -> Entry:
    metrics, config = read_run(folder), read_config(folder)
    made, predictions = metrics.made, read_predictions(folder)
    assert config.origin is not None
    seconds = metrics.scoring_seconds
    changes = config.origin.changes
    named = {name: value for name, value in (changes or {}).items() if name not in SHOWN_ELSEWHERE}
    version = config.origin.versions.get("fdpose")
    return Entry(
        folder=folder,
        name=row_name(made),
        changes=named,
        key=_key(config, version),
        external=False,
        seed=metrics.seed,
        packed=made.packed,
        digest=made.digest,
        pairing=config.data.pairing,
        multiplies=made.target == "score_over_difficulty",
        reads=made.reads,
        figures=metrics.figures,
        exemplars_mean=metrics.exemplars_mean,
        predictions=predictions,
        epochs=made.epochs,
        epoch=metrics.epoch,
        selection=made.selection,
        panels=metrics.panels,
        parameters=metrics.parameters,
        seconds=metrics.seconds,
        clips_per_second=len(predictions) / seconds if seconds else None,
        n_train=made.n_train,
        errata=_errata(made.errata_applied, made.errata_left),
        version=version,
        command=None if changes is None else _command(config, changes),
    )


def _external(folder: Path) -> Entry:
    given, predictions = read_external(folder), read_predictions(folder)
    return Entry(
        folder=folder,
        name=given.name,
        key=json.dumps(["external", given.name, given.reads, given.pairing, given.digest]),
        external=True,
        seed=None,
        packed=given.packed,
        digest=given.digest,
        pairing=given.pairing,
        multiplies=None if given.reads is None else "DIFFICULTY" in given.reads,
        reads=given.reads,
        figures=given.figures,
        exemplars_mean=given.exemplars_mean,
        predictions=predictions,
        errata=(given.errata_applied, given.errata_left),
        version=given.version,
    )


def _key(config: RunConfig, version: str | None) -> str:
    """All that decides what a training does but its seed, and where its files lie."""
    assert config.origin is not None
    weights = {encoder: file.get("sha256") for encoder, file in config.origin.weights.items()}
    model = {key: _without_path(value) for key, value in config.model.items()}
    settings = asdict(replace(config, seed=0, origin=None, model=model, tracking=Tracking()))
    return json.dumps([settings, config.origin.digest, weights, version], sort_keys=True)


def _without_path(value: Any) -> Any:
    return {k: v for k, v in value.items() if k != "weights"} if isinstance(value, Mapping) else value


def _errata(applied: int | None, left: int | None) -> tuple[int, int] | None:
    return None if applied is None or left is None else (applied, left)


def _command(config: RunConfig, changes: Mapping[str, Any]) -> str:
    import shlex

    assert config.origin is not None
    words = ["fdpose", "benchmark", config.method, "--preset", config.preset]
    for name, value in changes.items():
        words += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    if config.origin.weights:
        words += ["--weights", "weights/"]
    return shlex.join(words)
