"""Arms and legs put at other angles for training: the picture and its joints stay together."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from annotate.crop import box_of_joints
from annotate.training.limbs import ARMS, LEGS, MoveLimbs
from finediving_pose.skeleton import INDEX

WRIST, ANKLE = INDEX["right_wrist"], INDEX["left_ankle"]
MOVED = sorted(j for limb in (ARMS, LEGS) for side in limb.sides for j in side[1:])
STILL = sorted(set(range(16)) - set(MOVED))


def standing() -> np.ndarray:
    """Joints of someone who stands with arms and legs apart, head length 20: float32 (16, 2)."""
    joints = np.zeros((16, 2), np.float32)
    for name, place in {
        "right_ankle": (80, 260), "right_knee": (90, 215), "right_hip": (100, 170),
        "left_hip": (120, 170), "left_knee": (130, 215), "left_ankle": (140, 260),
        "pelvis": (110, 170), "thorax": (110, 110), "upper_neck": (110, 100), "head_top": (110, 80),
        "right_wrist": (40, 130), "right_elbow": (65, 120), "right_shoulder": (92, 112),
        "left_shoulder": (128, 112), "left_elbow": (155, 120), "left_wrist": (180, 130),
    }.items():  # fmt: skip
        joints[INDEX[name]] = place
    return joints


def results(known: np.ndarray | None = None) -> dict[str, Any]:
    """A grey picture with a dot of its own colour on a wrist and on an ankle."""
    image = np.full((300, 220, 3), 128, np.uint8)
    joints = standing()
    cv2.circle(image, joints[WRIST].astype(int).tolist(), 3, (255, 0, 0), -1)
    cv2.circle(image, joints[ANKLE].astype(int).tolist(), 3, (0, 255, 0), -1)
    known = np.ones(16, bool) if known is None else known
    return {
        "img": image,
        "keypoints": joints[None].copy(),
        "keypoints_visible": known[None].astype(np.float32),
        "bbox": box_of_joints(joints[None]),
    }


@pytest.mark.parametrize("seed", range(12))
def test_what_was_on_a_joint_moves_with_it_and_limbs_keep_their_length(seed: int) -> None:
    np.random.seed(seed)  # noqa: NPY002
    before, after = results(), MoveLimbs(prob=1.0).transform(results())
    assert after is not None
    joints, was = after["keypoints"][0], before["keypoints"][0]
    np.testing.assert_array_equal(joints[STILL], was[STILL])
    assert np.abs(joints - was).max() > 3
    for limb in (ARMS, LEGS):
        for side in limb.sides:
            lengths = [np.linalg.norm(np.diff(j[list(side)], axis=0), axis=1) for j in (joints, was)]
            np.testing.assert_allclose(*lengths, rtol=1e-4)
    for joint, channel in ((WRIST, 0), (ANKLE, 1)):
        x, y = np.round(joints[joint]).astype(int)
        if 4 < x < 215 and 4 < y < 295:
            patch = after["img"][y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).astype(int).mean(0)
            assert patch[channel] > 50 + np.delete(patch, channel).max()
    np.testing.assert_allclose(after["bbox"], box_of_joints(joints[None]))
    assert after["img"].shape == before["img"].shape and after["img"].dtype == np.uint8


def test_a_limb_that_is_not_known_stays_and_so_does_everything_without_a_head() -> None:
    np.random.seed(0)  # noqa: NPY002
    known = np.ones(16, bool)
    known[[WRIST, INDEX["left_knee"]]] = False
    for _ in range(10):
        after = MoveLimbs(prob=1.0).transform(results(known))
        stay = [*ARMS.sides[0], *LEGS.sides[1]]
        np.testing.assert_array_equal(after["keypoints"][0, stay], standing()[stay])
    known[:] = True
    known[INDEX["head_top"]] = False
    after = MoveLimbs(prob=1.0).transform(results(known))
    np.testing.assert_array_equal(after["img"], results()["img"])
    np.testing.assert_array_equal(after["keypoints"][0], standing())


def test_with_a_probability_of_nothing_nothing_is_changed() -> None:
    after = MoveLimbs(prob=0.0).transform(results())
    np.testing.assert_array_equal(after["img"], results()["img"])
