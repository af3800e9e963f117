"""When a dive's moments are: take-off, touch, the closest tuck or pike, and when the body opens again.

All times are on the axis that is given, seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from finediving_pose.kinematics.diver import Diver
from finediving_pose.kinematics.flight import longest_flight, speed_at_touch
from finediving_pose.kinematics.readings import Reason, Series

AROUND = 0.2
"""Seconds before and after the touch whose confidences are compared."""

SMALLEST_FALL = 0.12
"""By how much the mean confidence falls at least as a diver goes under."""

GONE = 0.5
"""Share of the mean confidence that is left at most of a diver who went under: who bends, turns or leaves the platform
loses a third of it, who is under water loses more than two thirds (development dives of one diver)."""

SUBMERGED = 1.0
"""Seconds after the touch in which no diver comes up again."""

UNDER = 0.88
"""Metres of the body that are under water where the confidence has fallen half-way; chosen on 62 synthetic divers other
than those that the error bars come from."""

USUAL_RISE = 1.0
"""Metres that a diver rises above the platform, for the speed at touch."""

USUAL_HEIGHT = 5.0
"""Metres, for the speed at touch where the platform's height is not known: between 3 and 10 it is wrong by 0.02 s."""

HIGHEST, HIGHEST_RISE = 10.0, 2.0
"""Metres: no platform is higher, no diver rises further above one."""

SINKING = 0.3
"""Seconds from the touch until a diver is gone."""

LONGEST_BLINK = 3
"""Frames without the hips, between two with them, through which the come-out is read."""

CLOSED = 70.0
"""Degrees of hip flexion from which on a body is in a tuck or pike."""

REACHED = 15.0
"""Degrees: a tuck or pike is held with its flexion within this of the closest."""


def sureness(diver: Diver) -> NDArray[np.float64]:
    """Mean confidence (n,) of the 16 joints; what is absent or occluded counts as 0."""
    seen = ~np.isin(diver.reason, (Reason.NO_POSE, Reason.NO_JOINT, Reason.HIDDEN))
    return np.where(seen, diver.confidence, 0.0).mean(1)


def touch(
    diver: Diver, times: NDArray[np.float64], height: float | None = None, take_off: float | None = None
) -> float | None:
    """When the first part of the body touches the water, seconds; None where it is not seen.

    Joints under water are not seen. Of all frames, the mean confidence falls most from before to after the one in which
    the diver goes under; the touch is where it has fallen half-way, less the time that :data:`UNDER` metres of the body
    take to go in. None where it falls by less than :data:`SMALLEST_FALL`, or where more than :data:`GONE` of it is
    left: the body under water is not seen until it comes up (:data:`SUBMERGED`) or the clip ends.

    Parameters
    ----------
    height : of the platform, metres, None where unknown
    take_off : where it is known, the touch is looked for only when a fall from the platform can end
    """
    n, sure = len(diver), sureness(diver)
    wide = max(2, round(AROUND / float(np.median(np.diff(times))))) if n > 1 else 2
    total = np.concatenate([[0.0], np.cumsum(sure)])
    last = np.arange(wide - 1, n - 2)  # before the fall; two frames are left after it
    if take_off is not None:
        earliest = take_off + longest_flight(height or 0.0, 0.0)
        latest = take_off + longest_flight(height or HIGHEST, HIGHEST_RISE) + SINKING
        last = last[(times[last] >= earliest) & (times[last] <= latest)]
    if not len(last):
        return None
    end = np.minimum(last + 1 + wide, n)
    before = (total[last + 1] - total[last + 1 - wide]) / wide
    after = (total[end] - total[last + 1]) / (end - last - 1)
    later = np.searchsorted(times, times[last + 1] + SUBMERGED).clip(end, n)
    left = np.maximum(after, (total[later] - total[last + 1]) / (later - last - 1))
    fallen_by = np.where(left <= GONE * before, before - after, 0.0)
    most = int(fallen_by.argmax())
    if fallen_by[most] < SMALLEST_FALL:
        return None
    at = int(last[most])
    was = float(np.quantile(sure[at + 1 - wide : at + 1], 0.8))
    half = (was + float(after[most])) / 2
    i = min(at + wide, n - 2)
    while i > at - wide and i > 0 and sure[i] < half:
        i -= 1
    if sure[i] < half or sure[i + 1] >= half:
        return None
    fallen = times[i] + (sure[i] - half) / (sure[i] - sure[i + 1]) * (times[i + 1] - times[i])
    return float(fallen - UNDER / speed_at_touch(USUAL_HEIGHT if height is None else height, USUAL_RISE))


def last_in_air(diver: Diver, times: NDArray[np.float64]) -> float | None:
    """The last frame's time, seconds, of a clip without a touch, where the diver is still seen then: as sure as ever,
    but for what bending and turning take (:data:`GONE`). None where the diver is lost before."""
    sure = sureness(diver)
    if not (sure > 0).any():
        return None
    late = sure[times >= times[-1] - AROUND]
    return float(times[-1]) if late.mean() > GONE * np.median(sure[sure > 0]) and late[-1] > 0 else None


def labelled_take_off(stage_starts: Sequence[int], times: NDArray[np.float64]) -> float | None:
    """When the second stage begins, halfway between its first frame and the one before; None without stages."""
    first = stage_starts[0] if stage_starts else 0
    return float(times[first - 1 : first + 1].mean()) if 0 < first < len(times) else None


def closure(hip: Series, times: NDArray[np.float64], take_off: float, touch: float) -> tuple[float, float] | None:
    """The closest tuck or pike in flight: hip flexion, degrees, and the moment from which on the hips are within
    :data:`REACHED` of it; None where the body does not close.

    The flexion is a running median of three measured frames, so that one wrong pose is no closure.
    """
    flight = np.flatnonzero(hip.measured & (times >= take_off) & (times <= touch))
    if len(flight) < 3:
        return None
    values = hip.values[flight]
    middle = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    closest = float(middle.max())
    reached = int(np.argmax(middle >= closest - REACHED))
    return (closest, float(times[flight[reached + 1]])) if closest >= CLOSED else None


def come_out(hip: Series, times: NDArray[np.float64], closed: tuple[float, float], touch: float) -> float | None:
    """When the hips are half open again: the last time before the touch at which their flexion falls below half of
    the closure's. None where the hips are not seen around it, or not open by the touch.

    Parameters
    ----------
    closed : flexion and moment of the closure, see :func:`closure`
    """
    half = closed[0] / 2
    seen = np.flatnonzero(hip.measured & (times >= closed[1]) & (times <= touch))
    above = np.flatnonzero(hip.values[seen] >= half)
    if not len(above) or above[-1] + 1 >= len(seen):
        return None
    i, j = seen[above[-1]], seen[above[-1] + 1]
    if j - i > LONGEST_BLINK + 1:
        return None
    share = (hip.values[i] - half) / (hip.values[i] - hip.values[j])
    return float(times[i] + share * (times[j] - times[i]))
