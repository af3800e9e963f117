"""How a flight ends: the diver touches the water, leaves the picture, or is still in the air when the clip ends.

Joints under water are not seen, so the confidence of the joints falls as the body goes in. It also falls where the
diver leaves the picture and where the estimator loses the diver. Those are told apart by what is seen: a diver who
goes under was seen well, the lowest joints vanish first and inside the picture, and nobody is seen again.

All times are on the axis that is given, seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finediving_pose.kinematics.angles import pair_angle
from finediving_pose.kinematics.diver import EDGE, Diver
from finediving_pose.kinematics.flight import HIGHEST, HIGHEST_RISE, longest_flight, speed_at_touch
from finediving_pose.kinematics.readings import Reason, Value

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

SINKING = 0.3
"""Seconds from the touch until a diver is gone."""

SHORT = 0.08
"""Seconds over which confidences are averaged where a single frame says too little."""

WELL_SEEN = 0.5
"""Share of the dive's high confidences that there is at the touch: who is hardly seen before is lost, not under."""

SEEN_AGAIN = 0.65
"""Share of the confidence before the fall from which on a diver is seen again after it. Of divers under water, up to
0.4 is left for a moment."""

LOWER = 0.2
"""Trunk lengths by which joints that vanish in the water lie below those that are still seen."""

INSIDE, INSIDE_LATE = 0.55, 0.6
"""Share of what vanishes as the confidence falls that does so inside the picture, where the water is seen; and, where
hands or head were at the edge, of what vanishes then."""

QUARTER, LONGEST_BODY = 0.25, 2.0
"""Share of the confidence that is left when this many metres more have gone under, at most: what takes longer is no
body that sinks."""

UNFOLDED = 110.0
"""Degrees that the hips bend at the touch, at most: who is still in the tuck or pike left the picture in the air.
The numbers from WELL_SEEN on were chosen on 128 films of 64 synthetic dives, wide, upright, cut at the sides, and cut
above the water; INSIDE_LATE also on those that the error bars come from."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a flight ends.

    Attributes
    ----------
    touch : when the first part of the body touches the water, seconds, or why that is not known
    until : how long the flight is seen: to the touch, the edge of the picture, the last frame of a clip that ends in
        the air, or, after a known take-off, to where the diver is lost; else None
    """

    touch: Value
    until: float | None


def find_ending(
    diver: Diver, times: NDArray[np.float64], height: float | None = None, take_off: float | None = None
) -> Ending:
    """Find the touch, or why there is none.

    Parameters
    ----------
    height : of the platform, metres, None where unknown
    take_off : where it is known, the touch is looked for only when a fall from the platform can end
    """
    fall = _largest_fall(diver, times, height, take_off)
    if fall is None:
        until = _last_in_air(diver, times)
        return Ending(Value.missing(Reason.NO_TOUCH if until is None else Reason.ENTRY_NOT_FILMED), until)
    speed = speed_at_touch(USUAL_HEIGHT if height is None else height, USUAL_RISE)
    moment = fall.time - UNDER / speed
    if _leaves_picture(diver, times, fall):
        return Ending(Value.missing(Reason.AT_EDGE), fall.time)
    if not (_is_seen_well(diver, times, moment) and _goes_under(diver, times, fall, LONGEST_BODY / speed)):
        return Ending(Value.missing(Reason.NO_TOUCH), None if take_off is None else fall.time)
    return Ending(Value(moment), moment)


def sureness(diver: Diver) -> NDArray[np.float64]:
    """Mean confidence (n,) of the 16 joints; what is absent or occluded counts as 0."""
    return _seen(diver).mean(1)


def _seen(diver: Diver) -> NDArray[np.float64]:
    """Confidence (n, 16); 0 of what is absent or occluded."""
    seen = ~np.isin(diver.reason, (Reason.NO_POSE, Reason.NO_JOINT, Reason.HIDDEN))
    return np.where(seen, diver.confidence, 0.0)


@dataclass(frozen=True, slots=True)
class _Fall:
    """A fall of the mean confidence: the last frame before it has fallen half-way, when it has, what it was before."""

    frame: int
    time: float
    before: float


def _largest_fall(
    diver: Diver, times: NDArray[np.float64], height: float | None, take_off: float | None
) -> _Fall | None:
    """Where the mean confidence falls most from before to after a frame.

    None where it falls by less than :data:`SMALLEST_FALL`, or where more than :data:`GONE` of it is left: the body
    under water is not seen until it comes up (:data:`SUBMERGED`) or the clip ends.
    """
    n, sure = len(diver), sureness(diver)
    wide = _frames(times, AROUND, least=2)
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
    time = times[i] + (sure[i] - half) / (sure[i] - sure[i + 1]) * (times[i + 1] - times[i])
    return _Fall(i, float(time), was)


