"""Data directories that a training learns from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.workspace import Workspace


@pytest.fixture
def half_annotated(true_poses: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A synthetic dive with true poses, and one that passes for real, which nobody annotated; an epoch is one batch."""
    monkeypatch.setattr("annotate.training.train.STEPS_PER_EPOCH", 1)
    first, second = read_clips(true_poses)
    write_clips(true_poses.clips_table, [first, replace(second, source="unlabelled")])
    true_poses.pose_file("merged", second.key).unlink()
    return true_poses
