"""Two synchronised divers: how far one is behind the other, and how unlike they are at the same time.

The partners' person numbers are anybody's choice (person 0 is the one on the left where a machine found them).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finediving_pose.kinematics.readings import Series

LARGEST_LAG = 0.3
"""Seconds; divers of a pair are nearer to each other than this."""

_STEP = 0.002
FEWEST = 8
"""Frames in which both are seen that a lag is read from."""


def lag(first: Series, second: Series, times: NDArray[np.float64]) -> float:
    """By how many seconds the second diver turns later than the first; negative where earlier.

    The delay at which the second one's trunk angles lie nearest to the first one's (least squares; angles of the first
    diver between frames by straight lines). NaN where there is none: too few frames show both, they do not turn, or
    the best delay is beyond :data:`LARGEST_LAG`.

    Parameters
    ----------
    first, second : unwrapped angles of the trunks in flight, degrees
    times : float64 (n,), seconds
    """
    one, two = np.flatnonzero(first.measured), np.flatnonzero(second.measured)
    if len(one) < FEWEST or len(two) < FEWEST:
        return float("nan")
    turns = 360 * np.round(np.median(second.values[two]) / 360 - np.median(first.values[one]) / 360)
    delays = np.arange(-LARGEST_LAG, LARGEST_LAG + _STEP / 2, _STEP)
    apart = [_apart(first, second, times, one, two, d, turns) for d in delays.tolist()]
    best = int(np.nanargmin(apart)) if np.isfinite(apart).any() else 0
    return float(delays[best]) if 0 < best < len(delays) - 1 else float("nan")


def _apart(
    first: Series, second: Series, times: np.ndarray, one: np.ndarray, two: np.ndarray, delay: float, turns: float
) -> float:
    """Mean squared difference of the trunks, the second one ``delay`` earlier than filmed; NaN where few overlap."""
    then = times[two] - delay
    inside = (then >= times[one[0]]) & (then <= times[one[-1]])
    if inside.sum() < FEWEST:
        return float("nan")
    there = np.interp(then[inside], times[one], first.values[one])
    return float(np.square(second.values[two][inside] - turns - there).mean())


def mean_difference(
    first: Series, second: Series, within: NDArray[np.bool_], seen: float = 0.5, period: float | None = None
) -> float:
    """Mean absolute difference of two series over the frames ``within`` (n,) that show both.

    NaN where that is less than the share ``seen`` of those frames. ``period`` is 360 for angles that differ by whole
    turns.
    """
    both = first.measured & second.measured & within
    apart = (first.values - second.values)[both]
    if period:
        apart = (apart + period / 2) % period - period / 2
    return float(np.abs(apart).mean()) if len(apart) >= max(seen * within.sum(), 1) else float("nan")
