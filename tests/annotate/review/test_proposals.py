"""Entries that a person may take over at once."""

from __future__ import annotations

import numpy as np
import pytest

from annotate.merge import merge_clips
from annotate.review.proposals import Poses, between, sides
from finediving_pose.journals.entry import BETWEEN, HAND, MACHINE, Entry, Joint
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import JointSource, Visibility, read_poses, write_poses
from finediving_pose.reviews import ReviewState
from finediving_pose.skeleton import FLIP
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY, table
from tests.annotate.review.made_up import Hand, at_work, place, placed, with_machine

SIDES = [j for j, other in enumerate(FLIP) if j != other]


def test_the_frames_between_two_checked_ones_are_filled_in(grey: Workspace) -> None:
    """An accepted one and a corrected one; the joint that was corrected moves with the trunk."""
    with at_work(with_machine(grey)) as session:
        assert "check one before and one after" in between(Poses(session, KEY, 0), 1).why
        x, y = (float(v) for v in table("net", JointSource.AUTOMATIC).keypoints[0, 3])
        Hand(session).does((place(0), placed(3, x=x + 4, y=y)), (place(2), placed(3, x=x + 4, y=y)))
        found = between(Poses(session, KEY, 0), 1).joints
    assert list(found) == [1]
    assert found[1][3] == Joint(round(x + 4, 2), round(y, 2), by=BETWEEN)
    assert found[1][4] is not None


def test_absent_joints_are_not_filled_in(grey: Workspace) -> None:
    gone = Entry((Joint(float("nan"), float("nan"), Visibility.ABSENT), *[None] * 15), ReviewState.CORRECTED)
    for key in (KEY,):
        grey.pose_file("auto", key).unlink(missing_ok=True)
    whole = Entry(tuple(Joint(float(10 * j), float(j * j % 60)) for j in range(16)), ReviewState.CORRECTED)
    with at_work(grey) as session:
        Hand(session).does(
            (place(0), Entry((gone.joints[0], *whole.joints[1:]), ReviewState.CORRECTED)), (place(2), whole)
        )
        found = between(Poses(session, KEY, 0), None).joints
    assert found[1][0] is None
    assert all(j is not None and j.by == BETWEEN for j in found[1][1:])


def test_sides_change_to_the_end_of_the_run(grey: Workspace) -> None:
    """Not in a frame that the person placed joints in, nor after it."""
    with at_work(with_machine(grey)) as session:
        whole = sides(Poses(session, KEY, 0), 0).joints
        assert list(whole) == [0, 1, 2]
        machine = table("net", JointSource.AUTOMATIC).keypoints[0]
        assert [j for j in range(16) if whole[1][j] is not None] == SIDES
        assert [j.x for j in whole[1] if j] == [round(float(x), 2) for x in machine[list(FLIP), 0][SIDES]]
        assert {(j.by, j.confidence) for j in whole[1] if j} == {(MACHINE, 0.5)}
        Hand(session).does((place(2), placed(3)))
        found = sides(Poses(session, KEY, 0), 1)
        assert list(found.joints) == [1] and "before frame 2" in found.why


@pytest.mark.parametrize("state", ReviewState)
def test_sides_change_up_to_a_frame_that_the_person_said_something_of(grey: Workspace, state: ReviewState) -> None:
    with at_work(with_machine(grey)) as session:
        Hand(session).does((place(1), Entry(state=state)))
        found = sides(Poses(session, KEY, 0), 0)
    assert (list(found.joints), found.why) == ([0], "it ends before frame 1, of which you said something")


def test_a_joint_that_the_person_placed_is_the_persons_on_the_other_side_too(grey: Workspace) -> None:
    with at_work(with_machine(grey)) as session:
        Hand(session).does((place(0), placed(0)))
        found = sides(Poses(session, KEY, 0), 0).joints[0]
    assert found[FLIP[0]] == Joint(50.0, 40.0, by=HAND)
    assert [j.by for i, j in enumerate(found) if j and i != FLIP[0]] == [MACHINE] * 11


def test_sides_that_changed_twice_are_the_machines_again(grey: Workspace) -> None:
    """A joint that the machine lacks on one side is lacking on the other in between."""
    poses = table("net", JointSource.AUTOMATIC, frames=(0, 1, 2))
    poses.keypoints[:, 0], poses.visibility[:, 0] = np.nan, Visibility.ABSENT
    write_poses(grey.pose_file("auto", KEY), poses)
    with at_work(grey) as session:
        hand = Hand(session)
        once = sides(Poses(session, KEY, 0), 0).joints
        hand.does(*((place(f), Entry(joints)) for f, joints in once.items()))
        gone = once[0][FLIP[0]]
        assert gone is not None and (gone.visibility, gone.by) == (Visibility.ABSENT, MACHINE)
        assert session.teachable() == 0
        session.flush()
        merge_clips(grey, read_clips(grey))
        merged = read_poses(grey.pose_file("merged", KEY))
        expected = np.array([JointSource.AUTOMATIC] * 16)
        expected[FLIP[0]] = JointSource.NONE
        assert (merged.source == expected).all() and set(merged.confidence[merged.source > 0].tolist()) == {0.5}
        np.testing.assert_allclose(merged.keypoints, poses.keypoints[:, list(FLIP)], atol=0.01)
        twice = sides(Poses(session, KEY, 0), 0).joints
    assert list(twice) == [0, 1, 2] and not any(j for joints in twice.values() for j in joints)


def test_nobody_has_no_sides(grey: Workspace) -> None:
    with at_work(grey) as session:
        assert sides(Poses(session, KEY, 0), 0).why == "there is no pose to change"


def test_a_run_ends_where_nobody_is(grey: Workspace) -> None:
    poses = table("net", JointSource.AUTOMATIC, frames=(0, 1, 2))
    poses.keypoints[1] = np.nan
    write_poses(grey.pose_file("auto", KEY), poses)
    with at_work(grey) as session:
        assert list(sides(Poses(session, KEY, 0), 0).joints) == [0]
