"""Entries that a person may take over at once."""

from __future__ import annotations

import numpy as np

from annotate.review.proposals import Poses, between, carried, sides
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


def machine_turns(workspace: Workspace) -> np.ndarray:
    """The machine's poses of a body that turns by a right angle from frame to frame; its joints in frame 1."""
    poses = table("net", JointSource.AUTOMATIC, frames=(0, 1, 2))
    for frame in (1, 2):
        x, y = poses.keypoints[frame - 1].T
        poses.keypoints[frame] = np.stack([100 - y, x], axis=-1)
    write_poses(workspace.pose_file("auto", KEY), poses)
    return poses.keypoints[1]


def test_a_correction_is_carried_over_as_the_trunk_sees_it(grey: Workspace) -> None:
    """From the frame before, else from the one after; only joints that the person placed, and as they were seen."""
    machine = machine_turns(grey)
    x, y = (float(v) for v in table("net", JointSource.AUTOMATIC).keypoints[0, 3])
    hidden = Entry(
        tuple(Joint(x + 4, y, Visibility.OCCLUDED) if j == 3 else None for j in range(16)), ReviewState.CORRECTED
    )
    with at_work(grey) as session:
        assert "placed no joints" in carried(Poses(session, KEY, 0), 1).why
        Hand(session).does((place(0), hidden))
        (joints,) = carried(Poses(session, KEY, 0), 1).joints.values()
        assert [j for j, joint in enumerate(joints) if joint] == [3]
        assert joints[3] is not None
        assert (joints[3].visibility, joints[3].by) == (Visibility.OCCLUDED, BETWEEN)
        assert np.allclose((joints[3].x, joints[3].y), machine[3] + (0, 4), atol=0.02)
        Hand(session).does((place(2), placed(5)), (place(1), placed(3, x=7)))
        assert not carried(Poses(session, KEY, 0), 1).joints, "the joint that was placed here stays"
        Hand(session).undoes()
        Hand(session).does((place(0), Entry()), (place(2), placed(5)))
        (joints,) = carried(Poses(session, KEY, 0), 1).joints.values()
        assert [j for j, joint in enumerate(joints) if joint] == [5]
        gone = Joint(float("nan"), float("nan"), Visibility.ABSENT)
        Hand(session).does((place(0), Entry((gone,) * 16, ReviewState.CORRECTED)))
        (joints,) = carried(Poses(session, KEY, 0), 1).joints.values()
        assert {joint.visibility for joint in joints if joint} == {Visibility.ABSENT}


def test_where_the_machine_saw_nobody_the_pose_of_the_frame_before_is_taken(grey: Workspace) -> None:
    with at_work(grey) as session:
        assert carried(Poses(session, KEY, 0), 0).why == "there is no pose in the frame before"
        assert not carried(Poses(session, KEY, 0), 1).joints
        Hand(session).does((place(0), placed(3, 4)))
        (joints,) = carried(Poses(session, KEY, 0), 1).joints.values()
    assert [(j, joint.by) for j, joint in enumerate(joints) if joint] == [(3, BETWEEN), (4, BETWEEN)]


def test_nothing_is_carried_over_from_a_frame_without_the_machines_trunk(grey: Workspace) -> None:
    poses = table("net", JointSource.AUTOMATIC, frames=(0, 1, 2))
    poses.keypoints[0, 7] = np.nan
    write_poses(grey.pose_file("auto", KEY), poses)
    with at_work(grey) as session:
        Hand(session).does((place(0), placed(3)))
        assert carried(Poses(session, KEY, 0), 1).why == "no joint of frame 0 can be carried over"
