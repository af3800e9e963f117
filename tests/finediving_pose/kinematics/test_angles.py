"""Joint angles are what they are, however the figure lies, and say nothing where joints may not be measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finediving_pose.kinematics.angles import CHAINS, bend, body_bend, pair_angle, side_angle, trunk_angle
from finediving_pose.kinematics.diver import diver_of_arrays
from finediving_pose.kinematics.readings import Reason
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.skeleton import FLIP, INDEX, N_JOINTS
from tests.finediving_pose.kinematics.made_up import stick_figure

bends = st.floats(1, 160)
turns = st.floats(-179, 179)


def test_a_straight_line_is_bent_by_nothing_and_a_folded_one_by_half_a_turn():
    a, b = np.array([0.0, 0.0]), np.array([1.0, 0.0])
    assert bend(a, b, np.array([2.0, 0.0])) == pytest.approx(0)
    assert bend(a, b, np.array([1.0, 5.0])) == pytest.approx(90)
    assert bend(a, b, a) == pytest.approx(180)
    assert np.isnan(bend(a, a, b))


def test_standing_with_the_arms_up_is_the_start_of_every_angle():
    diver = diver_of_arrays(stick_figure(0.0))
    assert trunk_angle(diver).values[0] == pytest.approx(0)
    for joint in ("hip", "knee", "elbow"):
        assert pair_angle(diver, joint).values[0] == pytest.approx(0, abs=1e-4)
    assert pair_angle(diver, "shoulder").values[0] == pytest.approx(180, abs=1e-4)
    assert pair_angle(diver_of_arrays(stick_figure(0.0, shoulder=0.0)), "shoulder").values[0] == pytest.approx(
        0, abs=1e-4
    )


@given(turns, bends, bends, bends, bends)
def test_a_figure_bent_so_is_measured_so_however_it_lies(trunk, hip, knee, shoulder, elbow):
    diver = diver_of_arrays(stick_figure(trunk, hip, knee, shoulder, elbow))
    found = [pair_angle(diver, joint).values[0] for joint in ("hip", "knee", "shoulder", "elbow")]
    np.testing.assert_allclose(found, [hip, knee, shoulder, elbow], atol=1e-3)
    assert trunk_angle(diver).values[0] == pytest.approx(trunk, abs=1e-6)


@settings(max_examples=30)
@given(st.integers(0, 2**31), turns, st.floats(0.2, 20), st.floats(-500, 500), st.floats(-500, 500))
def test_joint_angles_do_not_change_where_a_pose_is_turned_moved_scaled_or_mirrored(seed, turn, scale, x, y):
    points = np.random.default_rng(seed).uniform(0, 100, (3, N_JOINTS, 2))
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    moved = scale * points @ np.array([[c, -s], [s, c]]) + [x, y]
    mirrored = (points * [-1, 1])[:, FLIP]
    for joint in CHAINS:
        here = pair_angle(diver_of_arrays(points), joint).values
        np.testing.assert_allclose(pair_angle(diver_of_arrays(moved), joint).values, here, atol=1e-5)
        np.testing.assert_allclose(pair_angle(diver_of_arrays(mirrored), joint).values, here, atol=1e-5)


@settings(max_examples=20)
@given(st.integers(0, 2**31))
def test_the_angle_of_a_pair_of_limbs_is_the_same_whichever_is_called_left(seed):
    points = np.random.default_rng(seed).uniform(0, 100, (2, N_JOINTS, 2))
    for joint in CHAINS:
        here, swapped = (pair_angle(diver_of_arrays(p), joint).values for p in (points, points[:, FLIP]))
        np.testing.assert_allclose(here, swapped)


def test_the_trunk_turns_anticlockwise_in_the_picture():
    leaning_left = diver_of_arrays(stick_figure(90.0))
    points = leaning_left.keypoints[0]
    assert points[INDEX["thorax"], 0] < points[INDEX["pelvis"], 0]
    assert trunk_angle(leaning_left).values[0] == pytest.approx(90)
    mirrored = diver_of_arrays((stick_figure(90.0) * [-1, 1])[:, FLIP])
    assert trunk_angle(mirrored).values[0] == pytest.approx(-90)


def test_a_body_bent_at_hips_and_knees_is_bent_between_ankles_and_trunk():
    assert body_bend(diver_of_arrays(stick_figure(180.0))).values[0] == pytest.approx(0, abs=1e-4)
    assert body_bend(diver_of_arrays(stick_figure(180.0, hip=20.0))).values[0] == pytest.approx(20)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"visibility": Visibility.OCCLUDED}, Reason.HIDDEN),
        ({"visibility": Visibility.ABSENT}, Reason.NO_JOINT),
        ({"source": JointSource.INTERPOLATED}, Reason.INTERPOLATED),
        ({"source": JointSource.NONE}, Reason.NO_JOINT),
        ({"confidence": 0.1}, Reason.UNSURE),
    ],
)
def test_an_angle_has_a_reason_instead_of_a_number_where_one_of_its_joints_may_not_be_measured(changed, reason):
    shape = (2, N_JOINTS)
    arrays = {"confidence": np.ones(shape), "visibility": np.full(shape, 2), "source": np.full(shape, 1)}
    for name, value in changed.items():
        arrays[name][1, INDEX["left_knee"]] = value
    diver = diver_of_arrays(stick_figure([0.0, 0.0]), **arrays)
    for joint in ("hip", "knee"):
        series = pair_angle(diver, joint)
        assert series.reason.tolist() == [Reason.MEASURED, reason]
        assert np.isfinite(series.values).tolist() == [True, False]
    assert pair_angle(diver, "elbow").measured.all() and trunk_angle(diver).measured.all()


def test_a_frame_without_joints_has_no_pose():
    points = stick_figure([0.0, 0.0])
    points[1] = np.nan
    assert trunk_angle(diver_of_arrays(points)).reason.tolist() == [Reason.MEASURED, Reason.NO_POSE]


def test_sides_are_known_only_where_a_person_placed_the_joints():
    points, source = stick_figure([0.0, 0.0], knee=30.0), np.full((2, N_JOINTS), JointSource.AUTOMATIC)
    source[1] = JointSource.MANUAL
    knee = side_angle(diver_of_arrays(points, source=source), "knee", right=True)
    assert knee.reason.tolist() == [Reason.SIDES_UNKNOWN, Reason.MEASURED]
    assert knee.values[1] == pytest.approx(30)


def test_a_joint_that_a_person_placed_is_sure_whatever_its_confidence():
    source = np.full((1, N_JOINTS), JointSource.MANUAL)
    diver = diver_of_arrays(stick_figure(0.0), confidence=np.zeros((1, N_JOINTS)), source=source)
    assert pair_angle(diver, "hip").measured.all()


@pytest.mark.parametrize("name", ["keypoints", "confidence", "visibility", "source"])
def test_arrays_of_another_shape_are_refused_by_name(name):
    arrays = {"keypoints": stick_figure(0.0), name: np.zeros((3, 7))}
    with pytest.raises(ValueError, match=name):
        diver_of_arrays(**arrays)
