"""Automatic poses, with the bundled estimator, on a synthetic dive that it was not trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from annotate.agreement import pckh
from annotate.crop import box_of_joints, iou
from finediving_pose.cli import main
from finediving_pose.formats.official import read_official
from finediving_pose.frames import frame_name
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import ClipPoses, JointSource, read_poses
from finediving_pose.workspace import Workspace

FLOOR_IOU, FLOOR_PCKH = 0.85, 0.55
"""Seen: 0.98 and 0.73."""


def auto(workspace: Workspace, *args: str) -> Any:
    return CliRunner().invoke(main, ["annotate", "--auto", "--data", str(workspace.root), "--json", *args])


def true_poses(competition: Path, poses: ClipPoses, key: Any) -> np.ndarray:
    """True joints of each row, NaN where the diver is not in the picture."""
    truth = {p.image: p.keypoints for p in read_official(competition / "truth" / "annotations.json")}
    nothing = np.full((16, 2), np.nan)
    return np.stack([truth.get(f"{key}/{frame_name(int(n))}", nothing) for n in poses.frame])


def test_the_bundled_estimator_finds_the_diver_and_the_joints(dives: Workspace, competition: Path) -> None:
    result = auto(dives)
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    clips = read_clips(dives)
    assert (said["annotated"], said["frames"]) == (2, sum(c.n_frames or 0 for c in clips))
    assert len(said["lowest_confidence"]) == 2
    found = {c.key: read_poses(dives.pose_file("auto", c.key)) for c in clips}
    truth = {key: true_poses(competition, poses, key) for key, poses in found.items()}
    pred = np.concatenate([p.keypoints for p in found.values()])
    true = np.concatenate(list(truth.values()))
    whole = ~np.isnan(true).any((1, 2))
    overlap = iou(np.concatenate([p.box for p in found.values()]), box_of_joints(true))
    assert (overlap[whole] >= 0.5).mean() > FLOOR_IOU
    assert pckh(pred, true) > FLOOR_PCKH
    assert all(set(p.author) == {"diver-r18"} for p in found.values())
    assert set(np.unique(np.concatenate([p.source for p in found.values()]))) <= {
        JointSource.AUTOMATIC, JointSource.INTERPOLATED, JointSource.NONE,
    }  # fmt: skip


def test_what_is_annotated_is_kept_until_forced(dives: Workspace) -> None:
    key = read_clips(dives)[0].key
    auto(dives, "--clip", str(key))
    path = dives.pose_file("auto", key)
    before = path.stat().st_mtime_ns
    said = json.loads(auto(dives).stdout)
    assert (said["annotated"], said["kept"]) == (1, 1) and path.stat().st_mtime_ns == before
    assert json.loads(auto(dives, "--clip", str(key), "--force").stdout)["annotated"] == 1
    assert path.stat().st_mtime_ns > before


def test_a_clip_with_a_damaged_picture_is_named_and_the_others_are_annotated(dives: Workspace) -> None:
    first, second = (c.key for c in read_clips(dives))
    picture = sorted(dives.frame_folder(first).glob("*.jpg"))[3]
    picture.write_bytes(picture.read_bytes()[:500])
    result = auto(dives)
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert picture.name in last and str(first) in last and "cut short" in last
    assert not dives.pose_file("auto", first).exists() and dives.pose_file("auto", second).exists()


def test_a_clip_without_frames_says_how_to_get_them(dives: Workspace) -> None:
    key = read_clips(dives)[0].key
    (dives.frame_folder(key) / "clip.json").unlink()
    result = auto(dives, "--clip", str(key))
    assert result.exit_code == 1 and f"fdpose extract --clip {key}" in result.stderr


def test_a_checkpoint_that_is_gone_is_named(dives: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("annotate.estimators.presets.CHECKPOINTS", tmp_path)
    result = auto(dives)
    assert result.exit_code == 1
    assert "diver-r18-pose.pth: a checkpoint of estimator diver-r18 is missing" in result.stderr
