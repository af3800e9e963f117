"""Which joints of an estimator's own poses it may learn from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from annotate.training.own_poses import consistent
from finediving_pose.frames import open_frames
from finediving_pose.poses import ClipPoses, JointSource, Visibility
from finediving_pose.skeleton import INDEX
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY, table


class Mirrored:
    """An estimator that finds one joint elsewhere in the mirror image of the second crop."""

    id, input_size, padding, unbiased = "mirrored", (32, 32), 1.25, True

    def mirror_gaps(self, crops: np.ndarray) -> np.ndarray:
        gaps = np.zeros((len(crops), 16))
        gaps[1, INDEX["left_wrist"]] = 0.2
        return gaps


@pytest.fixture
def poses() -> ClipPoses:
    found = table("net", JointSource.AUTOMATIC, frames=(0, 1, 2))
    return replace(found, box=np.tile(np.array([20, 5, 90, 60], np.float32), (3, 1)))


def doubted(grey: Workspace, poses: ClipPoses) -> set[tuple[int, int]]:
    """Row and joint of every joint that is not learned from."""
    estimator: Any = Mirrored()
    rows, joints = np.nonzero(~consistent(open_frames(grey, KEY), poses, estimator))
    return set(zip(rows.tolist(), joints.tolist(), strict=True))


def test_a_joint_is_learned_where_nothing_speaks_against_it(grey: Workspace, poses: ClipPoses) -> None:
    wrist = INDEX["left_wrist"]
    assert doubted(grey, poses) == {(1, wrist)}, "the mirror image has it elsewhere"
    source, visibility = poses.source.copy(), poses.visibility.copy()
    source[0, 3], visibility[2, 4] = JointSource.INTERPOLATED, Visibility.OCCLUDED
    unsure = replace(poses, source=source, visibility=visibility)
    assert doubted(grey, unsure) == {(1, wrist), (0, 3), (2, 4)}, "smoothing moved the one, the other is faint"


def test_a_limb_that_is_longer_than_in_other_frames_is_not_learned(grey: Workspace, poses: ClipPoses) -> None:
    keypoints = poses.keypoints.copy()
    keypoints[0, INDEX["right_ankle"]] += (-80, -40)
    long = {(0, INDEX["right_ankle"]), (0, INDEX["right_knee"])}
    assert doubted(grey, replace(poses, keypoints=keypoints)) == {(1, INDEX["left_wrist"]), *long}


def test_nothing_is_learned_from_frames_without_a_diver(grey: Workspace, poses: ClipPoses) -> None:
    nobody = poses.keypoints.copy()
    nobody[2] = np.nan
    left = replace(poses, keypoints=nobody, visibility=np.where(np.isnan(nobody[..., 0]), 0, poses.visibility))
    assert {joint for row, joint in doubted(grey, left) if row == 2} == set(range(16))
