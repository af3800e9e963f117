"""Faults that were told, against the truth of synthetic dives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.scorer.run import ScoredDive
from finediving_pose.documents import read_json
from finediving_pose.errors import LabelError
from finediving_pose.kinematics.words import in_words
from finediving_pose.synth.faults import COST, UNITS

FEWEST = 3
"""Dives below which nothing is said of a fault."""


@dataclass(frozen=True, slots=True)
class FaultFigures:
    """How well a fault was told; sizes without their signs, as a network estimates them.

    Attributes
    ----------
    name : with its unit, ``rotation_deg``
    dives : dives that have the fault
    told : those of them of which it was told
    source : ``measured`` or ``estimated``, as most of them were; empty where it was told of none
    correlation : Pearson's, over these; NaN where they are too few
    correlation_all : over all dives of which it was told, also those that do not have it: a twist is easily told where
        there is none
    median_error : of the size, over these, in the fault's unit
    """

    name: str
    dives: int
    told: int
    source: str
    correlation: float
    correlation_all: float
    median_error: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON: None for NaN."""
        return {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in asdict(self).items()}


def read_true_faults(path: Path) -> dict[str, dict[str, float]]:
    """Faults by ``video/index`` and name, from ``truth/dives.json`` of ``fdpose synth``. Raises LabelError."""
    content = read_json(path, LabelError)
    try:
        return {
            f"{d['video']}/{d['index']}": {name: float(d["faults"][name]) for name in COST} for d in content["dives"]
        }
    except (ValueError, KeyError, TypeError) as e:
        raise LabelError(
            f"{path}: no dives with faults ({type(e).__name__}: {e}); name truth/dives.json of fdpose synth"
        ) from e


def compare_faults(dives: Sequence[ScoredDive], truth: Mapping[str, Mapping[str, float]]) -> list[FaultFigures]:
    """Figures of every fault over the dives whose truth is known, in the order of COST."""
    known = [dive for dive in dives if str(dive.score.clip.key) in truth]
    return [_figures(stem, known, truth) for stem in COST]


def figures_in_lines(figures: Sequence[FaultFigures]) -> Iterator[str]:
    """A table for a terminal."""
    rows = [("fault", "told of", "how", "correlation", "over all", "median error")]
    for f in figures:
        words, unit = in_words(f.name)
        unit = "" if unit == "of the picture" else unit
        error = f"{f.median_error:.2f} {unit}".rstrip() if f.told else ""
        rows.append((words, f"{f.told} of {f.dives}", f.source, _two(f.correlation), _two(f.correlation_all), error))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield " ".join(cell.ljust(width + 1) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield "correlation with the true size over the dives that have the fault; over all: also over those that do not"


def _two(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"


def _figures(stem: str, dives: Sequence[ScoredDive], truth: Mapping[str, Mapping[str, float]]) -> FaultFigures:
    name = f"{stem}_{UNITS[stem]}"
    true = np.array([abs(truth[str(dive.score.clip.key)][stem]) for dive in dives])
    found = [next((f for f in dive.faults if f.name == name and f.value is not None), None) for dive in dives]
    told = np.array([np.nan if f is None else abs(f.value or 0.0) for f in found])
    sources = Counter(f.source for f in found if f is not None)
    has, seen = true > 0, np.isfinite(told)
    error = float(np.median(np.abs(told - true)[has & seen])) if (has & seen).any() else float("nan")
    return FaultFigures(
        name, int(has.sum()), int((has & seen).sum()), max(sources, key=lambda s: sources[s], default=""),
        _correlation(told[has & seen], true[has & seen]), _correlation(told[seen], true[seen]), error,
    )  # fmt: skip


def _correlation(told: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    if len(told) < FEWEST or np.ptp(told) == 0 or np.ptp(true) == 0:
        return float("nan")
    return round(float(np.corrcoef(told, true)[0, 1]), 4)
