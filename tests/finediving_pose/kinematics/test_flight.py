"""A falling body of known flight time rose as high as it did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.kinematics.flight import (
    GRAVITY,
    highest_jump,
    jump_height,
    jump_height_error,
    launch_speed,
    longest_flight,
    speed_at_touch,
)


@given(st.floats(0.01, 2.5), st.sampled_from([1.0, 3.0, 5.0, 7.5, 10.0]))
def test_the_flight_time_of_a_known_jump_gives_the_jump_back(rise, platform):
    flight = longest_flight(platform, rise)
    assert launch_speed(flight, platform) == pytest.approx((2 * GRAVITY * rise) ** 0.5)
    assert jump_height(flight, platform) == pytest.approx(rise)
    assert speed_at_touch(platform, rise) == pytest.approx((2 * GRAVITY * (platform + rise)) ** 0.5)


def test_a_known_dive():
    """1.8 s from 10 m: v0 = 9.81 x 1.8 / 2 - 10 / 1.8 = 3.273 m/s, 0.546 m high."""
    assert launch_speed(1.8, 10) == pytest.approx(3.273, abs=1e-3)
    assert jump_height(1.8, 10) == pytest.approx(0.546, abs=1e-3)


def test_who_only_falls_does_not_rise():
    assert jump_height(1.2, 10) == 0


def test_a_frame_more_or_less_is_centimetres_of_jump():
    error = jump_height_error(1.8, 10, 0.04)
    assert error == pytest.approx(jump_height(1.84, 10) - jump_height(1.8, 10))
    assert error == pytest.approx(0.11, abs=0.01)


@pytest.mark.parametrize(
    ("platform", "lasts", "believed"), [(3, 1.5, True), (3, 1.7, False), (10, 1.85, True), (10, 2.05, False)]
)
def test_a_jump_has_bounds(platform, lasts, believed):
    assert (jump_height(lasts, platform) <= highest_jump(platform)) is believed
