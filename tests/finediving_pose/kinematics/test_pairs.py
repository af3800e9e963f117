"""Two divers: how far apart in time and in shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finediving_pose.kinematics.measure import Facts, measure_divers
from finediving_pose.kinematics.pairs import lag, mean_difference
from finediving_pose.kinematics.quantities import PAIR_QUANTITIES
from finediving_pose.kinematics.readings import Reason, Series
from tests.finediving_pose.kinematics.made_up import MadeUpDive

TIMES = np.arange(60) / 25


def turning(delay: float, turns: int = 0) -> Series:
    """A trunk that begins to turn ``delay`` seconds late, at an uneven rate."""
    t = np.maximum(TIMES - 0.4 - delay, 0)
    return Series(360 * turns + 600 * t + 80 * np.sin(5 * t), np.zeros(60, np.uint8))


@settings(max_examples=15)
@given(st.floats(-0.2, 0.2), st.integers(-2, 2))
def test_the_lag_is_how_much_later_the_second_diver_turns(delay, turns):
    """Angles between frames are taken from straight lines, which is good to a few milliseconds."""
    assert lag(turning(0.0), turning(delay, turns), TIMES) == pytest.approx(delay, abs=0.005)
    assert lag(turning(delay, turns), turning(0.0), TIMES) == pytest.approx(-delay, abs=0.005)


def test_divers_too_far_apart_or_hardly_seen_have_no_lag():
    assert np.isnan(lag(turning(0.0), turning(0.5), TIMES))
    assert np.isnan(lag(turning(0.0), turning(0.1).where(TIMES < 0.2, Reason.HIDDEN), TIMES))


def test_differences_are_taken_where_both_are_seen():
    one, two = turning(0.0), Series(turning(0.0).values + 10, np.zeros(60, np.uint8))
    everywhere = np.ones(60, bool)
    assert mean_difference(one, two, everywhere) == pytest.approx(10)
    assert mean_difference(one, turning(0.0, turns=2), everywhere, period=360) == pytest.approx(0)
    assert np.isnan(mean_difference(one, two.where(TIMES < 0.05, Reason.NO_POSE), everywhere))


def test_a_pair_is_measured_together_and_each_for_itself():
    dive = MadeUpDive(50.0)
    late = 3  # frames
    second = dive.diver(keypoints=np.roll(dive.points, late, axis=0), confidence=np.roll(dive.confidence, late, axis=0))
    facts = Facts("205b", 10.0, (25,), pair=True)
    one, two = measure_divers([dive.diver(), second], dive.times, facts)
    assert not set(PAIR_QUANTITIES) & set(one.values)
    assert two.values["lag_s"].value == pytest.approx(late / 50, abs=0.01)
    assert two.values["hip_difference_deg"].value > 1
    assert two.values["touch_s"].value - one.values["touch_s"].value == pytest.approx(late / 50, abs=1e-6)


def test_an_absent_partner_is_an_absence():
    dive = MadeUpDive(50.0)
    nobody = dive.diver(keypoints=np.full_like(dive.points, np.nan), confidence=None)
    one, two = measure_divers([dive.diver(), nobody], dive.times, Facts("205b", 10.0, (25,), pair=True))
    assert one.values["half_somersaults"].value == 5
    assert two.values["touch_s"].reason == Reason.NO_DIVER
    assert {two.values[name].reason for name in PAIR_QUANTITIES} == {Reason.NO_TOUCH}
    assert set(two.series["hip_deg"].reason.tolist()) == {Reason.NO_POSE}
