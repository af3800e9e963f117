"""The rules on frames and poses find nothing in true poses, and most of what is done to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from finediving_pose.extraction.clips_table import add_clips
from finediving_pose.extraction.run import extract_frames, extract_videos
from finediving_pose.formats.intake import take_in
from finediving_pose.labels.read import read_labels
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import ClipPoses, read_poses, write_poses
from finediving_pose.skeleton import FLIP, INDEX
from finediving_pose.synth.competition import make_competition
from finediving_pose.validate import validate
from finediving_pose.validate.layer_poses import load_layers
from finediving_pose.validate.rules import RULES
from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow

Damage = Callable[[ClipPoses, int], tuple[np.ndarray, np.ndarray]]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two synthetic dives, one with twists, with their true poses as a hand layer."""
    folder = tmp_path_factory.mktemp("truth")
    make_competition(folder, dives=2, seed=5, dive_numbers=["107b", "5253b"], jobs=1)
    data = Workspace(folder / "data")
    clips = read_labels(folder / "labels")
    add_clips(data, clips)
    extract_videos(data, folder / "videos", clips, 1, False)
    take_in(data, read_clips(data), [folder / "truth" / "annotations.json"], "truth")
    return data


def test_true_poses_and_their_pictures_have_no_findings(truth: Workspace) -> None:
    assert validate(truth, select=["frame", "pose"], jobs=1) == []


def test_real_hand_poses_have_no_findings(shared_data: Path, workspace: Workspace, tmp_path: Path) -> None:
    ranges = tmp_path / "dives.csv"
    ranges.write_text("video,index,start_frame,end_frame\nfinediv,1,0,33\nfinediv,2,34,68\n")
    clips = read_labels(ranges)
    add_clips(workspace, clips)
    examples = shared_data / "finediving_pose_examples"
    extract_frames(workspace, examples / "images", clips, False)
    take_in(workspace, read_clips(workspace), [examples / "annotations.json"], "release")
    found = validate(workspace, select=["frame", "pose"], jobs=1)
    assert {(f.rule, f.severity) for f in found} == {("frame.fps-known", "note")}, "the pictures came without a video"


def swap_sides(poses: ClipPoses, row: int) -> tuple[np.ndarray, np.ndarray]:
    keypoints, visibility = poses.keypoints.copy(), poses.visibility.copy()
    keypoints[row], visibility[row] = keypoints[row, list(FLIP)], visibility[row, list(FLIP)]
    return keypoints, visibility


def stretch_arm(poses: ClipPoses, row: int) -> tuple[np.ndarray, np.ndarray]:
    """The forearm twice as long as the body is anywhere thick: 60 pixels."""
    keypoints = poses.keypoints.copy()
    keypoints[row, INDEX["left_wrist"]] = keypoints[row, INDEX["left_elbow"]] + (60, 0)
    return keypoints, poses.visibility


def copy_of_before(poses: ClipPoses, row: int) -> tuple[np.ndarray, np.ndarray]:
    """The next six poses are this one."""
    keypoints, visibility = poses.keypoints.copy(), poses.visibility.copy()
    keypoints[row : row + 6], visibility[row : row + 6] = keypoints[row], visibility[row]
    return keypoints, visibility


@pytest.mark.parametrize(
    ("damage", "rule", "least"),
    [
        (swap_sides, "pose.sides-swapped", 0.75),
        (stretch_arm, "pose.limb-length", 0.95),
        (copy_of_before, "pose.frozen", 0.95),
    ],
)
def test_most_of_what_is_done_to_true_poses_is_found(truth: Workspace, damage: Damage, rule: str, least: float) -> None:
    tried = found = 0
    for clip in read_clips(truth):
        (layer,) = load_layers(truth, clip)
        assert layer.poses
        seen = np.flatnonzero(np.isfinite(layer.poses.keypoints[:-8]).all((1, 2)))
        in_flight = [r for r in seen.tolist() if layer.poses.frame[r] > (clip.start_frame or 0) + clip.stage_starts[0]]
        for row in in_flight[3::2]:
            keypoints, visibility = damage(layer.poses, row)
            changed = replace(layer, poses=replace(layer.poses, keypoints=keypoints, visibility=visibility))
            tried, found = tried + 1, found + any(True for _ in RULES[rule](changed))
    assert tried > 20
    assert found >= least * tried


def test_what_is_found_survives_the_disk(truth: Workspace, tmp_path: Path) -> None:
    """A swap written to a pose file is found by the command's way in, in the frame where it is."""
    clip = read_clips(truth)[0]
    path = truth.pose_file("manual/truth", clip.key)
    poses = read_poses(path)
    whole = np.flatnonzero(np.isfinite(poses.keypoints).all((1, 2)))
    row = int(whole[len(whole) // 2])
    keypoints, visibility = swap_sides(poses, row)
    write_poses(truth.pose_file("manual/other", clip.key), replace(poses, keypoints=keypoints, visibility=visibility))
    found = [f for f in validate(truth, select=["pose.sides-swapped"], jobs=1) if f.layer == "manual/other"]
    truth.pose_file("manual/other", clip.key).unlink()
    assert [f.frame for f in found] == [int(poses.frame[row])]
