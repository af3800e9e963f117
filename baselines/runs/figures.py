"""The figures of scored dives: each metric, its interval, and the same of the baseline that knows only exemplars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from baselines.runs.metrics import average_iou, interval, l2, pairs_in_order, relative_l2, spearman
from baselines.runs.predictions import Prediction


@dataclass(frozen=True, slots=True)
class Figures:
    """One value of each metric of :mod:`baselines.runs.metrics`; None where it can't be computed.

    Attributes
    ----------
    rho, r_l2_x100, l2 : over all test dives
    same_number_in_order : share of pairs of test dives with the same dive number that are put in the right order (0.5
        by chance); what is known beyond the dive number
    aiou_50, aiou_75 : percent; None where no transitions are predicted or labelled
    """

    rho: float | None = None
    r_l2_x100: float | None = None
    l2: float | None = None
    same_number_in_order: float | None = None
    aiou_50: float | None = None
    aiou_75: float | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value is not None and not math.isfinite(value):
                object.__setattr__(self, name, None)


NAMES = tuple(f.name for f in fields(Figures))

Interval = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Scores:
    """What is said of scored dives.

    Attributes
    ----------
    figures : of the predictions
    intervals : 95 %, bootstrap over the dives, by metric
    exemplars_mean : figures of predicting the mean score of each dive's exemplars, the baseline
    matched_by_difficulty : dives whose exemplars have another dive number, see ``--exemplar-fallback``
    """

    figures: Figures
    intervals: dict[str, Interval]
    exemplars_mean: Figures
    matched_by_difficulty: int


def compute_figures(predictions: Sequence[Prediction]) -> Figures:
    """Each metric of scored dives, without its interval."""
    return Figures(**{name: metric(*values) for name, (metric, values) in _metrics(predictions).items()})


def measure(predictions: Sequence[Prediction]) -> Scores:
    """All figures of scored dives."""
    truth = [p.true_score for p in predictions]
    naive = [p.exemplar_mean for p in predictions]
    number = _numbers(predictions)
    return Scores(
        compute_figures(predictions),
        {name: finite(*interval(metric, *values)) for name, (metric, values) in _metrics(predictions).items()},
        Figures(
            spearman(truth, naive), relative_l2(truth, naive), l2(truth, naive), pairs_in_order(truth, naive, number)
        ),
        sum(p.matched_by == "difficulty" for p in predictions),
    )


def _metrics(predictions: Sequence[Prediction]) -> dict[str, tuple[Callable[..., float], tuple[ArrayLike, ...]]]:
    """Functions of :mod:`baselines.runs.metrics`, and the columns that each takes."""
    truth = [p.true_score for p in predictions]
    predicted = [p.predicted_score for p in predictions]
    number = _numbers(predictions)
    tiou = [p.tiou for p in predictions if p.true_transitions and p.predicted_transitions]
    return {
        "rho": (spearman, (truth, predicted)),
        "r_l2_x100": (relative_l2, (truth, predicted)),
        "l2": (l2, (truth, predicted)),
        "same_number_in_order": (pairs_in_order, (truth, predicted, number)),
        "aiou_50": (partial(average_iou, threshold=0.5), (tiou,)),
        "aiou_75": (partial(average_iou, threshold=0.75), (tiou,)),
    }


def _numbers(predictions: Sequence[Prediction]) -> np.ndarray:
    """A group a dive number, int64 (n,); a dive without a number is a group of its own."""
    return np.unique([p.action_type or str(p.dive) for p in predictions], return_inverse=True)[1]


def finite(low: float, high: float) -> Interval:
    """The interval; None twice where one of its ends is no number."""
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (None, None)
