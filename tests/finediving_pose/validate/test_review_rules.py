"""Rules on what people said of poses."""

from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.poses import write_poses
from finediving_pose.reviews import MachinePose, Review, ReviewState, review_file, write_reviews
from finediving_pose.validate.layer_poses import load_layers
from finediving_pose.validate.rules import RULES, Finding
from finediving_pose.workspace import Workspace
from tests.finediving_pose.validate.made_up_frames import CLIP
from tests.finediving_pose.validate.test_pose_rules import good_poses

NAMES = ("pose.reviews-readable", "pose.rejected", "pose.unsure", "pose.accepted-changed")


def found(workspace: Workspace) -> list[Finding]:
    return [f for layer in load_layers(workspace, CLIP) for name in NAMES for f in RULES[name](layer)]


def say(workspace: Workspace, *said: tuple[str, int, ReviewState], shift: float = 0.0) -> None:
    """What people say of frames; the machine's pose that they saw is ``shift`` pixels left of where it is."""

    def seen(joints: np.ndarray) -> MachinePose:
        return MachinePose("net", tuple((x - shift, y) for x, y in joints.tolist()))

    points = good_poses().keypoints
    for name in {s[0] for s in said}:
        reviews = [
            Review(name, CLIP.key, frame, 0, state, "", "t", seen(points[frame]))
            for who, frame, state in said
            if who == name
        ]
        write_reviews(review_file(workspace, name, CLIP.key), reviews)


@pytest.fixture
def posed(workspace: Workspace) -> Workspace:
    write_poses(workspace.pose_file("auto", CLIP.key), good_poses())
    return workspace


@pytest.mark.parametrize("merged", [False, True])
def test_rejected_and_unsure_poses_are_found_once(posed: Workspace, merged: bool) -> None:
    if merged:
        write_poses(posed.pose_file("merged", CLIP.key), good_poses())
    say(posed, ("anna", 2, ReviewState.REJECTED), ("kim", 4, ReviewState.REJECTED), ("kim", 6, ReviewState.UNSURE))
    assert [(f.rule, f.message, f.severity) for f in found(posed)] == [
        ("pose.rejected", "auto: rejected by anna, kim in 2 frames, first 00002.jpg", "warning"),
        ("pose.unsure", "auto: not judged for certain by kim in 1 frame, first 00006.jpg", "note"),
    ]


def test_what_somebody_else_accepted_or_corrected_is_no_fault(posed: Workspace) -> None:
    say(posed, ("anna", 2, ReviewState.REJECTED), ("kim", 2, ReviewState.CORRECTED), ("kim", 3, ReviewState.ACCEPTED))
    assert found(posed) == []


def test_a_rejected_pose_that_is_gone_is_no_fault(posed: Workspace) -> None:
    poses = good_poses()
    poses.keypoints[2], poses.visibility[2] = np.nan, 0
    write_poses(posed.pose_file("auto", CLIP.key), poses)
    say(posed, ("anna", 2, ReviewState.REJECTED))
    assert found(posed) == []


@pytest.mark.parametrize(("shift", "number"), [(0.5, 0), (3.0, 1)])
def test_an_accepted_pose_that_the_estimator_moved_is_found(posed: Workspace, shift: float, number: int) -> None:
    say(posed, ("anna", 5, ReviewState.ACCEPTED), shift=shift)
    findings = found(posed)
    assert len(findings) == number
    assert all((f.rule, f.frame) == ("pose.accepted-changed", 5) for f in findings)


def test_a_damaged_file_of_reviews_is_named_once(posed: Workspace) -> None:
    write_poses(posed.pose_file("merged", CLIP.key), good_poses())
    path = review_file(posed, "anna", CLIP.key)
    path.parent.mkdir(parents=True)
    path.write_text('[{"frame": "x"}]', encoding="utf-8")
    (finding,) = found(posed)
    assert finding.rule == "pose.reviews-readable"
    assert str(path) in finding.message
