"""Trainings that belong together: the same with other seeds, and without one part at a time."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from baselines import processes
from baselines.hpmcr import PARTS
from baselines.runs import free_folder, new_run, run, write_metrics
from baselines.wording import METRICS
from finediving_pose.errors import UsageError
from finediving_pose.progress import tell
from finediving_pose.workspace import Workspace, atomic_write

PLAN = "study.json"

COMMON = (
    "model", "preset", "batch_size", "epochs", "selection", "target", "pairing", "stages", "votes", "voters", "n_train",
    "n_test", "packed", "digest", "weights", "left_out", "matched_by_difficulty",
)  # fmt: skip
"""What is said of all trainings of a study at once."""


@dataclass(frozen=True, slots=True)
class Member:
    """One training of a study: a run folder inside the study's, its seed, and the part that it does without."""

    run: str
    seed: int
    without: str | None = None


def new_study(
    workspace: Workspace, preset: str, seeds: Sequence[int], ablate: Sequence[str] = (), **options: Any
) -> Path:
    """Make a study's folder, in it a run folder for each seed and for each part of ``ablate`` left out.

    ``options`` are those of :func:`baselines.runs.new_run`, the same for all.

    Raises
    ------
    PackedError
        The packed file is missing, or can't be trained on.
    UsageError
        The model has no such part.
    """
    if unknown := sorted(set(ablate) - set(PARTS)):
        raise UsageError(f"--ablate: the model has no part {unknown[0]!r}; its parts are {', '.join(PARTS)}")
    members = [Member(f"seed-{s}", s) for s in seeds]
    members += [Member(f"without-{part}-seed-{s}", s, part) for part in PARTS if part in ablate for s in seeds]
    folder = processes.on_first(free_folder)(workspace)
    for m in members:
        new_run(workspace, preset, m.seed, folder=folder / m.run, without=(m.without,) if m.without else (), **options)
    processes.on_first(_write_plan)(folder, members)  # last: a folder with a plan has all its runs
    return folder


def _write_plan(folder: Path, members: Sequence[Member]) -> None:
    with atomic_write(folder / PLAN) as part:
        part.write_text(json.dumps([asdict(m) for m in members], indent=2), encoding="utf-8")


def is_study(folder: Path) -> bool:
    """Whether the folder holds a study, not a single run."""
    return (folder / PLAN).is_file()


def run_study(folder: Path) -> dict[str, Any]:
    """Run what is not finished yet, from its last epoch on; write the study's ``metrics.json`` and return it.

    Raises
    ------
    PackedError
        The packed file is missing, or can't be trained on.
    UsageError
        ``folder`` is no study, or its packed file has changed since it began.
    """
    members = read_plan(folder)
    results = []
    for n, m in enumerate(members, 1):
        finished = read_metrics(folder / m.run)
        what = f"without {m.without}" if m.without else "whole model"
        tell(f"[bold]{n}/{len(members)}  {what}, seed {m.seed}[/]{': finished before' if finished else ''}")
        begun = (folder / m.run / "last_checkpoint").is_file()
        results.append(finished or run(folder / m.run, resume=begun))
    metrics = gather(members, results)
    if processes.is_first():
        write_metrics(folder, metrics)
    return metrics


def read_plan(folder: Path) -> list[Member]:
    """The trainings of a study. Raises UsageError where the folder is none."""
    try:
        return [Member(**m) for m in json.loads((folder / PLAN).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as e:
        raise UsageError(f"{folder}: no study to go on with ({e}); start one with: fdpose benchmark hpmcr") from e


def read_metrics(folder: Path) -> dict[str, Any] | None:
    """``metrics.json`` of a run or a study; None where it is not finished."""
    path = folder / "metrics.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def gather(members: Sequence[Member], results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The metrics of a study.

    Returns
    -------
    ``rows``, one a training; ``mean`` and ``spread`` (standard deviation, n - 1) of each metric
    over the seeds of the whole model; ``exemplar_mean``, the same means of the naive
    predictor; ``ablation``, a row a part left out: ``mean``, ``spread``, and ``difference``, the mean
    over seeds of what leaving it out changes. What is no number is left out of a mean; ``spread`` is None
    for a single seed.
    """
    rows = [
        asdict(m) | {k: r[k] for k in (*METRICS, "epoch", "parameters", "seconds", "exemplar_mean")}
        for m, r in zip(members, results, strict=True)
    ]
    whole = {row["seed"]: row for row in rows if row["without"] is None}
    parts = dict.fromkeys(row["without"] for row in rows if row["without"])
    naive = _means(row["exemplar_mean"] for row in whole.values())
    first = results[0]
    return {
        **{k: first[k] for k in COMMON},
        "seeds": list(whole),
        "mean": _means(whole.values()),
        "spread": _spreads(whole.values()),
        "exemplar_mean": {k: v for k, v in naive.items() if k in first["exemplar_mean"]},
        "seconds": round(sum(row["seconds"] for row in rows), 1),
        "rows": rows,
        "ablation": [_ablated(part, [row for row in rows if row["without"] == part], whole) for part in parts],
    }


def _ablated(part: str, rows: Sequence[Mapping[str, Any]], whole: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    changes = [
        {k: row[k] - whole[row["seed"]][k] for k in METRICS if None not in (row[k], whole[row["seed"]][k])}
        for row in rows
    ]
    return {
        "without": part,
        "mean": _means(rows),
        "spread": _spreads(rows),
        "difference": _means(changes),
        "parameters": rows[0]["parameters"],
    }


def _values(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {k: [] for k in METRICS}
    for row in rows:
        for k in METRICS:
            if row.get(k) is not None and math.isfinite(row[k]):
                values[k].append(row[k])
    return values


def _means(rows: Iterable[Mapping[str, Any]]) -> dict[str, float | None]:
    return {k: statistics.fmean(v) if v else None for k, v in _values(rows).items()}


def _spreads(rows: Iterable[Mapping[str, Any]]) -> dict[str, float | None]:
    return {k: statistics.stdev(v) if len(v) > 1 else None for k, v in _values(rows).items()}
