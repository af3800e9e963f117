"""The take-off is where the body's angular momentum stops growing, whatever the camera does."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from finediving_pose.kinematics.diver import diver_of_arrays
from finediving_pose.kinematics.spin import momentum, take_off_of_spin
from tests.finediving_pose.kinematics.made_up import stick_figure

TAKE_OFF, TOUCH = 0.8, 2.5


def turning(times: NDArray[np.float64], rate: float, push: float = 0.15) -> NDArray[np.float64]:
    """A straight body that stands, is turned by the board for ``push`` seconds, and then turns at ``rate``, deg/s."""
    pushed = np.clip(times - (TAKE_OFF - push), 0, push)
    return stick_figure(rate * (pushed**2 / (2 * push) + np.maximum(times - TAKE_OFF, 0)))


@pytest.mark.parametrize("fps", [25, 50, 60, 240])
@pytest.mark.parametrize("rate", [-600.0, 300.0])
def test_the_take_off_of_a_turning_body_is_found_at_every_frame_rate(fps: int, rate: float) -> None:
    times = np.arange(round(3 * fps)) / fps
    found = take_off_of_spin(diver_of_arrays(turning(times, rate)), times, TOUCH)
    assert found == pytest.approx(TAKE_OFF, abs=0.04)


def test_neither_place_nor_size_in_the_picture_matters() -> None:
    times = np.arange(75) / 25
    joints = turning(times, 400)
    moved = joints * 3 + np.stack([90 * times, 40 * np.sin(times)], -1)[:, None]
    one, two = (take_off_of_spin(diver_of_arrays(j), times, TOUCH, 10.0) for j in (joints, moved))
    assert one == pytest.approx(TAKE_OFF, abs=0.04) and two == pytest.approx(one)


def test_a_pike_turns_faster_with_the_same_momentum() -> None:
    times = np.arange(0, 1.5, 0.01)
    straight, piked = stick_figure(400 * times), stick_figure(400 * times, hip=120)
    spins = [np.nanmean(momentum(diver_of_arrays(joints), times)) for joints in (straight, piked)]
    assert 0 > spins[1] > 0.7 * spins[0]  # anticlockwise, and a smaller body
    mirrored = np.nanmean(momentum(diver_of_arrays(straight * [-1, 1]), times))
    assert mirrored == pytest.approx(-spins[0])


def test_a_jump_without_a_turn_tells_nothing() -> None:
    times = np.arange(75) / 25
    noise = np.random.default_rng(0).normal(0, 1, (75, 16, 2))
    assert take_off_of_spin(diver_of_arrays(turning(times, 0) + noise), times, TOUCH) is None


def test_a_flight_that_no_platform_allows_is_none() -> None:
    times = np.arange(75) / 25
    diver = diver_of_arrays(turning(times, 500))
    found = take_off_of_spin(diver, times, TOUCH, 1.0)  # 1.7 s from 1 m: too long
    assert found is None or TOUCH - found < 1.5


def test_frames_without_a_pose_are_left_out() -> None:
    times = np.arange(75) / 25
    joints = turning(times, 500)
    joints[30:34] = np.nan
    assert take_off_of_spin(diver_of_arrays(joints), times, TOUCH) == pytest.approx(TAKE_OFF, abs=0.04)
    joints[:] = np.nan
    assert take_off_of_spin(diver_of_arrays(joints), times, TOUCH) is None


def test_a_clip_that_begins_in_the_air_shows_no_take_off() -> None:
    times = np.arange(75) / 25
    later = times >= TAKE_OFF + 0.1
    assert take_off_of_spin(diver_of_arrays(turning(times, 500)[later]), times[later], TOUCH) is None


def test_a_push_that_is_cut_by_the_edge_of_the_picture_tells_no_take_off() -> None:
    """Of a body that is cut, estimators invent the rest: its momentum is not used."""
    times = np.arange(75) / 25
    joints = turning(times, 400) + np.array([100, 200])
    cut = joints.copy()
    cut[np.abs(times - TAKE_OFF) < 0.13, :, 0] = 1.0
    whole, beside = (diver_of_arrays(points, picture=(400, 400)) for points in (joints, cut))
    assert take_off_of_spin(whole, times, TOUCH) == pytest.approx(TAKE_OFF, abs=0.04)
    assert take_off_of_spin(beside, times, TOUCH) is None
