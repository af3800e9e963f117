"""Two tables of a pair number the divers alike before they are merged or compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.persons import joints_of, numbered_like
from finediving_pose.poses import ClipPoses, JointSource
from tests.annotate.made_up import PAIR_FRAMES, pair, table


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
