"""Predictions without a picture: what each predictor goes by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from baselines.blind.predictors import (
    BLIND,
    difficulty_times_video_award,
    exemplars_mean,
    other_events_mean,
    ridge,
    ten_exemplars,
    video_mean,
)
from finediving_pose.clip import Clip, ClipKey

RNG = np.random.default_rng(0)


def dive(video: str, index: int, number: str, score: float, difficulty: float = 3.0) -> Clip:
    return Clip(ClipKey(video, index), action_type=number, difficulty=difficulty, dive_score=score)


TRAIN = [
    dive("Cup_Men10m_final_r1", 0, "107b", 60.0),
    dive("Cup_Men10m_final_r1", 1, "407c", 90.0, 3.2),
    dive("Open_Men10m_final_r1", 0, "107b", 80.0),
]
SAME_EVENT = dive("Cup_Men10m_final_r1", 2, "107b", 0.0)


@pytest.mark.parametrize(
    ("predictor", "clip", "expected"),
    [
        (exemplars_mean, SAME_EVENT, 70.0),
        (ten_exemplars, SAME_EVENT, 70.0),
        (other_events_mean, SAME_EVENT, 80.0),
        (video_mean, SAME_EVENT, 75.0),
        (difficulty_times_video_award, SAME_EVENT, 3.0 * (60 / 3 + 90 / 3.2) / 2),
        (exemplars_mean, dive("Cup_Men10m_final_r1", 3, "207c", 0.0, 3.3), 90.0),  # the nearest difficulty
        (video_mean, dive("Third_Men10m_final_r1", 0, "107b", 0.0), None),
    ],
)
def test_a_predictor_goes_by_what_it_says(predictor: Any, clip: Clip, expected: float | None) -> None:
    predicted = predictor(TRAIN, [clip], RNG)
    if expected is None:
        assert predicted is None
    else:
        assert predicted.tolist() == [pytest.approx(expected)]


def test_one_event_alone_has_no_others() -> None:
    assert other_events_mean(TRAIN[:2], [SAME_EVENT], RNG) is None


@pytest.mark.parametrize("blind", BLIND, ids=lambda b: b.title)
def test_the_score_of_a_test_dive_plays_no_part(blind: Any) -> None:
    a, b = (
        blind.predict(TRAIN, [dive("Cup_Men10m_final_r1", 2, "107b", score)], np.random.default_rng(1))
        for score in (0.0, 100.0)
    )
    assert np.array_equal(a, b)


def test_the_ridge_finds_the_place_in_the_start_order() -> None:
    """Later is better by 10 points from first to last; number and video say nothing."""
    train = [dive("Cup_Men10m_final_r1", i, "107b", 60 + 10 * i / 99) for i in range(0, 100, 2)]
    test = [dive("Cup_Men10m_final_r1", i, "107b", 0.0) for i in (1, 99)]
    first, last = ridge(train, test, RNG)
    assert 8 < last - first < 10
