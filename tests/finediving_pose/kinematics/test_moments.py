"""The moments of dives of which everything is known."""

from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.kinematics.angles import pair_angle
from finediving_pose.kinematics.height import centre_of_mass, fall, height_above_water
from finediving_pose.kinematics.moments import closure, come_out, labelled_take_off, last_in_air, touch
from finediving_pose.kinematics.readings import Reason, Series
from finediving_pose.poses import Visibility
from tests.finediving_pose.kinematics.made_up import SIZE, MadeUpDive

FPS = [25.0, 60.0, 240.0]


@pytest.mark.parametrize("fps", FPS)
@pytest.mark.parametrize("platform", [3.0, 10.0])
def test_the_touch_is_found_where_joints_begin_to_vanish(fps, platform):
    dive = MadeUpDive(fps, platform)
    for take_off in (None, dive.take_off):
        found = touch(dive.diver(), dive.times, platform, take_off)
        assert found == pytest.approx(dive.touch, abs=0.05)


def test_joints_under_water_may_also_be_absent_or_occluded():
    dive = MadeUpDive()
    gone = dive.confidence < 0.5
    absent = dive.diver(keypoints=np.where(gone[..., None], np.nan, dive.points), confidence=None)
    occluded = dive.diver(visibility=np.where(gone, Visibility.OCCLUDED, Visibility.VISIBLE), confidence=None)
    for diver in (absent, occluded):
        assert touch(diver, dive.times, dive.platform) == pytest.approx(dive.touch, abs=0.06)


def test_rows_that_end_with_the_diver_are_as_good_as_rows_without_joints():
    dive = MadeUpDive()
    points = np.where((dive.times > dive.touch + 0.2)[:, None, None], np.nan, dive.points)
    assert touch(dive.diver(keypoints=points), dive.times, 10.0) == pytest.approx(dive.touch, abs=0.05)


def test_a_clip_that_ends_in_the_air_has_no_touch():
    dive = MadeUpDive()
    short = dive.times < dive.touch - 0.3
    diver = dive.diver(keypoints=dive.points[short], confidence=dive.confidence[short])
    assert touch(diver, dive.times[short], 10.0) is None


@pytest.mark.parametrize("end", [0.1, 0.3, 0.8])
def test_who_is_less_sure_from_the_take_off_on_is_not_under_water(end):
    """Estimators are surest of a body that stands upright: the fall of the confidence at the take-off is no entry."""
    dive = MadeUpDive(60.0)
    short = dive.times < dive.touch - end
    confidence = np.where(dive.times[short] < dive.take_off, 0.9, 0.62)[:, None] * np.ones(16)
    diver = dive.diver(keypoints=dive.points[short], confidence=confidence)
    assert touch(diver, dive.times[short], 10.0) is None
    assert last_in_air(diver, dive.times[short]) == dive.times[short][-1]


def test_who_is_hidden_and_seen_again_is_not_under_water():
    dive = MadeUpDive()
    short = dive.times < dive.touch - 0.3
    confidence = dive.confidence[short].copy()
    confidence[(dive.times[short] > 0.7) & (dive.times[short] < 1.0)] = 0.05
    assert touch(dive.diver(keypoints=dive.points[short], confidence=confidence), dive.times[short]) is None


def test_a_diver_who_is_lost_is_not_in_the_air_at_the_end_of_the_clip():
    dive = MadeUpDive()
    assert last_in_air(dive.diver(), dive.times) is None
    assert last_in_air(dive.diver(keypoints=np.full_like(dive.points, np.nan)), dive.times) is None


def test_where_nobody_is_seen_nobody_touches_the_water():
    dive = MadeUpDive()
    nobody = dive.diver(confidence=np.full(dive.confidence.shape, 0.1))
    assert touch(nobody, dive.times) is None
    assert touch(dive.diver(keypoints=np.full_like(dive.points, np.nan)), dive.times, 10.0, dive.take_off) is None


def test_a_touch_is_not_earlier_than_a_fall_from_the_platform_takes():
    """A diver who is hardly seen for a moment in the air does not go under there."""
    dive = MadeUpDive()
    confidence = dive.confidence.copy()
    confidence[(dive.times > 1.0) & (dive.times < 1.3)] = 0.0
    confidence[dive.times > dive.touch] *= 0.5
    assert touch(dive.diver(confidence=confidence), dive.times, 10.0, dive.take_off) == pytest.approx(
        dive.touch, abs=0.06
    )


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
