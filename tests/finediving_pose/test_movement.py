"""movement takes the poses for its own."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError, SetupError
from finediving_pose.movement import to_movement
from finediving_pose.poses import concatenate, write_poses
from finediving_pose.skeleton import JOINTS
from finediving_pose.workspace import Workspace
from tests.finediving_pose.kinematics.made_up import MadeUpDive, poses_of

DIVE = MadeUpDive(25.0)


def clip(fps: float | None = 25.0, pair: bool = False) -> Clip:
    n = len(DIVE.times)
    return Clip(ClipKey("made_up", 0), fps=fps, start_frame=50, end_frame=49 + n, n_frames=n, synchronised=pair)


def test_without_movement_the_way_to_install_it_is_said(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "movement.io", None)
    with pytest.raises(SetupError, match=r"pip install 'fdpose\[movement\]'"):
        to_movement(workspace, clip())


@pytest.mark.slow
def test_poses_arrive_in_seconds_with_absence_as_nan(workspace: Workspace):
    pytest.importorskip("movement", reason="movement is an extra: pip install 'fdpose[movement]'")
    from movement.kinematics import compute_velocity  # pyright: ignore[reportMissingImports]

    write_poses(workspace.pose_file("auto", clip().key), poses_of(DIVE, 50))
    dataset = to_movement(workspace, clip())
    assert dataset.attrs["ds_type"] == "poses" and dataset.attrs["fps"] == pytest.approx(25)
    keypoints, individuals = dataset.position.dims[2:]
    assert dataset[keypoints].values.tolist() == list(JOINTS) and dataset[individuals].values.tolist() == ["diver_0"]
    np.testing.assert_allclose(dataset.time, DIVE.times)
    assert dataset.frame.values[0] == 50
    hip = dataset.position.sel({keypoints: "left_hip", individuals: "diver_0"})
    np.testing.assert_allclose(hip.values[10], DIVE.points[10, JOINTS.index("left_hip")], rtol=1e-6)
    assert np.isnan(hip.values[-1]).all() and dataset.confidence.values[-1].max() == 0
    assert compute_velocity(dataset.position).shape == dataset.position.shape


@pytest.mark.slow
def test_a_pair_is_two_individuals_and_an_absent_partner_is_absent(workspace: Workspace):
    pytest.importorskip("movement", reason="movement is an extra: pip install 'fdpose[movement]'")
    both = concatenate([poses_of(DIVE, 50), poses_of(DIVE, 50, person=1)])
    write_poses(workspace.pose_file("auto", clip().key), both)
    assert np.isfinite(to_movement(workspace, clip(pair=True)).position.values[10]).all()
    write_poses(workspace.pose_file("auto", clip().key), poses_of(DIVE, 50))
    alone = to_movement(workspace, clip(fps=None, pair=True))
    assert np.isnan(alone.position.values[..., 1]).all() and np.isfinite(alone.position.values[10, ..., 0]).all()
    assert alone.attrs["time_unit"] == "frames"


@pytest.mark.slow
def test_a_clip_without_poses_is_named(workspace: Workspace):
    pytest.importorskip("movement", reason="movement is an extra: pip install 'fdpose[movement]'")
    with pytest.raises(PoseError, match="made_up/0: has no poses"):
        to_movement(workspace, clip())
