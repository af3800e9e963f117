"""Intervals hold the truth as often as they say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.runs.predictions import Prediction
from baselines.scorer.interval import Calibration, calibrate
from finediving_pose.clip import ClipKey


@given(st.lists(st.floats(0, 100), min_size=5, max_size=60, unique=True), st.sampled_from([0.5, 0.8, 0.9]))
def test_whichever_error_is_the_new_one_enough_of_them_are_inside(errors: list[float], level: float) -> None:
    """The theorem itself: with every error in turn as the new one, a share of the level or more is covered."""
    inside = 0
    for i, new in enumerate(errors):
        half = Calibration(tuple(sorted(errors[:i] + errors[i + 1 :])), False).half_width(level, None)
        inside += half is None or new <= half
    assert inside >= level * len(errors)


def test_the_width_is_an_error_and_not_a_larger_one_than_needed() -> None:
    errors = tuple(float(e) for e in range(1, 20))
    assert Calibration(errors, False).half_width(0.9, None) == 18.0
    assert Calibration(errors, False).half_width(0.8, 3.0) == 16.0


def test_too_few_errors_give_no_interval() -> None:
    nine = tuple(float(e) for e in range(1, 10))
    assert Calibration(nine, False).half_width(0.9, None) == 9.0
    assert Calibration(nine[:8], False).half_width(0.9, None) is None
    assert Calibration((), False).half_width(0.5, None) is None


def test_hard_dives_have_wider_intervals_where_all_difficulties_are_known() -> None:
    predictions = [prediction(true=50.0 + i, difficulty=2.0) for i in range(1, 20)]
    known = calibrate(predictions, selected=False)
    assert known.half_width(0.9, 2.0) == pytest.approx(18.0)
    assert known.half_width(0.9, 3.0) == pytest.approx(27.0)
    assert known.half_width(0.9, None) is None
    unknown = calibrate([*predictions, prediction(true=51.0, difficulty=None)], selected=False)
    assert unknown.half_width(0.9, None) == unknown.half_width(0.9, 3.0)


def test_a_scorer_that_is_worse_than_the_exemplars_mean_is_known_as_that() -> None:
    exact_mean = [replace(prediction(true=50.0 + i, difficulty=2.0), exemplar_mean=50.0 + i) for i in range(4)]
    worse = calibrate(exact_mean, selected=False)
    assert (worse.mean_error, worse.exemplars_error) == (1.5, 0.0) and not worse.beats_the_mean
    far_mean = [replace(p, exemplar_mean=90.0) for p in exact_mean]
    assert calibrate(far_mean, selected=False).beats_the_mean


def prediction(true: float, difficulty: float | None) -> Prediction:
    return Prediction(ClipKey("a", 0), "107b", difficulty, true, 50.0, 50.0, "dive number", (), (), float("nan"), ())
