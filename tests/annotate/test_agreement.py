"""PCKh."""

from __future__ import annotations

import numpy as np
import pytest

from annotate.agreement import pckh, pckh_by_joint
from finediving_pose.skeleton import INDEX

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
