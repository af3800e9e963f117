"""Trainings that belong together: the same with other seeds, and without one part at a time."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, with_config

from baselines.method import Method
from baselines.runs.config import CONFIG, RunConfig, check_names, write_config
from baselines.runs.figures import NAMES, Figures
from baselines.runs.results import (
    AblationRow,
    RunMetrics,
    StudyMetrics,
    StudyRow,
    is_finished,
    read_run,
    write_metrics,
)
from baselines.runs.run import prepare_run, run
from baselines.training import processes
from finediving_pose.documents import read_json
from finediving_pose.errors import UsageError, first_line
from finediving_pose.progress import tell
from finediving_pose.resuming import is_begun
from finediving_pose.workspace import Workspace, atomic_write

PLAN = "study.json"
ALL_PARTS = "all"
"""In the place of a part: each of them in turn."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class Member:
    """One training of a study: a run folder inside the study's, its seed, and the part that is left out."""

    run: str
    seed: int
    without: str | None = None


PlannedRun = tuple[Member, RunConfig]


def plan_study(
    workspace: Workspace, method: Method, preset: str, seeds: Sequence[int], ablate: Sequence[str] = (), **options: Any
) -> list[PlannedRun]:
    """A training for each seed, and for each seed and part of ``ablate`` left out. Nothing is written.

    ``options`` are those of :func:`baselines.runs.run.prepare_run`, the same for all; :data:`ALL_PARTS` in ``ablate``
    stands for each part that a network of these settings has.

    Raises
    ------
    PackedError
        The packed file is missing, or can't be trained on.
    UsageError
        The method has no such part, or as :func:`baselines.runs.run.prepare_run`.
    """
    check_names("part", [part for part in ablate if part != ALL_PARTS], method.parts, method)
    whole = prepare_run(workspace, method, preset, seeds[0], **options)
    there, reads = method.parts_of(whole), whole.reads
    if ALL_PARTS in ablate and not there:
        raise UsageError(f"{method.title} has no parts that can be left out")
    parts = [part for part in method.parts if part in ablate or (ALL_PARTS in ablate and part in there)]
    members = [Member(f"seed-{s}", s) for s in seeds]
    members += [Member(f"without-{part}-seed-{s}", s, part) for part in parts for s in seeds]

    def configuration(m: Member) -> RunConfig:
        without = (m.without,) if m.without else ()
        return prepare_run(workspace, method, preset, m.seed, without=without, reads=reads, **options)

    return [(m, configuration(m)) for m in members]


def write_study(folder: Path, plan: Sequence[PlannedRun]) -> Path:
    """Make the run folders of a study, and last its plan: a folder that has one has all its runs."""
    for m, config in plan:
        write_config(folder / m.run, config)
    with atomic_write(folder / PLAN) as part:
        part.write_text(json.dumps([asdict(m) for m, _ in plan], indent=2), encoding="utf-8")
    return folder


def is_study(folder: Path) -> bool:
    """Whether the folder holds a study, not a single run."""
    return (folder / PLAN).is_file()


def run_study(folder: Path, *, packed_file: Path | None = None) -> StudyMetrics:
    """Run what is not finished yet, from its last epoch on; write the study's ``metrics.json`` and return it.

    Raises
    ------
    PackedError
        The packed file is missing, or can't be trained on.
    UsageError
        ``folder`` is not a study, or as :func:`baselines.runs.run.run`.
    BusyError
        Another process is at work on this study.
    """
    processes.join()
    with processes.sole(folder):
        return _run_study(folder, packed_file)


def _run_study(folder: Path, packed_file: Path | None) -> StudyMetrics:
    members = read_plan(folder)
    for m in members:
        if not (folder / m.run / CONFIG).is_file():
            raise UsageError(f"{folder}: its training {m.run} is gone; start a new study with the same options")
    results = []
    for n, m in enumerate(members, 1):
        member, finished = folder / m.run, is_finished(folder / m.run)
        what = f"without {m.without}" if m.without else "whole model"
        tell(f"{n}/{len(members)}  {what}, seed {m.seed}{': finished before' if finished else ''}", style="bold")
        results.append(read_run(member) if finished else run(member, packed_file=packed_file, resume=is_begun(member)))
    metrics = gather(members, results)
    if processes.is_first():
        write_metrics(folder, metrics)
    return metrics


def read_plan(folder: Path) -> list[Member]:
    """The trainings of a study. Raises UsageError where the folder is not a study."""
    try:
        members = TypeAdapter(list[Member]).validate_python(read_json(folder / PLAN, UsageError))
        if odd := [m.run for m in members if Path(m.run).name != m.run]:
            raise ValueError(f"its training {odd[0]!r} is no folder in it")
        return members
    except (UsageError, ValueError) as e:
        raise UsageError(
            f"{folder}: not a study ({first_line(e)}); start one with: fdpose benchmark METHOD --seeds 3"
        ) from e


def gather(members: Sequence[Member], results: Sequence[RunMetrics]) -> StudyMetrics:
    """The metrics of a study. What can't be computed is left out of a mean."""
    rows = tuple(
        StudyRow(m.run, m.seed, m.without, r.figures, r.exemplars_mean, r.epoch, r.parameters, r.seconds)
        for m, r in zip(members, results, strict=True)
    )
    whole = {row.seed: row for row in rows if row.without is None}
    parts = dict.fromkeys(row.without for row in rows if row.without)
    figures = [row.figures for row in whole.values()]
    return StudyMetrics(
        made=results[0].made,
        seeds=tuple(whole),
        mean=mean(figures),
        spread=spread(figures),
        exemplars_mean=mean(row.exemplars_mean for row in whole.values()),
        matched_by_difficulty=results[0].matched_by_difficulty,
        seconds=round(sum(row.seconds for row in rows), 1),
        rows=rows,
        ablation=tuple(_ablated(part, [row for row in rows if row.without == part], whole) for part in parts),
    )


def _ablated(part: str, rows: Sequence[StudyRow], whole: dict[int, StudyRow]) -> AblationRow:
    figures = [row.figures for row in rows]
    changes = [difference(row.figures, whole[row.seed].figures) for row in rows]
    return AblationRow(part, mean(figures), spread(figures), mean(changes), rows[0].parameters)


def difference(figures: Figures, other: Figures) -> Figures:
    """What one has more than the other, metric by metric; None where one of them is."""
    pairs = {name: (getattr(figures, name), getattr(other, name)) for name in NAMES}
    return Figures(**{name: None if None in (a, b) else a - b for name, (a, b) in pairs.items()})


def mean(figures: Iterable[Figures]) -> Figures:
    """Mean of each metric."""
    return Figures(**{name: statistics.fmean(v) if v else None for name, v in _values(figures).items()})


def spread(figures: Iterable[Figures]) -> Figures:
    """Standard deviation (n - 1) of each metric."""
    return Figures(**{name: statistics.stdev(v) if len(v) > 1 else None for name, v in _values(figures).items()})


def _values(figures: Iterable[Figures]) -> dict[str, list[float]]:
    columns = list(figures)
    return {name: [v for f in columns if (v := getattr(f, name)) is not None] for name in NAMES}
