"""Poses that have collapsed: trunk or legs are not as long as this diver's, or the legs lie along the trunk. Their
joints are unsure, whatever confidence the estimator states.

A camera beside the pool sees trunk and legs at nearly their full length throughout a dive; where part of the body is
outside the picture or in the spray, estimators draw what is left together, or fold it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from finediving_pose.kinematics.angles import limb_angle
from finediving_pose.kinematics.diver import Diver
from finediving_pose.kinematics.readings import Reason
from finediving_pose.skeleton import INDEX

SHORTEST, LONGEST = 0.6, 1.35
"""Of the segment's median length in the dive. On 16 development dives in wide pictures 1 % of thighs and shanks, and no
trunk but one, are outside that."""

FOLDED = 165.0
"""Degrees that hips do not bend: 155 are measured of the closest pikes."""

_SIDES = ("right", "left")
_TRUNK = ("pelvis", "thorax", *(f"{side}_{joint}" for side in _SIDES for joint in ("hip", "shoulder")))


def doubt_collapse(diver: Diver) -> Diver:
    """The diver, with joints unsure where trunk, thigh or shank is too short or too long, or the hips bend too far.

    Joints that a person placed stay as they are.
    """
    wrong = np.zeros(diver.reason.shape, bool)
    _doubt(wrong, _odd_lengths(diver, [("pelvis", "thorax")])[0], _TRUNK)
    thighs = _odd_lengths(diver, [(f"{side}_hip", f"{side}_knee") for side in _SIDES])
    shanks = _odd_lengths(diver, [(f"{side}_knee", f"{side}_ankle") for side in _SIDES])
    for side, thigh, shank in zip(_SIDES, thighs, shanks, strict=True):
        folded = limb_angle(diver, "hip", side == "right").values > FOLDED
        _doubt(wrong, thigh | folded, (f"{side}_knee", f"{side}_ankle"))
        _doubt(wrong, shank, (f"{side}_ankle",))
    wrong &= (diver.reason == Reason.MEASURED) & ~diver.by_hand
    return replace(diver, reason=np.where(wrong, np.uint8(Reason.UNSURE), diver.reason))


def _doubt(wrong: NDArray[np.bool_], frames: NDArray[np.bool_], joints: tuple[str, ...]) -> None:
    for joint in joints:
        wrong[frames, INDEX[joint]] = True


def _odd_lengths(diver: Diver, sides: list[tuple[str, str]]) -> NDArray[np.bool_]:
    """(sides, n) where a segment that is seen is too short or too long for this diver, on one or both sides."""
    ends = [(INDEX[a], INDEX[b]) for a, b in sides]
    lengths = np.stack([np.linalg.norm(diver.keypoints[:, a] - diver.keypoints[:, b], axis=-1) for a, b in ends])
    seen = np.stack([diver.reason_of(pair) == Reason.MEASURED for pair in ends])
    if not seen.any():
        return seen
    share = lengths / np.median(lengths[seen])
    return seen & ((share < SHORTEST) | (share > LONGEST))
