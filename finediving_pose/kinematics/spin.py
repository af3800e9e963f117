"""The take-off by the turning of the body: nothing outside turns a diver in the air.

Before the take-off the board gives the body its angular momentum; from then on to the touch it stays as it is. In the
picture, the momentum about the centre of mass is seen whether the camera turns or not, and in whatever unit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finediving_pose.kinematics.diver import Diver
from finediving_pose.kinematics.flight import HIGHEST, HIGHEST_RISE, longest_flight
from finediving_pose.kinematics.height import SEGMENTS, centre_of_mass
from finediving_pose.kinematics.readings import Reason
from finediving_pose.skeleton import INDEX

REACH = 0.04
"""Seconds before and after a frame between which the speed of a joint is measured."""

PUSH = 0.15
"""Seconds before the take-off in which the momentum grows from nothing; chosen, as :data:`ROUGHEST` was, on 16
synthetic dives other than those that the error bars come from."""

BEFORE = 0.7
"""Seconds before the earliest possible take-off that are looked at, too."""

OUTLIER = 0.8
"""Distance from the course, as a share of the momentum in flight, from which on a frame counts no more."""

ROUGHEST = 0.3
"""Mean distance from the course, as such a share, up to which the take-off is believed."""

LOWEST, LOWEST_RISE = 1.0, 0.1
"""Metres: no board is lower, no diver rises less above one."""

SHORTEST = 0.5
"""Seconds that a flight whose end was not filmed must be seen."""

SEEN = 0.75
"""Share of the frames within :data:`PUSH` of the take-off whose momentum is seen."""

STEP = 0.01
"""Seconds between two take-offs that are tried."""

FEWEST, FEWEST_BEFORE = 5, 2
"""Frames of the flight, and before the push."""

STANDING = 0.5
"""Share of the momentum in flight that there may be before the push: a clip that begins in the air shows none."""


def momentum(diver: Diver, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angular momentum (n,) about the centre of mass in the plane of the picture, clockwise positive.

    In squared trunk lengths a second, of a body of mass 1; NaN where a joint is absent or at the edge of the picture:
    of a body that is cut there, estimators invent the rest. The mass of a segment is at its middle. Occluded and
    unsure joints are taken as they are: what is wrong in single frames is left out later.
    """
    centre, _ = centre_of_mass(diver)
    joints = [diver.points(INDEX[a], INDEX[b]) for a, b, _ in SEGMENTS]
    mass = np.array([m for *_, m in SEGMENTS])
    trunk = float(np.nanmedian(np.linalg.norm(diver.points(INDEX["thorax"]) - diver.points(INDEX["pelvis"]), axis=-1)))
    arms = (np.stack(joints, axis=1) - centre[:, None]) / trunk  # (n, segments, 2)
    first = np.searchsorted(times, times - REACH - 1e-6, side="left").clip(0)
    last = (np.searchsorted(times, times + REACH + 1e-6, side="right") - 1).clip(max=len(times) - 1)
    span = times[last] - times[first]
    with np.errstate(invalid="ignore", divide="ignore"):
        speed = (arms[last] - arms[first]) / np.where(span > 0, span, np.nan)[:, None, None]
        turning = arms[..., 0] * speed[..., 1] - arms[..., 1] * speed[..., 0]
    cut = (diver.is_at_edge(diver.keypoints) & ~diver.by_hand).any(1)
    return np.where(cut, np.nan, (turning * mass).sum(1) / mass.sum())


def begins_in_flight(diver: Diver, times: NDArray[np.float64], end: float) -> bool:
    """Whether the diver already turns in the first frames as until ``end``: the take-off was not filmed.

    False where those frames do not show it.

    Parameters
    ----------
    times : float64 (n,), seconds, increasing
    end : the last moment in the air
    """
    course = momentum(diver, times)
    first, seen = times <= times[0] + PUSH, np.isfinite(course)
    flying = seen & (times <= end)
    if flying.sum() < FEWEST or seen[first].mean() < SEEN:
        return False
    full = float(np.median(course[flying]))
    return bool(np.median(course[first & seen]) * np.sign(full) > STANDING * abs(full))


def take_off_of_spin(
    diver: Diver, times: NDArray[np.float64], end: float, platform: float | None = None, *, touched: bool = True
) -> float | None:
    """When the momentum begins to be what it is until ``end``, seconds; None where its course shows no take-off.

    Of all take-offs that may lead to the touch, the one whose course of the momentum, growing for :data:`PUSH` seconds
    and constant then, is nearest to the measured one: the least mean absolute distance.

    Parameters
    ----------
    times : float64 (n,), seconds, increasing
    end : the touch, or where it was not filmed (``touched`` false) the last moment in the air
    platform : its height, metres, None where unknown
    """
    if not (diver.reason == Reason.MEASURED).any():
        return None
    course = momentum(diver, times)
    earliest = end - longest_flight(platform or HIGHEST, HIGHEST_RISE)
    latest = end - (longest_flight(platform or LOWEST, LOWEST_RISE) if touched else SHORTEST)
    used = np.isfinite(course) & (times > earliest - BEFORE) & (times < end - REACH)
    time, course = times[used], course[used]
    if not len(time):
        return None
    best, take_off = ROUGHEST, None
    for tried in np.arange(max(earliest, float(time[0]) + PUSH), latest, STEP):
        flying, standing = time >= tried, time <= tried - PUSH
        if flying.sum() < FEWEST or standing.sum() < FEWEST_BEFORE:
            continue
        full = float(np.median(course[flying]))
        if np.median(course[standing]) * np.sign(full) > STANDING * abs(full):
            continue
        expected = full * np.clip(1 - (tried - time) / PUSH, 0, 1)
        off = np.abs(course - expected) / max(abs(full), 1e-9)
        distance = float(np.minimum(off, OUTLIER).mean())
        if distance < best:
            best, take_off = distance, float(tried)
    if take_off is None:
        return None
    push = np.abs(times - take_off) <= PUSH
    return take_off if used[push].mean() >= SEEN else None
