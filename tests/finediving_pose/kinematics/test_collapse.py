"""Poses that shrink or fold are not measured."""

from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.kinematics.collapse import doubt_collapse
from finediving_pose.kinematics.diver import diver_of_arrays
from finediving_pose.kinematics.measure import measure_divers
from finediving_pose.kinematics.quantities import Facts
from finediving_pose.kinematics.readings import Reason
from finediving_pose.poses import JointSource
from finediving_pose.skeleton import INDEX
from tests.finediving_pose.kinematics.made_up import MadeUpDive, stick_figure


def shortened(points: np.ndarray, frames: slice, joint: str, towards: str, share: float) -> np.ndarray:
    """The points with a joint, on both sides where it has two, at a share of its distance from another."""
    moved = points.copy()
    for side in ("",) if joint in INDEX else ("right_", "left_"):
        start, end = points[frames, INDEX[side + towards]], points[frames, INDEX[side + joint]]
        moved[frames, INDEX[side + joint]] = start + share * (end - start)
    return moved


@pytest.mark.parametrize(
    ("joint", "towards", "share", "unsure"),
    [
        ("thorax", "pelvis", 0.4, {"pelvis", "thorax", "right_hip", "left_hip", "right_shoulder", "left_shoulder"}),
        ("knee", "hip", 0.4, {"right_knee", "left_knee", "right_ankle", "left_ankle"}),
        ("ankle", "knee", 2.0, {"right_ankle", "left_ankle"}),
        ("ankle", "knee", 0.8, set()),
    ],
)
def test_segments_that_are_not_this_diver_s_are_unsure(joint: str, towards: str, share: float, unsure: set[str]):
    points = shortened(stick_figure(np.zeros(20)), slice(5, 8), joint, towards, share)
    reason = doubt_collapse(diver_of_arrays(points)).reason
    assert {name for name, j in INDEX.items() if (reason[5:8, j] == Reason.UNSURE).all()} == unsure
    assert (np.delete(reason, slice(5, 8), axis=0) == Reason.MEASURED).all()


def test_legs_that_lie_along_the_trunk_are_no_pike():
    hip = np.where(np.arange(30) < 4, 176.0, 150.0)
    reason = doubt_collapse(diver_of_arrays(stick_figure(np.zeros(30), hip))).reason
    assert (reason[:4, INDEX["right_knee"]] == Reason.UNSURE).all()
    assert (reason[4:] == Reason.MEASURED).all()


def test_what_a_person_placed_is_believed():
    points = shortened(stick_figure(np.zeros(20)), slice(5, 8), "knee", "hip", 0.4)
    by_hand = diver_of_arrays(points, source=np.full((20, 16), JointSource.MANUAL))
    assert (doubt_collapse(by_hand).reason == Reason.MEASURED).all()


def test_a_pose_that_collapses_at_the_entry_has_no_straightness():
    """Confident legs that fold and shrink from 0.1 s before the touch on: no bend of the body is made of them."""
    dive = MadeUpDive(50.0)
    late = slice(int((dive.touch - 0.1) * 50), None)
    points = shortened(dive.points, late, "knee", "hip", 0.3)
    points = shortened(points, late, "ankle", "knee", 0.3)
    (found,) = measure_divers([dive.diver(keypoints=points)], dive.times, Facts("205b", 10.0, (25,)))
    assert found.values["straightness_deg"].reason == Reason.UNSURE
    assert found.values["entry_angle_deg"].measured
