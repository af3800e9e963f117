"""Two tables of a pair number the divers alike before they are merged or compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotate.merge import merge_clips
from annotate.persons import joints_of, numbered_like
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import ClipPoses, JointSource, read_poses, write_poses
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import BASE, KEY, PAIR_FRAMES, pair, table


def turned(poses: ClipPoses, frames: set[int]) -> ClipPoses:
    return replace(poses, person=np.where(np.isin(poses.frame, list(frames)), 1 - poses.person, poses.person))


@given(st.sets(st.sampled_from(PAIR_FRAMES)))
def test_frame_by_frame_any_numbering_becomes_that_of_the_reference(frames: set[int]) -> None:
    found = numbered_like(turned(pair(), frames), joints_of(pair()), frame_by_frame=True)
    np.testing.assert_array_equal(found.person, pair().person)
    np.testing.assert_array_equal(found.keypoints, pair().keypoints)


@given(st.sets(st.sampled_from(PAIR_FRAMES)))
def test_over_a_clip_the_divers_are_turned_together_or_not_at_all(frames: set[int]) -> None:
    confused = turned(pair(), frames)
    found = numbered_like(confused, joints_of(pair()))
    right = (found.keypoints == pair().keypoints).all((1, 2)).sum() // 2
    assert right == max(len(frames), len(PAIR_FRAMES) - len(frames))


def test_one_diver_alone_is_found_among_two() -> None:
    second = table("anna", JointSource.MANUAL, shift=38, frames=PAIR_FRAMES)
    assert (numbered_like(second, joints_of(pair())).person == 1).all()
    assert (numbered_like(table("anna", JointSource.MANUAL, shift=2), joints_of(pair())).person == 0).all()


def test_with_nothing_in_common_nobody_is_turned() -> None:
    other = table("anna", JointSource.MANUAL, frames=(100,))
    assert (numbered_like(other, joints_of(pair())).person == 0).all()
    unseen = table("anna", JointSource.MANUAL, np.zeros(16, bool))
    assert (numbered_like(unseen, joints_of(pair()), frame_by_frame=True).person == 0).all()


def test_a_hand_that_began_with_the_other_diver_is_merged_with_its_own(grey: Workspace) -> None:
    hand = table("anna", JointSource.MANUAL, np.arange(16) < 8, shift=41)
    write_poses(grey.pose_file("auto", KEY), pair())
    write_poses(grey.pose_file("manual/anna", KEY), hand)
    merge_clips(grey, [c for c in read_clips(grey) if c.key == KEY])
    merged = joints_of(read_poses(grey.pose_file("merged", KEY)))
    np.testing.assert_allclose(merged[0, 0], BASE, atol=1e-4)
    np.testing.assert_allclose(merged[0, 1][:, 0] - BASE[:, 0], np.where(np.arange(16) < 8, 41, 40), atol=1e-4)
