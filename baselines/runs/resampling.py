"""What a difference between two methods is worth: test dives and trainings are drawn again, for both alike.

A figure moves with the dives that are tested and with the seeds of training. Both are drawn anew a thousand times
(Efron, 1979): the dives once for all methods, so that differences are those on the same dives, the trainings for each
method by itself. A method that was trained once has nothing to draw, so its interval is of the dives alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from baselines.runs.figures import Interval, finite
from baselines.runs.metrics import percentile_interval

RESAMPLES = 1000
SAMPLED = ("rho", "r_l2_x100")
"""Figures that are compared, by their names in :class:`baselines.runs.figures.Figures`."""


@dataclass(slots=True)
class Resampling:
    """Test dives drawn again, with replacement.

    Parameters
    ----------
    truth : true scores of the dives (n,), points
    seed : of the draws
    """

    truth: np.ndarray
    seed: int = 0
    _drawn: np.ndarray = field(init=False, repr=False)
    _ranks: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n = len(self.truth)
        self._drawn = np.random.default_rng(self.seed).integers(0, n, (RESAMPLES, n))
        self._ranks = centred_ranks(self.truth[self._drawn])

    def means(self, trainings: Sequence[ArrayLike], row: str) -> dict[str, np.ndarray]:
        """Each figure of :data:`SAMPLED`, mean over the trainings, in every resample: (RESAMPLES,), NaN if undefined.

        Parameters
        ----------
        trainings : predicted scores (n,) of each training, in the order of the dives
        row : what tells the method from all others; each draws trainings of its own, whatever stands beside it
        """
        truth, span, count = self.truth[self._drawn], float(np.ptp(self.truth)), len(trainings)
        rng = np.random.default_rng((self.seed, zlib.crc32(row.encode())))
        chosen = rng.integers(0, count, (RESAMPLES, count)) if count > 1 else np.zeros((RESAMPLES, 1), int)
        predicted = [np.asarray(t, float)[self._drawn] for t in trainings]
        found = {"rho": rank_correlations(self._ranks, predicted), "r_l2_x100": relative_errors(truth, predicted, span)}
        rows = np.arange(RESAMPLES)[:, None]
        return {name: values.T[rows, chosen].mean(1) for name, values in found.items()}


def rank_correlations(ranks: np.ndarray, predicted: Sequence[np.ndarray]) -> np.ndarray:
    """Spearman's rho row by row: ranks of the truth (R, n), T predictions (R, n) -> (T, R); NaN for constant rows.

    ``ranks`` are those of :func:`centred_ranks`.
    """
    size = np.sqrt((ranks**2).sum(1))
    found = []
    for rows in predicted:
        own = centred_ranks(rows)
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append((ranks * own).sum(1) / (size * np.sqrt((own**2).sum(1))))
    return np.array(found)


def relative_errors(truth: np.ndarray, predicted: Sequence[np.ndarray], span: float) -> np.ndarray:
    """R-l2 x 100 row by row: truth (R, n), T predictions (R, n) -> (T, R); NaN where ``span`` is 0.

    ``span`` is the range of the true scores of all dives: that of a resample is never larger, so that it would make
    errors larger than they are.
    """
    square = span**2 if span > 0 else np.nan
    return np.array([100 * ((rows - truth) ** 2).mean(1) / square for rows in predicted])


def middle(values: np.ndarray) -> Interval:
    """The interval of 95 % of the values, those passed over that are no numbers; None twice where there are none."""
    return finite(*percentile_interval(values))


def centred_ranks(rows: np.ndarray) -> np.ndarray:
    """Ranks within each row (R, n), ties sharing their mean rank, less their mean."""
    from scipy.stats import rankdata

    ranks = rankdata(rows, axis=1)
    return ranks - ranks.mean(1, keepdims=True)
