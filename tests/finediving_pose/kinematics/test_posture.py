"""The entry: from vertical, from a straight line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.kinematics.diver import diver_of_arrays
from finediving_pose.kinematics.posture import from_vertical, is_head_first, straightness, turning
from finediving_pose.kinematics.readings import Series
from tests.finediving_pose.kinematics.made_up import stick_figure

TIMES = np.arange(20) / 25


@pytest.mark.parametrize(
    ("trunk", "way", "past"),
    [(180, 1, 0), (190, 1, 10), (170, 1, -10), (-1265, -1, 5), (-1250, -1, -10), (-1265, 1, -5), (725, 1, 5)],
)
def test_beyond_the_vertical_is_positive_whichever_way_the_dive_turns(trunk, way, past):
    assert from_vertical(trunk, 100 * way) == pytest.approx(past)


@pytest.mark.parametrize(("trunk", "head_first"), [(185, True), (-1250, True), (3, False), (715, False), (-900, True)])
def test_a_trunk_upside_down_goes_in_head_first(trunk, head_first):
    assert is_head_first(trunk) is head_first


@given(st.floats(-60, 60), st.floats(0, 360))
def test_straightness_is_the_bend_of_the_body_however_it_lies(hip, trunk):
    diver = diver_of_arrays(stick_figure(np.full(20, trunk), hip))
    assert straightness(diver, TIMES, 0.4) == pytest.approx(abs(hip), abs=1e-6)


def test_noise_to_both_sides_is_no_bend():
    diver = diver_of_arrays(stick_figure(np.full(20, 180.0), np.where(np.arange(20) % 2, 4.0, -4.0)))
    assert straightness(diver, TIMES, 0.42) < 1.5


def test_a_body_that_nobody_sees_at_the_touch_is_not_straight_nor_turning():
    diver = diver_of_arrays(stick_figure(np.full(20, 180.0)))
    assert np.isnan(straightness(diver, TIMES, 2.0))
    assert np.isnan(turning(Series(100 * TIMES, np.zeros(20, np.uint8)), TIMES, 2.0))
    assert turning(Series(100 * TIMES, np.zeros(20, np.uint8)), TIMES, 0.6) == pytest.approx(48, abs=3)
