"""Entries that a person may take over at once."""

from __future__ import annotations

import numpy as np

from annotate.review.proposals import Poses, between, sides
from finediving_pose.journals.entry import BETWEEN, HAND, Entry, Joint
from finediving_pose.poses import JointSource, Visibility, write_poses
from finediving_pose.reviews import ReviewState
from finediving_pose.skeleton import FLIP
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY, table
from tests.annotate.review.made_up import Hand, at_work, place, placed, with_machine


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
        assert [j.x for j in whole[1] if j] == [float(x) for x in machine[list(FLIP), 0]]
        assert all(j is not None and j.by == HAND for j in whole[1])
        Hand(session).does((place(2), placed(3)))
        assert list(sides(Poses(session, KEY, 0), 1).joints) == [1]


def test_a_run_ends_where_nobody_is(grey: Workspace) -> None:
    poses = table("net", JointSource.AUTOMATIC, frames=(0, 1, 2))
    poses.keypoints[1] = np.nan
    write_poses(grey.pose_file("auto", KEY), poses)
    with at_work(grey) as session:
        assert list(sides(Poses(session, KEY, 0), 0).joints) == [0]
