"""Two divers exchanged in review are exchanged in the merged poses."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from annotate.crop import box_of_joints
from annotate.merge import merge_clips
from annotate.review.findings import findings_of_clip
from finediving_pose.journals.entry import HAND, MACHINE, Entry, Joint
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import ClipPoses, JointSource, read_poses, take_rows, write_poses
from finediving_pose.reviews import ReviewState
from finediving_pose.validate.runner import validate
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY, pair
from tests.annotate.review.made_up import Hand, at_work, place

FRAME = 1


@pytest.fixture
def two(grey: Workspace) -> Workspace:
    """Two divers by the machine, in the clip's three frames."""
    return with_pair(grey, pair(distance=30))


def with_pair(workspace: Workspace, poses: ClipPoses) -> Workspace:
    write_poses(workspace.pose_file("auto", KEY), take_rows(poses, np.flatnonzero(poses.frame < 3)))
    return workspace


def taken_over(auto: ClipPoses, person: int, by: str, state: ReviewState | None) -> Entry:
    """The machine's pose of a diver as the page sends it for the other one."""
    row = auto.row(FRAME, person)
    assert row is not None
    return Entry(tuple(Joint(float(x), float(y), by=by) for x, y in auto.keypoints[row]), state)


def exchange(workspace: Workspace, by: str = MACHINE, state: ReviewState | None = ReviewState.CORRECTED) -> ClipPoses:
    """``P``; the machine's poses."""
    auto = read_poses(workspace.pose_file("auto", KEY))
    with at_work(workspace) as session:
        Hand(session).does(*((place(FRAME, p), taken_over(auto, 1 - p, by, state)) for p in (0, 1)))
    return auto


def merged(workspace: Workspace) -> ClipPoses:
    merge_clips(workspace, read_clips(workspace))
    return read_poses(workspace.pose_file("merged", KEY))


def joints(poses: ClipPoses, frame: int, person: int) -> np.ndarray:
    row = poses.row(frame, person)
    assert row is not None
    return poses.keypoints[row]


@pytest.mark.parametrize(
    ("by", "state"), [(MACHINE, ReviewState.CORRECTED), (MACHINE, None), (HAND, ReviewState.CORRECTED)]
)
def test_what_is_seen_is_what_is_merged(two: Workspace, by: str, state: ReviewState | None) -> None:
    """Joints of the machine are known by themselves to be the other diver's; those of a person by the review."""
    auto = exchange(two, by, state)
    found = merged(two)
    for person in (0, 1):
        np.testing.assert_allclose(joints(found, FRAME, person), joints(auto, FRAME, 1 - person))
        np.testing.assert_allclose(joints(found, 2, person), joints(auto, 2, person))


def test_the_joints_stay_the_machines_and_the_box_goes_with_them(two: Workspace) -> None:
    auto = exchange(two)
    found = merged(two)
    for person in (0, 1):
        row = found.row(FRAME, person)
        assert row is not None
        assert (found.source[row] == JointSource.AUTOMATIC).all()
        around = box_of_joints(joints(auto, FRAME, 1 - person)[None])[0]
        np.testing.assert_allclose(found.box[row], around)


@pytest.mark.parametrize("exchanged", [True, False])
def test_poses_of_the_machine_in_a_persons_layer_are_strange_unless_exchanged(two: Workspace, exchanged: bool) -> None:
    auto = exchange(two)
    if not exchanged:
        write_poses(two.pose_file("manual/anna", KEY), replace(auto, author=["anna"] * len(auto)))
    strange = [f.message for f in validate(two, select=["pose.source"], jobs=1)]
    assert any("placed by the machine" in message for message in strange) is not exchanged


def test_the_rules_see_it_as_it_is_merged(two: Workspace) -> None:
    """On the page, and in validate of the merged poses."""
    exchange(two)
    merged(two)
    on_disk = {(f.rule, f.frame) for f in validate(two, select=["pose"], jobs=1) if f.layer == "merged"}
    with at_work(two) as session:
        on_page = {(f.rule, f.frame) for f in findings_of_clip(session, KEY)}
    assert on_page == on_disk
    assert on_page
    assert not {rule for rule, _ in on_page if rule.startswith("pose.merge")}


def test_poses_of_a_later_estimator_that_numbers_them_otherwise_are_exchanged_as_well(two: Workspace) -> None:
    """The person said: these two are the other way round than the machine has them here."""
    auto = exchange(two)
    with_pair(two, replace(pair(distance=30), person=1 - pair().person))
    found = merged(two)
    later = read_poses(two.pose_file("auto", KEY))
    for person in (0, 1):
        np.testing.assert_allclose(joints(found, FRAME, person), joints(later, FRAME, 1 - person))
        np.testing.assert_allclose(joints(found, FRAME, person), joints(auto, FRAME, person))


def test_poses_that_another_program_wrote_later_are_numbered_as_the_machines(two: Workspace) -> None:
    auto = exchange(two, HAND)
    layer = read_poses(two.pose_file("manual/anna", KEY))
    write_poses(two.pose_file("manual/anna", KEY), replace(layer, time=["2099-01-01T00:00:00+00:00"] * len(layer)))
    np.testing.assert_allclose(joints(merged(two), FRAME, 0), joints(auto, FRAME, 0))


def test_without_its_reviews_a_layer_of_placed_joints_is_numbered_as_the_machines(two: Workspace) -> None:
    """As any other layer of hands."""
    auto = exchange(two, HAND)
    shutil.rmtree(two.reviews)
    np.testing.assert_allclose(joints(merged(two), FRAME, 0), joints(auto, FRAME, 0))
