"""Joint angles and the angle of the trunk in the picture, degrees.

Conventions of joint angles as Sports2D states them (README, "Joint angle conventions"): hip, knee and elbow are 0
where the limb is straight and grow as it bends; the shoulder is 0 where the arm hangs at the side and 180 where it is
stretched overhead. They are angles of the projection into the picture, without a sign.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from finediving_pose.kinematics.diver import Diver
from finediving_pose.kinematics.readings import Reason, Series, first_reason
from finediving_pose.skeleton import INDEX

Chain = tuple[int, int, int]


def _chain(side: str, *names: str) -> Chain:
    a, b, c = (INDEX[f"{side}_{name}"] for name in names)
    return a, b, c


_JOINTS = {
    "hip": ("shoulder", "hip", "knee"),
    "knee": ("hip", "knee", "ankle"),
    "elbow": ("shoulder", "elbow", "wrist"),
    "shoulder": ("hip", "shoulder", "elbow"),
}
CHAINS: Mapping[str, tuple[Chain, Chain]] = {
    name: (_chain("right", *chain), _chain("left", *chain)) for name, chain in _JOINTS.items()
}
"""For each joint angle the three joints of the right and of the left limb, the angle's vertex in the middle."""

PELVIS, THORAX = INDEX["pelvis"], INDEX["thorax"]
KNEES, ANKLES = (INDEX["right_knee"], INDEX["left_knee"]), (INDEX["right_ankle"], INDEX["left_ankle"])


def bend(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the line a-b-c is bent at b: points (..., 2 or 3) -> degrees (...), 0 straight, 180 folded.

    NaN where two neighbouring points coincide.
    """
    u, v = b - a, c - b
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (u * v).sum(-1) / (np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1))
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def limb_angle(diver: Diver, joint: str, right: bool) -> Series:
    """Angle (n,) of one limb, by the pose's own word for left and right; ``joint`` as in :data:`CHAINS`."""
    chain = CHAINS[joint][0 if right else 1]
    bent = bend(*(diver.keypoints[:, j] for j in chain))
    return Series(180 - bent if joint == "shoulder" else bent, diver.reason_of(chain))


def pair_angle(diver: Diver, joint: str) -> Series:
    """Mean (n,) of the angles of both limbs: it is the same whichever is called the left one."""
    sides = [limb_angle(diver, joint, right) for right in (True, False)]
    return Series((sides[0].values + sides[1].values) / 2, first_reason(*(s.reason for s in sides)))


def side_angle(diver: Diver, joint: str, right: bool) -> Series:
    """Angle (n,) of the diver's own right or left limb, where a person placed all its joints.

    Estimators do not tell left from right reliably (docs/experiments/estimator.md): their joints abstain.
    """
    known = np.asarray(diver.by_hand[:, list(CHAINS[joint][0 if right else 1])].all(1))
    return limb_angle(diver, joint, right).where(known, Reason.SIDES_UNKNOWN)


def trunk_angle(diver: Diver) -> Series:
    """Angle (n,) of the trunk, from pelvis to thorax, anticlockwise in the picture from upright, in (-180, 180]."""
    along = diver.points(THORAX) - diver.points(PELVIS)
    angle = np.degrees(np.arctan2(-along[:, 0], -along[:, 1]))
    same = (along == 0).all(1)
    return Series(np.where(same, np.nan, angle), diver.reason_of((PELVIS, THORAX)))


def body_bend(diver: Diver) -> Series:
    """How far the body (n,) is bent between trunk and legs, from the middle of the ankles over pelvis to thorax."""
    bent = bend(diver.points(*ANKLES), diver.points(PELVIS), diver.points(THORAX))
    return Series(bent, diver.reason_of((*ANKLES, PELVIS, THORAX)))
