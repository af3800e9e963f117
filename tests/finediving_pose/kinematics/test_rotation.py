"""A turning trunk is followed as far as it may be, and its rate and count are right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finediving_pose.kinematics.readings import Reason, Series
from finediving_pose.kinematics.rotation import FASTEST, half_turns, rate, unwrap, value_at


def wrapped(angle: np.ndarray) -> Series:
    return Series((angle + 180) % 360 - 180, np.zeros(len(angle), np.uint8))


@settings(max_examples=30)
@given(st.floats(-1200, 1200), st.floats(-170, 170), st.sampled_from([25.0, 60.0, 240.0]))
def test_a_figure_that_turns_at_a_known_rate_is_followed_and_its_rate_found(speed, start, fps):
    times = np.arange(round(1.6 * fps)) / fps
    angle = start + speed * times
    followed = unwrap(wrapped(angle), times)
    np.testing.assert_allclose(followed.values, angle, atol=1e-6)
    np.testing.assert_allclose(rate(followed, times).values, speed, atol=1e-4)


@given(st.integers(0, 2**31), st.floats(-1200, 1200))
def test_short_gaps_are_bridged_at_the_rate_of_the_frames_before(seed, speed):
    times = np.arange(50) / 25
    angle = wrapped(speed * times)
    lost = np.zeros(50, bool)
    for start in np.random.default_rng(seed).choice(np.arange(6, 44, 8), 3, replace=False).tolist():
        lost[start : start + 3] = True
    followed = unwrap(Series(angle.values, np.where(lost, Reason.NO_POSE, 0)), times)
    np.testing.assert_allclose(followed.values[~lost], (speed * times)[~lost], atol=1e-6)
    assert (followed.reason[lost] == Reason.NO_POSE).all()


def test_a_long_gap_is_not_bridged_and_the_longer_part_is_kept():
    times = np.arange(60) / 25
    reason = np.zeros(60, np.uint8)
    reason[20:28] = Reason.NO_POSE
    followed = unwrap(Series(wrapped(800 * times).values, reason), times)
    assert (followed.reason[:20] == Reason.GAP).all() and followed.measured[28:].all()
    assert np.isnan(followed.values[:28]).all()


def test_without_times_no_gap_is_bridged():
    reason = np.zeros(20, np.uint8)
    reason[8] = Reason.INTERPOLATED
    followed = unwrap(Series(wrapped(30.0 * np.arange(20)).values, reason), None)
    assert (followed.reason[:8] == Reason.GAP).all() and followed.measured[9:].all()


def test_a_pose_that_is_upside_down_for_one_frame_is_left_out():
    times = np.arange(30) / 25
    angle = 700 * times
    angle[12] += 180
    followed = unwrap(wrapped(angle), times)
    assert followed.reason[12] == Reason.UNSURE
    angle[12] -= 180
    np.testing.assert_allclose(np.delete(followed.values, 12), np.delete(angle, 12), atol=1e-6)
    assert FASTEST + 700 < 180 * 25


def test_a_long_clip_has_the_rates_of_a_short_one():
    times = np.arange(2000) / 240
    angle = Series(200 * np.sin(3 * times) + 300 * times, np.zeros(2000, np.uint8))
    whole = rate(angle, times).values
    np.testing.assert_allclose(whole[50:-50], (600 * np.cos(3 * times) + 300)[50:-50], atol=5)
    part = slice(700, 1100)
    alone = rate(Series(angle.values[part], angle.reason[part]), times[part]).values
    np.testing.assert_allclose(alone[30:-30], whole[part][30:-30], rtol=1e-9)


def test_a_rate_needs_three_frames_and_their_times():
    times = np.arange(9) / 25
    reason = np.full(9, Reason.NO_POSE, np.uint8)
    reason[[0, 1]] = Reason.MEASURED
    lonely = Series(np.zeros(9), reason)
    assert rate(lonely, times).reason[:2].tolist() == [Reason.GAP, Reason.GAP]
    assert set(rate(lonely, None).reason.tolist()) == {Reason.TIMES_UNKNOWN}


def test_a_value_at_a_moment_lies_on_the_line_through_the_frames_around_it():
    times = np.arange(10) / 10
    series = Series(3 * times + 1, np.zeros(10, np.uint8))
    assert value_at(series, times, 0.44, 0.2, 0.2) == pytest.approx(3 * 0.44 + 1)
    assert np.isnan(value_at(series, times, 2.0, 0.2, 0.2))


@pytest.mark.parametrize(("turned", "halves"), [(0, 0), (170, 1), (-890, 5), (1255, 7), (1630, 9), (810, None)])
def test_half_somersaults_are_the_nearest_number_of_half_turns_where_one_is_near(turned, halves):
    assert half_turns(turned) == halves