def _frames(times: NDArray[np.float64], seconds: float, least: int = 1) -> int:
    return max(least, round(seconds / float(np.median(np.diff(times))))) if len(times) > 1 else least


def _lost(diver: Diver, times: NDArray[np.float64], fall: _Fall) -> NDArray[np.float64]:
    """By how much the confidence of each joint (16,) falls."""
    seen, short = _seen(diver), _frames(times, SHORT)
    before = seen[max(fall.frame + 1 - _frames(times, AROUND), 0) : fall.frame + 1].max(0)
    return np.maximum(before - seen[fall.frame + 1 : fall.frame + 1 + short].mean(0), 0.0)


def _leaves_picture(diver: Diver, times: NDArray[np.float64], fall: _Fall) -> bool:
    """Whether the body vanishes at the edge of the picture: most of what vanishes first, and much of what follows."""
    if diver.picture is None:
        return False
    lost, kept = _lost(diver, times, fall), _seen(diver)[fall.frame + 1]
    if _share_inside(diver, times, fall, lost, SHORT) >= INSIDE:
        return False
    return _share_inside(diver, times, fall, kept, SINKING) < INSIDE_LATE


def _share_inside(
    diver: Diver, times: NDArray[np.float64], fall: _Fall, weight: NDArray[np.float64], within: float
) -> float:
    """Share of the joints, by their weights (16,), that vanish inside the picture within some seconds after the fall.

    Where an estimator puts a joint that it does not see says nothing: its last place that was seen is taken, moved on
    as it moved last.
    """
    seen, step = _seen(diver), _frames(times, SHORT / 2)
    first = max(fall.frame + 1 - _frames(times, AROUND), 0)
    end = fall.frame + 1 + _frames(times, within)
    inside = np.zeros(len(weight))
    for joint in np.flatnonzero(weight):
        enough = seen[first:end, joint] >= 0.5 * seen[first:end, joint].max()
        i = first + int(np.flatnonzero(enough)[-1])
        place, earlier = diver.keypoints[i, joint], diver.keypoints[max(i - step, 0), joint]
        moved = np.where(np.isfinite(earlier), place - earlier, 0.0)
        near = 0.0 if diver.by_hand[i, joint] else EDGE
        inside[joint] = not diver.is_at_edge(place + moved, near)
    return float((weight * inside).sum() / max(weight.sum(), 1e-9))


def _is_seen_well(diver: Diver, times: NDArray[np.float64], moment: float) -> bool:
    """Whether the diver is seen well at a moment, out of the tuck or pike."""
    sure = sureness(diver)
    near = np.abs(times - moment) <= max(SHORT / 2, float(np.median(np.diff(times)))) + 1e-9
    hip = pair_angle(diver, "hip")
    folded = (near & hip.measured).any() and np.median(hip.values[near & hip.measured]) > UNFOLDED
    return not folded and bool(sure[near].mean() >= WELL_SEEN * np.quantile(sure[sure > 0], 0.9))


def _goes_under(diver: Diver, times: NDArray[np.float64], fall: _Fall, longest: float) -> bool:
    """Whether the diver vanishes from below, in so many seconds from the half-way on at most, and is not seen again."""
    sure, short = sureness(diver), _frames(times, SHORT)
    later = sure[fall.frame + 1 : int(np.searchsorted(times, times[fall.frame] + SUBMERGED))]
    gone = np.flatnonzero(later < QUARTER * fall.before)
    last_seen = fall.frame + (int(gone[0]) if len(gone) else len(later))
    if times[last_seen] - fall.time > longest:
        return False
    later = later[short:]
    if len(later) >= short and np.convolve(later, np.full(short, 1 / short), "valid").max() > SEEN_AGAIN * fall.before:
        return False
    lost, kept = _lost(diver, times, fall), _seen(diver)[fall.frame : fall.frame + short].mean(0)
    y = diver.keypoints[fall.frame, :, 1]
    there = np.isfinite(y)
    lower = np.average(y[there], weights=lost[there] + 1e-9) - np.average(y[there], weights=kept[there] + 1e-9)
    return bool(lower >= LOWER * diver.trunk)


def _last_in_air(diver: Diver, times: NDArray[np.float64]) -> float | None:
    """The last frame's time, seconds, of a clip without a touch, where the diver is still seen then: as sure as ever,
    but for what bending and turning take (:data:`GONE`). None where the diver is lost before."""
    sure = sureness(diver)
    if not (sure > 0).any():
        return None
    late = sure[times >= times[-1] - AROUND]
    return float(times[-1]) if late.mean() > GONE * np.median(sure[sure > 0]) and late[-1] > 0 else None
