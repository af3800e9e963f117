"""The table of what can be predicted without a picture, for a split: figures, intervals, kinds of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from baselines.blind.predictors import BLIND, Blind, Scores
from baselines.runs.metrics import percentile_interval, relative_l2, spearman
from finediving_pose.clip import Clip
from finediving_pose.errors import LabelError
from finediving_pose.labels.splits import split_by

RESAMPLES = 1000
EVENT_SEEDS = (0, 1, 2, 3, 4)
"""Seeds of the splits by event whose figures are averaged."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class BlindRow:
    """The figures of one predictor on one split.

    Attributes
    ----------
    title, knows : the predictor and what it goes by
    rho, r_l2_x100 : as in every table (:mod:`baselines.runs.metrics`); None where it predicts nothing
    rho_interval, r_l2_interval : 95 %, over the videos of the test dives; for several splits lowest and highest
    individual, synchronised : rho among the test dives of each kind
    r_l2_without_failed : R-l2 x 100 without failed dives (score 0), which set the range of scores
    """

    title: str
    knows: str
    rho: float | None = None
    r_l2_x100: float | None = None
    rho_interval: Interval | None = None
    r_l2_interval: Interval | None = None
    individual: float | None = None
    synchronised: float | None = None
    r_l2_without_failed: float | None = None


def blind_rows(clips: Sequence[Clip], seed: int = 0, resamples: int = RESAMPLES) -> list[BlindRow]:
    """What every predictor gets on the clips' own split, the floor of a table on that split.

    With ``resamples`` 0 there are no intervals.

    Raises
    ------
    LabelError
        There are no training or no test dives with number, difficulty and score.
    """
    scored = [c for c in clips if c.action_type and c.difficulty is not None and c.dive_score is not None]
    train, test = ([c for c in scored if c.split == split] for split in ("train", "test"))
    if not train or not test:
        raise LabelError(
            f"{len(train)} training and {len(test)} test dives have number, difficulty and score; both are needed:"
            " fdpose extract --labels DIR, or fdpose split"
        )
    return [_row(blind, train, test, seed, resamples) for blind in BLIND]


def blind_rows_by_event(clips: Sequence[Clip]) -> list[BlindRow]:
    """The same on splits by event: means over five splits, with the lowest and highest instead of intervals."""
    splits = [blind_rows(split_by("event", clips, 0.25, seed), seed, resamples=0) for seed in EVENT_SEEDS]
    return [_mean(rows) for rows in zip(*splits, strict=True)]


def _row(blind: Blind, train: Sequence[Clip], test: Sequence[Clip], seed: int, resamples: int) -> BlindRow:
    predicted = blind.predict(train, test, np.random.default_rng(seed))
    row = BlindRow(blind.title, blind.knows)
    if predicted is None:
        return row
    truth = np.array([c.dive_score or 0.0 for c in test])
    pair = np.array([bool(c.synchronised) for c in test])
    videos = [c.key.video for c in test]
    rho, r_l2 = _over_videos(truth, predicted, videos, seed, resamples) if resamples else (None, None)
    return replace(
        row,
        rho=_number(spearman(truth, predicted)),
        r_l2_x100=relative_l2(truth, predicted),
        rho_interval=rho,
        r_l2_interval=r_l2,
        individual=_number(spearman(truth[~pair], predicted[~pair])),
        synchronised=_number(spearman(truth[pair], predicted[pair])),
        r_l2_without_failed=relative_l2(truth[truth > 0], predicted[truth > 0]),
    )


def _over_videos(
    truth: Scores, predicted: Scores, videos: Sequence[str], seed: int, resamples: int
) -> tuple[Interval | None, Interval]:
    """95 % intervals of rho and R-l2 by the bootstrap over videos, since dives of one video are alike.

    The range of scores stays that of all test dives, or R-l2 would jump with the one failed dive.
    """
    rng = np.random.default_rng(seed)
    names, of = np.unique(videos, return_inverse=True)
    members: list[NDArray[np.int64]] = [np.flatnonzero(of == i) for i in range(len(names))]
    error = 100 * ((predicted - truth) / np.ptp(truth)) ** 2
    rhos, errors = [], []
    for _ in range(resamples):
        chosen = np.concatenate([members[i] for i in rng.integers(len(names), size=len(names))])
        rhos.append(spearman(truth[chosen], predicted[chosen]))
        errors.append(float(error[chosen].mean()))
    return percentile_interval(rhos) if np.isfinite(rhos).any() else None, percentile_interval(errors)


def _mean(rows: Sequence[BlindRow]) -> BlindRow:
    """Means over splits, with lowest and highest."""

    def values(name: str) -> list[float]:
        return [v for row in rows if (v := getattr(row, name)) is not None]

    def mean(name: str) -> float | None:
        return float(np.mean(values(name))) if values(name) else None

    def span(name: str) -> Interval | None:
        return (min(values(name)), max(values(name))) if values(name) else None

    return replace(
        rows[0],
        rho=mean("rho"),
        r_l2_x100=mean("r_l2_x100"),
        rho_interval=span("rho"),
        r_l2_interval=span("r_l2_x100"),
        individual=mean("individual"),
        synchronised=mean("synchronised"),
        r_l2_without_failed=mean("r_l2_without_failed"),
    )


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


HEAD = ("without a look at the dive", "goes by", "rho", "R-l2 x 100", "individual", "synchronised", "no failed dive")


def as_markdown(rows: Sequence[BlindRow]) -> str:
    """The rows as a table: rho and R-l2 with their intervals, rho by kind of event, R-l2 without failed dives."""
    lines = [f"| {' | '.join(HEAD)} |", "|---|---|" + "---:|" * (len(HEAD) - 2)]
    for r in rows:
        cells = (
            r.title,
            r.knows,
            _with(r.rho, r.rho_interval, 3),
            _with(r.r_l2_x100, r.r_l2_interval, 2),
            _with(r.individual, None, 3),
            _with(r.synchronised, None, 3),
            _with(r.r_l2_without_failed, None, 2),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _with(value: float | None, interval: Interval | None, digits: int) -> str:
    if value is None:
        return "-"
    within = f" ({interval[0]:.{digits}f} to {interval[1]:.{digits}f})" if interval else ""
    return f"{value:.{digits}f}{within}"
