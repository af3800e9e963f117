"""The moments of dives of which everything is known."""

from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.kinematics.angles import pair_angle
from finediving_pose.kinematics.height import centre_of_mass, fall, height_above_water
from finediving_pose.kinematics.moments import closure, come_out, labelled_take_off
from finediving_pose.kinematics.readings import Reason, Series
from tests.finediving_pose.kinematics.made_up import SIZE, MadeUpDive

FPS = [25.0, 60.0, 240.0]


def test_a_labelled_take_off_is_between_two_frames():
    times = np.arange(50) / 25
    assert labelled_take_off((20, 40), times) == pytest.approx(19.5 / 25)
    assert labelled_take_off((), times) is None
    assert labelled_take_off((70,), times) is None


@pytest.mark.parametrize("fps", FPS)
@pytest.mark.parametrize("platform", [3.0, 10.0])
def test_before_a_still_camera_the_fall_tells_scale_and_height(fps, platform):
    dive = MadeUpDive(fps, platform)
    diver = dive.diver()
    falling = fall(diver, dive.times, dive.take_off, dive.touch)
    assert falling is not None
    assert falling.scale == pytest.approx(SIZE, rel=0.02)
    heights = height_above_water(diver, falling, dive.flight, platform)
    assert heights is not None
    flying = (dive.times >= dive.take_off) & (dive.times <= dive.touch)
    assert heights.values[flying].max() - heights.values[0] == pytest.approx(dive.rise, abs=0.02)
    assert heights.values[flying][-1] == pytest.approx(1.0, abs=0.4)


def test_a_camera_that_follows_the_diver_says_nothing_in_metres():
    dive = MadeUpDive()
    centre, _ = centre_of_mass(dive.diver())
    still = dive.points - centre[:, None] + [200, 100]
    diver = dive.diver(keypoints=still)
    assert fall(diver, dive.times, dive.take_off, dive.touch) is None


def test_a_platform_of_another_height_is_noticed():
    dive = MadeUpDive(platform=10.0)
    falling = fall(dive.diver(), dive.times, dive.take_off, dive.touch)
    assert falling is not None and height_above_water(dive.diver(), falling, dive.flight, 5.0) is None


def test_the_closest_pike_and_the_come_out():
    dive = MadeUpDive(100.0)
    hip = pair_angle(dive.diver(), "hip")
    found = closure(hip, dive.times, dive.take_off, dive.touch)
    assert found is not None
    assert found[0] == pytest.approx(130, abs=0.5)
    assert found[1] == pytest.approx(dive.take_off + 0.24 * dive.flight, abs=0.03)
    assert come_out(hip, dive.times, found, dive.touch) == pytest.approx(dive.opens, abs=0.02)


def test_one_wrong_pose_is_no_closure_and_a_straight_dive_has_none():
    times = np.arange(50) / 25
    hip = np.full(50, 5.0)
    assert closure(Series(hip, np.zeros(50, int)), times, 0.2, 1.8) is None
    hip[25] = 150
    assert closure(Series(hip, np.zeros(50, int)), times, 0.2, 1.8) is None


def test_a_come_out_that_nobody_saw_is_not_guessed():
    dive = MadeUpDive(25.0)
    hip = pair_angle(dive.diver(), "hip")
    closed = closure(hip, dive.times, dive.take_off, dive.touch)
    assert closed is not None
    unseen = hip.where(np.abs(dive.times - dive.opens) > 0.2, Reason.INTERPOLATED)
    assert come_out(unseen, dive.times, closed, dive.touch) is None
    assert come_out(hip, dive.times, closed, dive.opens - 0.2) is None
