"""The numbers that action quality assessment on FineDiving is compared by, and one that shows what lies behind them.

Each is computed over all test dives at once, on final scores in points, each dive's prediction
being the mean of its votes, as in arXiv 2501.03674 and the public code of HP-MCoRe and MCoRe. Where
a score over difficulty was regressed, it is multiplied by the difficulty first.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike


def spearman(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Spearman's rho: the correlation of the ranks of all test clips, ties sharing their mean rank.

    As in the paper: one rank correlation over the whole test split, dive numbers mixed, not a mean over
    dive numbers (and not averaged by Fisher's z over classes, as is the habit on AQA-7). NaN where
    either side is constant or there are fewer than two clips.
    """
    from scipy.stats import ConstantInputWarning, spearmanr

    truth, predicted = np.asarray(truth, float), np.asarray(predicted, float)
    if len(truth) < 2:
        return float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantInputWarning)
        return float(spearmanr(truth, predicted).statistic)  # type: ignore[attr-defined]


def relative_l2(truth: ArrayLike, predicted: ArrayLike) -> float:
    """R-l2 x 100: 100 x mean of ((prediction - truth) / (max - min of the true scores of the split))^2.

    As in the paper, whose tables print it times 100: the range is that of the true scores of the clips
    given, here the whole test split, so the figure of a part of it can't be compared with the
    figure of all. NaN where all true scores are equal.
    """
    truth, predicted = np.asarray(truth, float), np.asarray(predicted, float)
    span = np.ptp(truth) if len(truth) else 0.0
    return float(100 * np.mean(((predicted - truth) / span) ** 2)) if span > 0 else float("nan")


def l2(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Mean of (prediction - truth)^2, in squared points; the public code prints it, the paper's tables don't."""
    return float(np.mean((np.asarray(predicted, float) - np.asarray(truth, float)) ** 2))


def interval_iou(truth: ArrayLike, predicted: ArrayLike) -> np.ndarray:
    """Intersection over union of the intervals [t1, t2]: (n, 2) twice -> (n,), in [0, 1].

    As in the public code: of the stages only the middle one, between the two transitions, in frames among
    the T sampled ones. Lengths are t2 - t1, so two equal empty intervals have no overlap and count 0.
    """
    truth, predicted = np.asarray(truth, float), np.asarray(predicted, float)
    overlap = np.minimum(truth[:, 1], predicted[:, 1]) - np.maximum(truth[:, 0], predicted[:, 0])
    overlap = np.maximum(overlap, 0)
    union = np.ptp(truth, axis=1) + np.ptp(predicted, axis=1) - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def average_iou(overlaps: ArrayLike, threshold: float) -> float:
    """AIoU@threshold, percent: the share of clips whose middle interval overlaps the true one at least that much.

    As in the public code, where it is no average of overlaps, whatever the name. That code counts a test
    clip once for each of its votes, which gives the same number, since a clip's transitions don't depend
    on the exemplar. ``overlaps`` (n,) are the clips' values of :func:`interval_iou`; NaN where there are none.
    """
    overlaps = np.asarray(overlaps, float)
    return float(100 * np.mean(overlaps >= threshold)) if len(overlaps) else float("nan")


def pairs_in_order(truth: ArrayLike, predicted: ArrayLike, groups: Sequence[str] | np.ndarray) -> float:
    """Share of pairs of the same group that the prediction puts in the true order.

    Pairs of equal truth don't count, equal predictions count one half, so that chance
    is 0.5. NaN where there is no such pair.
    """
    truth, predicted, names = np.asarray(truth, float), np.asarray(predicted, float), np.asarray(groups)
    a, b = np.triu_indices(len(truth), 1)
    pairs = (names[a] == names[b]) & (truth[a] != truth[b])
    right = np.sign(truth[a] - truth[b]) * np.sign(predicted[a] - predicted[b])
    return float(np.mean((right[pairs] + 1) / 2)) if pairs.any() else float("nan")


def interval(metric: Callable[..., float], *columns: ArrayLike, seed: int = 0) -> tuple[float, float]:
    """95 % interval of a metric by the bootstrap over clips: percentiles of 1000 resamples (Efron, 1979).

    It says how far the figure would move with other test clips, not with other seeds of training. ``columns`` are
    what the metric takes, each (n,), a clip keeping its values together. Resamples in which the metric is no number
    are passed over; NaN twice where all are, or where there are fewer than three clips.
    """
    from scipy.stats import DegenerateDataWarning, bootstrap

    values = [np.asarray(c) for c in columns]
    if len(values[0]) < 3:
        return float("nan"), float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateDataWarning)  # all resamples alike: the interval is that value
        resampled = bootstrap(
            values, metric, paired=True, vectorized=False, n_resamples=1000, method="percentile",
            rng=np.random.default_rng(seed),
        ).bootstrap_distribution  # fmt: skip
    return percentile_interval(resampled)


def percentile_interval(values: ArrayLike) -> tuple[float, float]:
    """The interval of 95 % of the values, those passed over that are no numbers; NaN twice where there are none."""
    known = np.asarray(values)[np.isfinite(values)]
    low, high = np.percentile(known, (2.5, 97.5)) if len(known) else (np.nan, np.nan)
    return float(low), float(high)
