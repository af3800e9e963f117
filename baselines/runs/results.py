"""What a finished run or study says of itself: ``metrics.json``, typed."""

from __future__ import annotations

import json
from dataclasses import asdict
from dataclasses import field as default
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from baselines.runs.figures import Figures, Interval
from finediving_pose.errors import UsageError
from finediving_pose.workspace import atomic_write

METRICS = "metrics.json"

SELECTIONS = {
    None: "last epoch",
    "validation": "best rho on validation videos held out of train",
    "test": "CHOSEN ON THE TEST SPLIT: each figure is the best of all epochs, as the public code reports them",
}
"""Which epoch the figures are from, by the split that it was chosen on; printed beside them."""


def epochs_in_words(epochs: int) -> str:
    """``12 epochs``, or that there is nothing to train."""
    return f"{epochs} epoch{'s' * (epochs > 1)}" if epochs else "nothing to train"


def row_name(made: Conditions) -> str:
    """A method as a row of a table: ``CoRe (demo, without tree)``."""
    return f"{made.title} ({', '.join([made.preset, *(f'without {part}' for part in made.without)])})"


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class Conditions:
    """What figures depend on, apart from the seed.

    Attributes
    ----------
    method, title, preset : of the method
    without : parts left out
    n_train, n_test : dives
    selection : how the epoch was chosen, one of :data:`SELECTIONS`
    target, pairing, votes, voters : the protocol
    packed, digest : path and digest of the packed file
    weights : what each encoder with published weights starts from, a file or ``random``
    left_out : keys of clips that could not take part, by what they lack
    reads : what is read of a test dive, names of :class:`~baselines.method.Needs`
    errata_applied, errata_left : known errors in the labels of its dives that are corrected there, and that are not

    The last three are None in runs of before they were noted.
    """

    method: str
    title: str
    preset: str
    without: tuple[str, ...]
    n_train: int
    n_test: int
    batch_size: int
    epochs: int
    selection: str
    target: str
    pairing: str
    votes: int
    voters: str
    packed: str
    digest: str
    weights: dict[str, str]
    left_out: dict[str, list[str]]
    reads: tuple[str, ...] | None = None
    errata_applied: int | None = None
    errata_left: int | None = None


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class RunMetrics:
    """A finished run.

    Attributes
    ----------
    intervals : 95 %, by metric, see :func:`baselines.runs.metrics.interval`
    exemplars_mean : the baseline
    facts : what the network says of itself in words, such as its stage weights
    epoch, epoch_of_each : the epoch that all figures are from; or, chosen on the test split, that of each
    history : mean losses and times of every epoch
    panels : figures with each of five panels of voters, the run's own first; none where nobody votes
    scoring_seconds : what scoring the test dives took, exemplars included; None in runs of before it was noted
    """

    made: Conditions
    seed: int
    figures: Figures
    intervals: dict[str, Interval]
    exemplars_mean: Figures
    matched_by_difficulty: int
    parameters: int
    seconds: float
    epoch: int | None
    history: list[dict[str, Any]]
    epoch_of_each: dict[str, int] = default(default_factory=dict)
    facts: dict[str, str] = default(default_factory=dict)
    panels: tuple[Figures, ...] = ()
    scoring_seconds: float | None = None


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class StudyRow:
    """One training of a study: its run folder inside the study's, and what came of it."""

    run: str
    seed: int
    without: str | None
    figures: Figures
    exemplars_mean: Figures
    epoch: int | None
    parameters: int
    seconds: float


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class AblationRow:
    """The method without a part: mean and spread over the seeds, mean difference to the whole with the same seed."""

    without: str
    mean: Figures
    spread: Figures
    difference: Figures
    parameters: int


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class StudyMetrics:
    """A finished study. ``spread`` is the standard deviation over the seeds (n - 1), None for a single seed."""

    made: Conditions
    seeds: tuple[int, ...]
    mean: Figures
    spread: Figures
    exemplars_mean: Figures
    matched_by_difficulty: int
    seconds: float
    rows: tuple[StudyRow, ...]
    ablation: tuple[AblationRow, ...]


Stored = TypeVar("Stored")


def write_metrics(folder: Path, metrics: RunMetrics | StudyMetrics) -> None:
    """Write ``metrics.json`` into the folder of a run or a study."""
    write_stored(folder / METRICS, metrics)


def is_finished(folder: Path) -> bool:
    """Whether a run or a study has its metrics."""
    return (folder / METRICS).is_file()


def read_run(folder: Path) -> RunMetrics:
    """The metrics of a finished run. Raises UsageError where there are none, or not such."""
    return _read(folder, RunMetrics)


def read_study(folder: Path) -> StudyMetrics:
    """The metrics of a finished study. Raises UsageError where there are none, or not such."""
    return _read(folder, StudyMetrics)


def _read(folder: Path, kind: type[Stored]) -> Stored:
    missing = f"{folder}: not finished; go on with: fdpose benchmark --resume {folder}"
    return read_stored(folder / METRICS, kind, missing)


def write_stored(path: Path, values: Any) -> None:
    """Write a dataclass of figures as JSON, whole or not at all."""
    with atomic_write(path) as part:
        part.write_text(json.dumps(asdict(values), indent=2, allow_nan=False), encoding="utf-8")


def read_stored(path: Path, kind: type[Stored], missing: str) -> Stored:
    """What :func:`write_stored` wrote. Raises UsageError where it is none, with ``missing`` where there is no file."""
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes(), strict=True)
    except OSError as e:
        raise UsageError(missing) from e
    except ValidationError as e:
        first = e.errors()[0]
        name = ".".join(str(step) for step in first["loc"])
        raise UsageError(f"{path}: {name}: {first['msg'].lower()}; was it written by another version?") from e
