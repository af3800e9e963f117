"""Poses between frames that a person checked."""

from __future__ import annotations

import numpy as np
import pytest

from annotate.review.interpolate import Machine, along_curves, interpolate, linear
from tests.annotate.made_up import BODY

FRAMES = np.arange(60)
CHECKED = FRAMES[::4]
WANTED = np.setdiff1d(FRAMES[: CHECKED[-1]], CHECKED)


def turning(degrees: float, n: int = 60) -> np.ndarray:
    """True joints (n, 16, 2) of a body that falls and turns about the middle of its trunk."""
    body = BODY - (BODY[6] + BODY[7]) / 2
    angle = np.radians(degrees) * np.arange(n)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    fall = np.stack([200 + 0.5 * np.arange(n), 40 + 0.05 * np.arange(n) ** 2], axis=-1)
    return body @ turn.transpose(0, 2, 1) + fall[:, None]


def worst(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.linalg.norm(found - truth, axis=-1).max())


@pytest.mark.parametrize("degrees", [0.0, 15.0, 35.0])
def test_a_turning_body_is_followed_where_straight_lines_cut_through_it(degrees: float) -> None:
    truth = turning(degrees)
    found = along_curves(CHECKED, truth[CHECKED], WANTED)
    assert worst(found, truth[WANTED]) < 0.5
    if degrees == 35.0:
        assert worst(linear(CHECKED, truth[CHECKED], WANTED), truth[WANTED]) > 20


def test_a_steady_mistake_of_the_machine_is_mended_in_every_frame_between() -> None:
    """The machine places the knees too high along the body, whichever way the body is turned."""
    truth = turning(70.0)
    up = truth[:, 7] - truth[:, 6]
    wrong = truth.copy()
    wrong[:, [1, 4]] += 0.3 * up[:, None]
    found = interpolate(CHECKED, truth[CHECKED], WANTED, Machine(wrong[CHECKED], wrong[WANTED]))
    assert worst(found, truth[WANTED]) < 1e-6
    assert worst(wrong[WANTED], truth[WANTED]) > 1


def test_a_mistake_of_one_frame_is_not_carried_on() -> None:
    truth = turning(35.0)
    machine = truth.copy()
    machine[CHECKED[3], 10] += 300
    found = interpolate(CHECKED, truth[CHECKED], WANTED, Machine(machine[CHECKED], machine[WANTED]))
    assert worst(found, truth[WANTED]) < 1e-6


def test_where_the_machine_saw_nobody_the_curves_are_taken() -> None:
    truth = turning(20.0)
    machine = truth.copy()
    machine[20:30] = np.nan
    found = interpolate(CHECKED, truth[CHECKED], WANTED, Machine(machine[CHECKED], machine[WANTED]))
    assert np.isfinite(found).all()
    assert worst(found, truth[WANTED]) < 0.5


def test_a_joint_that_is_absent_on_one_side_of_a_gap_is_absent_in_it() -> None:
    truth = turning(35.0)
    truth[20, 15] = np.nan
    found = along_curves(CHECKED, truth[CHECKED], WANTED)
    lost = ~np.isfinite(found[:, 15]).all(-1)
    assert WANTED[lost].tolist() == [17, 18, 19, 21, 22, 23]
    assert np.isfinite(np.delete(found, 15, axis=1)).all()


def test_without_a_trunk_there_is_nothing_to_say() -> None:
    truth = turning(35.0)
    truth[:, 7] = np.nan
    assert not np.isfinite(along_curves(CHECKED, truth[CHECKED], WANTED)).any()
