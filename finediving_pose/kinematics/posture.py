"""The body at the entry: how far from vertical, how far from a straight line.

Judges look for an entry that is vertical, or nearly so, with the body straight, feet together and toes pointed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finediving_pose.kinematics.angles import ANKLES, PELVIS, THORAX
from finediving_pose.kinematics.diver import Diver
from finediving_pose.kinematics.readings import Reason, Series

BEFORE, AFTER = 0.08, 0.06
"""Seconds around the touch from whose frames the posture is read."""


TURNING = 0.5
"""Seconds before the touch in which the trunk shows which way the dive turns."""


def near(times: NDArray[np.float64], touch: float) -> NDArray[np.bool_]:
    """(n,) the frames from which the posture at the touch is read."""
    return (times >= touch - BEFORE) & (times <= touch + AFTER)


def from_vertical(trunk: float, turning: float) -> float:
    """How far the trunk has turned past the vertical that is nearest to it: positive beyond, negative short, degrees.

    NaN where ``trunk`` is.

    Parameters
    ----------
    trunk : unwrapped angle of the trunk, 0 upright
    turning : with the sign of the direction in which the dive turns
    """
    if not np.isfinite(trunk):
        return float("nan")
    return float((trunk - 180 * round(trunk / 180)) * (np.sign(turning) or 1.0))


def turning(trunk: Series, times: NDArray[np.float64], touch: float) -> float:
    """By how much an unwrapped trunk turned in the last :data:`TURNING` seconds before the touch, degrees; NaN where
    fewer than two frames show it."""
    near = np.flatnonzero(trunk.measured & (times >= touch - TURNING) & (times <= touch))
    return float(trunk.values[near[-1]] - trunk.values[near[0]]) if len(near) > 1 else float("nan")


def is_head_first(trunk: float) -> bool:
    """Whether a trunk at this angle, 0 upright, is upside down."""
    return round(trunk / 180) % 2 == 1


def straightness(diver: Diver, times: NDArray[np.float64], touch: float) -> float:
    """How far the body is bent at the touch, degrees, 0 straight: from the middle of the ankles over pelvis to thorax.

    The bend is averaged with its sign, so that noise of the joints does not add up. NaN where it is not seen.
    """
    along = [diver.points(PELVIS) - diver.points(*ANKLES), diver.points(THORAX) - diver.points(PELVIS)]
    legs, trunk = (np.arctan2(v[:, 1], v[:, 0]) for v in along)
    bent = np.degrees((trunk - legs + np.pi) % (2 * np.pi) - np.pi)
    seen = near(times, touch) & (diver.reason_of((*ANKLES, PELVIS, THORAX)) == Reason.MEASURED)
    return abs(float(bent[seen].mean())) if seen.any() else float("nan")
