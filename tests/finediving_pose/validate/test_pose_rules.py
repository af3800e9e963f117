"""Each rule on poses, by what is done to a good pose table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import UsageError
from finediving_pose.frames import FrameFolder, write_manifest
from finediving_pose.labels.table import write_clips
from finediving_pose.poses import ClipPoses, write_poses
from finediving_pose.validate import validate
from finediving_pose.workspace import Workspace

CLIP = Clip(ClipKey("v", 1), synchronised=False, start_frame=0, end_frame=9, n_frames=10)


def good_poses(n: int = 10) -> ClipPoses:
    """A body of 30 x 60 pixels that falls 5 pixels a frame."""
    grid = np.stack([np.tile(np.linspace(0, 30, 4), 4), np.repeat(np.linspace(0, 60, 4), 4)], -1)
    points = grid + np.array([100, 50]) + np.arange(n)[:, None, None] * np.array([0, 5])
    box = np.hstack([points.min(1) - 5, points.max(1) + 5])
    whole = np.ones((n, 16))
    return ClipPoses(
        np.arange(n), np.zeros(n), box, points, 2 * whole, 0.9 * whole, whole, ["me"] * n, ["2026-01-01T00:00:00Z"] * n
    )


def set_joint(field: str, frame: int, value: float) -> Callable[[ClipPoses], None]:
    def change(poses: ClipPoses) -> None:
        getattr(poses, field)[frame, 3] = value

    return change


def move(frames: slice, by: float, joints: slice = slice(None)) -> Callable[[ClipPoses], None]:
    def change(poses: ClipPoses) -> None:
        poses.keypoints[frames, joints] += by
        if joints == slice(None):
            poses.box[frames] += by

    return change


def hide_most(poses: ClipPoses) -> None:
    poses.visibility[:3, :12] = 0


def second_person(poses: ClipPoses) -> None:
    poses.person[-1] = 1


@pytest.fixture
def frames(workspace: Workspace) -> Workspace:
    """A workspace with one clip whose frame folder names ten pictures of 455 x 256."""
    write_clips(workspace.clips_table, [CLIP])
    folder = workspace.frame_folder(CLIP.key)
    folder.mkdir(parents=True)
    names = tuple(f"{i:05d}.jpg" for i in range(10))
    write_manifest(FrameFolder(CLIP.key, folder, tuple(range(10)), 455, 256, "v.mp4", names, 25.0, ""))
    return workspace


@pytest.mark.parametrize(
    ("change", "rule", "says"),
    [
        (lambda p: None, None, ""),
        (set_joint("visibility", 4, 3), "pose.values", "0 to 2: 1 joint in 1 frame, first 00004.jpg (left_hip)"),
        (set_joint("confidence", 4, 1.5), "pose.values", "confidence is not between 0 and 1"),
        (set_joint("source", 4, 9), "pose.values", "source is not 0 to 3"),
        (set_joint("keypoints", 4, np.nan), "pose.values", "a joint is seen but has no place"),
        (lambda p: p.frame.__iadd__(1), "pose.frame-exists", "that the clip does not have, first 00010.jpg"),
        (second_person, "pose.persons", "2 persons in an individual dive"),
        (hide_most, "pose.coverage", "only 50% of the frames before the entry have a pose of 8 joints or more"),
        (move(slice(None), 330), "pose.outside-picture", "joints outside the picture of 455 x 256"),
        (move(slice(None), 25, slice(3, 4)), "pose.box", "10 joints in 10 frames, first 00000.jpg (left_hip)"),
        (move(slice(5, 6), 70, slice(3, 4)), "pose.joint-leap", "2 joints in 2 frames, first 00005.jpg (left_hip)"),
        (move(slice(5, None), -250), "pose.body-leap", "the diver leaps in 1 frame, first 00005.jpg; another"),
    ],
)  # fmt: skip
def test_a_pose_rule_says_what_is_wrong(
    frames: Workspace, change: Callable[[ClipPoses], object], rule: str | None, says: str
) -> None:
    poses = good_poses()
    change(poses)
    write_poses(frames.pose_file("manual/kim", CLIP.key), poses)
    write_poses(frames.pose_file("auto", CLIP.key), poses)
    found = {f.message for f in validate(frames, select=["pose"]) if f.rule == rule}
    assert any(m.startswith("auto: ") and says in m for m in found) is (rule is not None)
    if rule not in (None, "pose.coverage"):
        assert any(m.startswith("manual/kim: ") and says in m for m in found)
    if rule is None:
        assert validate(frames, select=["pose"]) == []


def test_a_synchronised_dive_wants_two_persons(frames: Workspace) -> None:
    write_clips(frames.clips_table, [replace(CLIP, synchronised=True)])
    write_poses(frames.pose_file("merged", CLIP.key), good_poses())
    (finding,) = validate(frames, select=["pose.persons"])
    assert finding.message == "merged: 1 person in a synchronised dive"


def test_a_damaged_pose_file_is_a_finding_and_no_end(frames: Workspace) -> None:
    path = frames.pose_file("auto", CLIP.key)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 no")
    (finding,) = validate(frames, ignore=["frame"])
    assert (finding.rule, finding.severity) == ("pose.readable", "error")
    assert "not a pose table" in finding.message


def test_a_rule_that_does_not_exist_is_refused(frames: Workspace) -> None:
    with pytest.raises(UsageError, match=r"no rule begins with 'labels'; see them with: fdpose validate --list-rules"):
        validate(frames, ignore=["labels"])
