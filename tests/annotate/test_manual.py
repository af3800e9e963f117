"""Hand annotations in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from finediving_pose.cli import main
from finediving_pose.clip import ClipKey
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.formats.intake import take_in
from finediving_pose.formats.official import OfficialPose, write_official
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import JointSource, Visibility, read_poses
from finediving_pose.workspace import Workspace

JOINTS = np.stack([np.linspace(20, 90, 16), np.linspace(5, 60, 16)], axis=1).astype(np.float32)


def annotation(path: Path, *images: str, joints: np.ndarray = JOINTS) -> Path:
    """Another person of a picture stands a pixel beside the first."""
    write_official(path, [OfficialPose.of(image, joints + images[:i].count(image)) for i, image in enumerate(images)])
    return path


def run(workspace: Workspace, *args: str) -> Any:
    return CliRunner().invoke(main, ["annotate", "--data", str(workspace.root), *args])


def test_a_picture_is_found_by_its_path_or_by_its_own_name(grey: Workspace, tmp_path: Path) -> None:
    file = annotation(tmp_path / "a.json", "meet/0/00001.jpg", "frames/meet/1/00000.jpg", "b1.jpg")
    summary = take_in(grey, read_clips(grey), [file], "anna").as_dict()
    assert (summary["clips"], summary["frames"], summary["joints"]) == (2, 3, 48)
    assert read_poses(grey.pose_file("manual/anna", ClipKey("meet", 0))).frame.tolist() == [1]
    assert read_poses(grey.pose_file("manual/anna", ClipKey("meet", 1))).frame.tolist() == [0, 1]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    arrays(np.float32, (16, 2), elements=st.floats(0, 112, width=32)),
    arrays(np.bool_, (16,)).filter(lambda v: bool(v.any())),
)
def test_joints_arrive_as_they_were_placed(
    grey: Workspace, tmp_path: Path, joints: np.ndarray, visible: np.ndarray
) -> None:
    file = annotation(tmp_path / "a.json", "a0.jpg", joints=np.where(visible[:, None], joints, np.nan))
    take_in(grey, read_clips(grey), [file], "anna")
    poses = read_poses(grey.pose_file("manual/anna", ClipKey("meet", 0)))
    np.testing.assert_array_equal(poses.keypoints[0][visible], joints[visible])
    np.testing.assert_array_equal(poses.source[0] == JointSource.MANUAL, visible)
    np.testing.assert_array_equal(poses.visibility[0] == Visibility.ABSENT, ~visible)
    assert poses.author == ["anna"] and np.isnan(poses.keypoints[0][~visible]).all()


def test_a_second_file_replaces_its_frames_and_leaves_the_others(grey: Workspace, tmp_path: Path) -> None:
    clips = read_clips(grey)
    take_in(grey, clips, [annotation(tmp_path / "a.json", "a0.jpg", "a1.jpg")], "anna")
    take_in(grey, clips, [annotation(tmp_path / "b.json", "a1.jpg", joints=JOINTS + 3)], "anna")
    poses = read_poses(grey.pose_file("manual/anna", ClipKey("meet", 0)))
    assert poses.frame.tolist() == [0, 1]
    np.testing.assert_array_equal(poses.keypoints, [JOINTS, JOINTS + 3])


def test_two_people_in_one_frame_are_two_persons_and_a_third_is_refused(grey: Workspace, tmp_path: Path) -> None:
    clips = read_clips(grey)
    take_in(grey, clips, [annotation(tmp_path / "a.json", "a0.jpg", "a0.jpg")], "anna")
    assert read_poses(grey.pose_file("manual/anna", ClipKey("meet", 0))).person.tolist() == [0, 1]
    with pytest.raises(PoseError, match="a third person"):
        take_in(grey, clips, [annotation(tmp_path / "b.json", "a0.jpg", "a0.jpg", "a0.jpg")], "anna")


def test_a_frame_that_does_not_exist_is_named_and_nothing_is_written(grey: Workspace, tmp_path: Path) -> None:
    good, bad = annotation(tmp_path / "good.json", "a0.jpg"), annotation(tmp_path / "bad.json", "a0.jpg", "x.jpg")
    result = run(grey, "--manual", str(good), str(bad))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(f"fdpose: {bad}: entry 1, image x.jpg: there is no such frame")
    assert not grey.poses.exists()


def test_a_name_that_two_clips_have_is_ambiguous(grey: Workspace, tmp_path: Path) -> None:
    with pytest.raises(PoseError, match=r"2 clips have a frame of that name \(meet/0, meet/1\)"):
        take_in(grey, read_clips(grey), [annotation(tmp_path / "a.json", "same.jpg")], "anna")


def test_a_damaged_file_leaves_earlier_poses_untouched(grey: Workspace, tmp_path: Path) -> None:
    run(grey, "--manual", str(annotation(tmp_path / "a.json", "a0.jpg")))
    path = grey.pose_file("manual/hand", ClipKey("meet", 0))
    before = path.read_bytes()
    (tmp_path / "bad.json").write_text(json.dumps([{"image": "a0.jpg", "joints": [[1, 2]]}]))
    result = run(grey, "--manual", str(tmp_path / "bad.json"))
    assert result.exit_code == 1 and "joints must be 16 pairs" in result.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden"])
def test_an_annotator_is_a_folder_name(grey: Workspace, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="becomes a folder name"):
        take_in(grey, read_clips(grey), [annotation(tmp_path / "a.json", "a0.jpg")], name)
