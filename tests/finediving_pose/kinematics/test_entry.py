"""How flights end of which everything is known: in the water, at the edge of the picture, or with the clip."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from finediving_pose.kinematics.diver import Diver
from finediving_pose.kinematics.entry import find_ending
from finediving_pose.kinematics.readings import Reason
from finediving_pose.poses import Visibility
from tests.finediving_pose.kinematics.made_up import SIZE, MadeUpDive

FPS = [25.0, 60.0, 240.0]


def touch(
    diver: Diver, times: NDArray[np.float64], height: float | None = None, take_off: float | None = None
) -> float | None:
    found = find_ending(diver, times, height, take_off).touch
    return found.value if found.measured else None


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
    assert find_ending(diver, dive.times[short], 10.0).until == dive.times[short][-1]


def test_who_is_hidden_and_seen_again_is_not_under_water():
    dive = MadeUpDive()
    short = dive.times < dive.touch - 0.3
    confidence = dive.confidence[short].copy()
    confidence[(dive.times[short] > 0.7) & (dive.times[short] < 1.0)] = 0.05
    assert touch(dive.diver(keypoints=dive.points[short], confidence=confidence), dive.times[short]) is None


def test_a_diver_who_is_lost_is_not_in_the_air_at_the_end_of_the_clip():
    """Nor under water: who is never seen well, or is seen again."""
    dive = MadeUpDive()
    assert find_ending(dive.diver(keypoints=np.full_like(dive.points, np.nan)), dive.times).until is None
    confidence = dive.confidence.copy()
    confidence[dive.times > dive.touch - 0.3] *= 0.3
    lost = find_ending(dive.diver(confidence=confidence), dive.times, 10.0)
    assert not lost.touch.measured and lost.until is None


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


def test_who_vanishes_for_a_moment_and_is_seen_again_did_not_go_under():
    """The pose collapses at the end of the clip, 0.3 s before the touch, and comes back for a moment."""
    dive = MadeUpDive()
    short = dive.times < dive.touch
    times, confidence = dive.times[short], dive.confidence[short].copy()
    end = times[-1]
    confidence[times > end - 0.4] = 0.2
    diver = dive.diver(keypoints=dive.points[short], confidence=confidence)
    back = confidence.copy()
    back[(times > end - 0.2) & (times < end - 0.1)] = 0.8
    assert touch(dive.diver(keypoints=dive.points[short], confidence=back), times, 10.0) is None
    assert touch(diver, times, 10.0) is None  # all joints vanish at once, not the lowest first


@pytest.mark.parametrize("fps", FPS)
@pytest.mark.parametrize("above", [0.4, 1.0])
def test_who_leaves_the_picture_above_the_water_does_not_touch_it(fps, above):
    """The picture ends so many metres above where the centre of mass is at the touch; an estimator puts joints that are
    beyond at the edge."""
    dive = MadeUpDive(fps)
    picture = (700, round(700 - SIZE * above))
    lowest = np.full_like(dive.points[..., 1], picture[1] - 1.0)
    points = np.stack([dive.points[..., 0], np.minimum(dive.points[..., 1], lowest)], -1)
    confidence = np.where(dive.points[..., 1] > lowest, 0.1, 0.9)
    ending = find_ending(dive.diver(keypoints=points, confidence=confidence, picture=picture), dive.times, 10.0)
    assert ending.touch.reason == Reason.AT_EDGE
    assert ending.until is not None and dive.touch - 0.3 < ending.until < dive.touch + 0.2


def test_water_that_is_in_the_picture_is_touched():
    """Hands are a metre below the centre of mass, which is at 700 pixels at the touch; half a body later they are 1.5
    metres deeper."""
    dive = MadeUpDive()
    picture = (700, round(700 + SIZE * 3))
    found = touch(dive.diver(picture=picture), dive.times, 10.0)
    assert found == pytest.approx(dive.touch, abs=0.05)


def vanishing(dive: MadeUpDive, start: float, seconds: float) -> NDArray[np.float64]:
    """Confidences of joints that vanish from below, one after the other, from a moment on."""
    share = np.clip((dive.times - start) / seconds, 0, 1)[:, None]
    order = np.argsort(np.argsort(-dive.points[..., 1], axis=1, kind="stable"), axis=1) / dive.points.shape[1]
    return np.where(order < share, 0.05, 0.9)


def test_a_body_goes_under_as_fast_as_it_falls():
    dive = MadeUpDive()
    found = [
        touch(dive.diver(confidence=vanishing(dive, dive.touch, seconds)), dive.times, 10.0) for seconds in (0.25, 0.7)
    ]
    assert found[0] == pytest.approx(dive.touch, abs=0.05) and found[1] is None


def test_who_vanishes_in_the_pike_does_not_touch_the_water():
    dive = MadeUpDive()
    pike = dive.take_off + dive.flight / 2
    assert touch(dive.diver(confidence=vanishing(dive, pike, 0.25)), dive.times) is None


def test_hands_may_be_at_the_edge_where_the_legs_vanish_in_the_water():
    """The camera is late: it moves down with the diver from 0.05 s after the touch on."""
    dive = MadeUpDive(100.0)
    camera = SIZE * 14 * np.clip(dive.times - dive.touch - 0.05, 0, 0.4)
    points = dive.points - [0, 1] * camera[:, None, None]
    found = touch(dive.diver(keypoints=points, picture=(700, 790)), dive.times, 10.0)
    assert found == pytest.approx(dive.touch, abs=0.05)


def test_who_vanishes_from_above_does_not_go_under():
    dive = MadeUpDive()
    order = np.argsort(np.argsort(dive.points[..., 1], axis=1, kind="stable"), axis=1) / dive.points.shape[1]
    share = np.clip((dive.times - dive.touch) / 0.25, 0, 1)[:, None]
    assert touch(dive.diver(confidence=np.where(order < share, 0.05, 0.9)), dive.times, 10.0) is None


def test_who_is_hardly_seen_before_is_lost_and_not_under_water():
    dive = MadeUpDive()
    fading = np.select([dive.times < dive.touch - 0.8, dive.times < dive.touch - 0.4], [0.9, 0.6], 0.4)
    ending = find_ending(dive.diver(confidence=np.minimum(dive.confidence, fading[:, None])), dive.times, 10.0)
    assert ending.touch.reason == Reason.NO_TOUCH and ending.until is None


def test_who_is_seen_again_did_not_go_under():
    dive = MadeUpDive()
    confidence = dive.confidence.copy()
    confidence[(dive.times > dive.touch + 0.4) & (dive.times < dive.touch + 0.5)] = 0.85
    assert touch(dive.diver(), dive.times, 10.0) is not None
    assert touch(dive.diver(confidence=confidence), dive.times, 10.0) is None
