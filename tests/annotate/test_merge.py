"""Hand poses over automatic ones."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from annotate.merge import find_conflicts, merge_clips, merge_tables
from finediving_pose.cli import main
from finediving_pose.errors import PoseError
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import JointSource, read_poses, write_poses
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import BASE, KEY, table


@given(arrays(np.bool_, (16,)), arrays(np.bool_, (16,)))
def test_each_joint_comes_from_the_hand_if_it_has_it_else_from_the_machine(by_hand: np.ndarray, by_machine) -> None:
    hand = table("anna", JointSource.MANUAL, by_hand)
    auto = table("net", JointSource.AUTOMATIC, by_machine, shift=5)
    merged = merge_tables([hand], auto)
    expected = np.where(by_hand, JointSource.MANUAL, np.where(by_machine, JointSource.AUTOMATIC, JointSource.NONE))
    np.testing.assert_array_equal(merged.source[0], expected)
    position = np.where(by_hand[:, None], hand.keypoints[0], auto.keypoints[0])
    np.testing.assert_array_equal(merged.keypoints[0], position)
    used = ["anna"] * bool(by_hand.any()) + ["net"] * bool((by_machine & ~by_hand).any())
    assert merged.author[0] == "+".join(used)


@given(st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_every_frame_that_anybody_has_is_in_the_merge_once(one: set[int], two: set[int]) -> None:
    hand = table("anna", JointSource.MANUAL, frames=tuple(one))
    auto = table("net", JointSource.AUTOMATIC, frames=tuple(two))
    assert merge_tables([hand], auto).frame.tolist() == sorted(one | two)


def test_of_two_annotators_the_one_who_worked_last_goes_first() -> None:
    early = table("anna", JointSource.MANUAL, shift=1, time="2026-01-01T00:00:00+00:00")
    late = table("ben", JointSource.MANUAL, np.arange(16) < 8, shift=2, time="2026-01-02T00:00:00+00:00")
    merged = merge_tables([early, late], None)
    np.testing.assert_allclose(merged.keypoints[0, :, 0] - BASE[:, 0], np.where(np.arange(16) < 8, 2, 1), atol=1e-4)
    assert merged.author == ["ben+anna"] and merged.time == late.time


def test_annotators_conflict_beyond_the_threshold_only() -> None:
    anna, ben = table("anna", JointSource.MANUAL), table("ben", JointSource.MANUAL)
    ben.keypoints[0, 3, 0] += 10.5
    ben.keypoints[0, 4, 0] += 9.5
    (conflict,) = find_conflicts(KEY, [anna, ben], 10)
    assert str(conflict) == "meet/0 frame 0 left_hip: anna and ben differ by 10 px"


def test_a_merge_on_disk_counts_and_compares(grey: Workspace) -> None:
    write_poses(grey.pose_file("auto", KEY), table("net", JointSource.AUTOMATIC, shift=8, frames=(0, 1, 2)))
    hand = table("anna", JointSource.MANUAL, frames=(1,))
    hand.keypoints[0, 0] += (0, 40)
    write_poses(grey.pose_file("manual/anna", KEY), hand)
    result = CliRunner().invoke(main, ["merge", "--data", str(grey.root), "--json"])
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert (said["clips"], said["frames"], said["joints_manual"], said["joints_automatic"]) == (1, 3, 16, 32)
    assert said["machine_against_hand_pckh"] == pytest.approx(15 / 16, abs=1e-4)
    assert said["machine_against_hand_joints"] == 16
    merged = read_poses(grey.pose_file("merged", KEY))
    assert merged.author == ["net", "anna", "net"]
    np.testing.assert_array_equal(merged.keypoints[1], hand.keypoints[0])


def test_a_damaged_pose_file_is_named_and_the_old_merge_stays(grey: Workspace) -> None:
    auto = grey.pose_file("auto", KEY)
    write_poses(auto, table("net", JointSource.AUTOMATIC))
    merge_clips(grey, read_clips(grey))
    merged = grey.pose_file("merged", KEY)
    before = merged.read_bytes()
    auto.write_bytes(auto.read_bytes()[:100])
    with pytest.raises(PoseError, match="not a pose table"):
        merge_clips(grey, read_clips(grey))
    assert merged.read_bytes() == before
