"""Each rule on the packed file against its data directory, by what happens there after packing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.poses import read_poses, write_poses
from finediving_pose.validate.packed_subject import load_packed
from finediving_pose.validate.rules import RULES
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import add_clip
from tests.finediving_pose.validate.made_up_packed import KEYS, found, poses


def annotate_again(workspace: Workspace) -> None:
    path = workspace.pose_file("auto", KEYS[0])
    changed = read_poses(path)
    write_poses(path, replace(changed, keypoints=changed.keypoints + (np.arange(8) == 3)[:, None, None]))


def merge(workspace: Workspace) -> None:
    write_poses(workspace.pose_file("merged", KEYS[1]), poses(7))


def write_again(workspace: Workspace) -> None:
    write_poses(workspace.pose_file("auto", KEYS[0]), read_poses(workspace.pose_file("auto", KEYS[0])))


def relabel(workspace: Workspace) -> None:
    clips = read_clips(workspace)
    write_clips(workspace.clips_table, [replace(clips[0], dive_score=12.5, split="test"), *clips[1:]])


def another_clip(workspace: Workspace) -> None:
    add_clip(workspace, Clip(ClipKey("men", 3)), [100, 101, 102, 103])


def extract_again(workspace: Workspace) -> None:
    path = workspace.frame_folder(KEYS[2]) / "clip.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "numbers": list(range(50, 58))}))


STALE: list[tuple[Callable[[Workspace], object], str | None, str]] = [
    (annotate_again, "packed.poses", "1 frame with other poses than auto has now; pack it again with: fdpose pack"),
    (merge, "packed.poses", "8 frames with other poses than merged has now"),
    (write_again, None, ""),
    (relabel, "packed.clips", "packed with other labels than the clips table has: split, dive_score"),
    (another_clip, "packed.clips", "1 clip with frames not packed, first men/3"),
    (extract_again, "packed.frames", "packed with 8 frames, the folder has 8 or other numbers"),
]


@pytest.mark.parametrize(("change", "rule", "says"), STALE)
def test_a_stale_packed_file_is_found(
    packed: Workspace, change: Callable[[Workspace], object], rule: str | None, says: str
) -> None:
    change(packed)
    findings = found(packed)
    assert {f.rule for f in findings} == ({rule} if rule else set())
    assert not rule or says in findings[0].message


def test_a_file_elsewhere_is_checked_by_itself(packed: Workspace, tmp_path: Path) -> None:
    annotate_again(packed)
    elsewhere = tmp_path / "copy.h5"
    elsewhere.write_bytes(packed.packed.read_bytes())
    assert [f for r in RULES.values() if r.scope == "packed" for f in r(load_packed(elsewhere))] == []
