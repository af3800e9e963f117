"""When a dive's moments are: the labelled take-off, the closest tuck or pike, and when the body opens again.

All times are on the axis that is given, seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from finediving_pose.kinematics.readings import Series

LONGEST_BLINK = 3
"""Frames without the hips, between two with them, through which the come-out is read."""

CLOSED = 70.0
"""Degrees of hip flexion from which on a body is in a tuck or pike."""

REACHED = 15.0
"""Degrees: a tuck or pike is held with its flexion within this of the closest."""


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
