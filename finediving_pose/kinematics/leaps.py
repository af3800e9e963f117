"""Joints that leap away and back faster than a body can: the estimator took something else for them for some frames,
such as the edge of the platform for the legs. They are unsure there, whatever confidence the estimator states."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from finediving_pose.kinematics.angles import CHAINS, pair_angle
from finediving_pose.kinematics.diver import Diver
from finediving_pose.kinematics.readings import Reason, Series
from finediving_pose.skeleton import INDEX

FASTEST = 1500.0
"""Degrees a second: no joint angle changes faster and then comes back as fast."""

NOISE = 25.0
"""Degrees that an angle may change beside that, by the errors of two poses."""

LONGEST = 0.15
"""Seconds from the last frame before such leaps to the first one after them."""

_LEGS = ("right_knee", "left_knee", "right_ankle", "left_ankle")
_DOUBTED = {"hip": ("pelvis", "right_hip", "left_hip", *_LEGS), "knee": _LEGS}
"""Joints that are unsure where an angle leaps."""


def doubt_leaps(diver: Diver, times: NDArray[np.float64]) -> Diver:
    """The diver, with hips and legs unsure where their angles leap away and back within :data:`LONGEST`.

    Joints that a person placed stay as they are.

    Parameters
    ----------
    times : float64 (n,), seconds, increasing
    """
    reason = diver.reason.copy()
    for name, joints in _DOUBTED.items():
        by_hand = diver.by_hand[:, sorted({j for chain in CHAINS[name] for j in chain})].all(1)
        wrong = leaps(pair_angle(diver, name), times) & ~by_hand
        for joint in (INDEX[j] for j in joints):
            reason[wrong & (reason[:, joint] == Reason.MEASURED), joint] = Reason.UNSURE
    return replace(diver, reason=reason)


def leaps(angle: Series, times: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) frames between two leaps of the angle, there and back, from one measured frame to the next."""
    there = np.flatnonzero(angle.measured)
    step, apart = np.diff(angle.values[there]), np.diff(times[there])
    leaping = np.flatnonzero(np.abs(step) > FASTEST * apart + NOISE)
    found = np.zeros(len(times), bool)
    for away, back in pairwise(leaping.tolist()):
        before, after = there[away], there[back + 1]
        if step[away] * step[back] < 0 and times[after] - times[before] <= LONGEST:
            found[before + 1 : after] = True
    return found
