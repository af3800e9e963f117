"""How the trunk turns: its angle without jumps of a whole turn, its rate, and how many half somersaults that makes.

The somersault is the turn about a level axis through the centre of mass, beside the twist about the body's own long
axis and the tilt of that axis (Yeadon, "Learning how to twist fast", ISBS 1999). We read it off the trunk: where hips
bend and open the trunk turns faster or slower than the body as a whole, but over a whole dive both turn alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finediving_pose.kinematics.readings import Reason, Series

FASTEST = 2500.0
"""Degrees a second. A trunk that turns faster is taken for a wrong pose: synthetic dives reach 2400 for a moment, as
hips open; a pose upside down for one frame of 25 a second makes 4500."""

LONGEST_GAP = 0.2
"""Seconds without a trunk that the rotation is followed through, at the rate of the frames before."""

RATE_WINDOW = 0.08
"""A rate is the slope of the angle over so many seconds before and after."""

_STEPS = 3
_BLOCK = 256  # frames whose rates are computed at once: the memory of a long clip stays small


def unwrap(angle: Series, times: NDArray[np.float64] | None) -> Series:
    """The angle (n,) without jumps of 360 degrees, as it continues from frame to frame.

    A frame is taken to have turned as the frames before it did: of all angles that differ by whole turns, the nearest
    to that is chosen. So gaps of up to :data:`LONGEST_GAP` are bridged where ``times`` are known, and none where they
    are not. Frames that would have turned faster than :data:`FASTEST` are left out as unsure. Where a gap is longer,
    only the longest stretch without one is kept: how often the body turned in between is not known.

    Parameters
    ----------
    angle : degrees, in (-180, 180]
    times : float64 (n,), seconds of the frames, increasing; None where unknown
    """
    time = np.arange(len(angle.values), dtype=float) if times is None else times
    longest = 1.0 if times is None else LONGEST_GAP
    values, reason = np.full(len(time), np.nan), angle.reason.copy()
    stretches: list[list[int]] = []
    for j in np.flatnonzero(angle.measured).tolist():
        last = stretches[-1] if stretches else []
        gap = time[j] - time[last[-1]] if last else np.inf
        if not last or (gap > longest and j > last[-1] + 1):
            stretches.append([j])
            values[j] = angle.values[j]
            continue
        before = last[-1 - min(_STEPS, len(last) - 1)]
        expected = 0.0
        if before != last[-1]:
            expected = gap * (values[last[-1]] - values[before]) / (time[last[-1]] - time[before])
        step = angle.values[j] - values[last[-1]]
        step += 360 * round((expected - step) / 360)
        if times is not None and abs(step) > FASTEST * gap:
            reason[j] = Reason.UNSURE
            continue
        values[j] = values[last[-1]] + step
        last.append(j)
    kept = max(stretches, key=len, default=[])
    for stretch in stretches:
        if stretch is not kept:
            reason[stretch] = Reason.GAP
    return Series(values, reason)


def rate(angle: Series, times: NDArray[np.float64] | None) -> Series:
    """Slope (n,) of an unwrapped angle, degrees a second, from three measured frames or more around each."""
    n = len(angle.values)
    if times is None:
        return Series.missing(n, Reason.TIMES_UNKNOWN)
    there = np.flatnonzero(angle.measured)
    slopes, reason = np.full(n, np.nan), angle.reason.copy()
    for start in range(0, len(there), _BLOCK):
        block = there[start : start + _BLOCK]
        around = there[np.abs(times[there] - times[block].mean()) <= np.ptp(times[block]) + RATE_WINDOW + 1e-9]
        slope, count = _slopes(times[block], times[around], angle.values[around])
        slopes[block] = slope
        reason[block[count < 3]] = Reason.GAP
    return Series(slopes, reason)


def _slopes(at: np.ndarray, time: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (m,) of the straight lines through the points (time, value) around each of ``at`` (m,), and how many."""
    near = np.abs(time - at[:, None]) <= RATE_WINDOW + 1e-9
    count = near.sum(1)
    off = np.where(near, time - (near @ time / count)[:, None], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return off @ value / np.square(off).sum(1), count


def value_at(series: Series, times: NDArray[np.float64], moment: float, before: float, after: float) -> float:
    """Value at a moment, by a straight line through the measured frames near it; NaN where fewer than two are near.

    Parameters
    ----------
    before, after : how far from the moment frames may be, in the unit of ``times``
    """
    near = series.measured & (times >= moment - before - 1e-9) & (times <= moment + after + 1e-9)
    if near.sum() < 2:
        return float("nan")
    slope, level = np.polyfit(times[near] - moment, series.values[near], 1)
    return float(level) if np.isfinite(slope) else float("nan")


WHOLE = 1 / 3
"""Half turns by which a turn may be off a whole number of them: divers leave and enter a little tilted, and no more."""


def half_turns(turned: float) -> int | None:
    """Half somersaults that a turn of the trunk, degrees from take-off to touch, amounts to; None where it is between
    two numbers of them."""
    halves = abs(turned) / 180
    return round(halves) if abs(halves - round(halves)) <= WHOLE else None
