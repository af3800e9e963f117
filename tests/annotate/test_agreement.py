"""PCKh."""

from __future__ import annotations

import numpy as np
import pytest

from annotate.agreement import oks_ap, pck_torso, pckh, pckh_by_joint
from finediving_pose.skeleton import INDEX, SIGMAS

RNG = np.random.default_rng(0)


def truth(n: int = 5) -> np.ndarray:
    poses = RNG.uniform(0, 100, (n, 16, 2))
    poses[:, INDEX["head_top"]] = poses[:, INDEX["upper_neck"]] + (0, -20)
    return poses


def test_a_pose_agrees_with_itself() -> None:
    poses = truth()
    assert pckh(poses, poses) == 1.0


@pytest.mark.parametrize(("shift", "share"), [(9.99, 1.0), (10.01, 0.0)])
def test_half_a_head_is_the_border(shift: float, share: float) -> None:
    poses = truth()
    assert pckh(poses + np.array([shift, 0]), poses) == share


def test_one_joint_of_sixteen_wrong() -> None:
    poses = truth(3)
    moved = poses.copy()
    moved[:, 0] += 50
    assert pckh(moved, poses) == pytest.approx(15 / 16)
    np.testing.assert_array_equal(pckh_by_joint(moved, poses), [0.0] + [1.0] * 15)


def test_unknown_truth_does_not_count_and_a_missing_prediction_is_wrong() -> None:
    poses = truth(1)
    unknown, missing = poses.copy(), poses.copy()
    unknown[0, 0] = np.nan
    missing[0, 1] = np.nan
    assert pckh(missing, unknown) == pytest.approx(14 / 15)


def test_no_head_no_figure() -> None:
    poses = truth(2)
    poses[:, INDEX["head_top"]] = np.nan
    assert np.isnan(pckh(poses, poses))
    assert np.isnan(pckh(poses[:0], poses[:0]))


def test_pck_measures_in_torsos() -> None:
    poses = truth(3)
    poses[:, INDEX["right_hip"]] = poses[:, INDEX["left_shoulder"]] + (0, 50)
    assert pck_torso(poses + np.array([9.9, 0]), poses) == 1.0
    assert pck_torso(poses + np.array([10.1, 0]), poses) == 0.0
    assert np.isnan(pck_torso(poses[:0], poses[:0]))


def test_average_precision_is_that_of_coco() -> None:
    """Perfect poses have 1, poses elsewhere 0; an unknown joint does not count."""
    poses = truth(6)
    sure = np.linspace(0.9, 0.4, 6)
    assert oks_ap(poses, poses, sure) == pytest.approx(1.0)
    assert oks_ap(poses + 500, poses, sure) == 0.0
    unknown = poses.copy()
    unknown[:, 3] = np.nan
    assert oks_ap(poses, unknown, sure) == pytest.approx(1.0)
    assert np.isnan(oks_ap(poses[:0], poses[:0], sure[:0]))


@pytest.mark.parametrize("shift", [2.0, 6.0, 10.0])
def test_object_keypoint_similarity_falls_with_the_error_as_coco_has_it(shift: float) -> None:
    """One pose, all joints off by the same: AP is the share of the ten thresholds that its OKS reaches."""
    poses = truth(1)
    area = 0.53 * np.prod(poses[0].max(0) - poses[0].min(0))
    oks = np.exp(-(shift**2) / (8 * area * np.array(SIGMAS) ** 2)).mean()
    reached = (oks >= np.linspace(0.5, 0.95, 10)).mean()
    assert oks_ap(poses + np.array([shift, 0]), poses, np.ones(1)) == pytest.approx(reached)
