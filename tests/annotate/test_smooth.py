"""Jitter goes, the spin stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.smooth import smooth
from finediving_pose.poses import ClipPoses, JointSource, Visibility

SIZE = 100.0
BODY = np.stack([np.linspace(-40, 40, 16), 8 * np.cos(np.arange(16))], axis=-1)


def spinning(n: int = 60, degrees_a_frame: float = 40.0) -> np.ndarray:
    """True joints (n, 16, 2) of a body that turns and falls."""
    angle = np.radians(degrees_a_frame) * np.arange(n)
    turn = np.stack([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    fall = np.stack([200 + 0.5 * np.arange(n), 40 + 0.05 * np.arange(n) ** 2], axis=-1)
    return BODY @ turn.transpose(0, 2, 1) + fall[:, None]


def table(keypoints: np.ndarray, confidence: Any = 1.0, first: int = 100) -> ClipPoses:
    n = len(keypoints)
    known = np.isfinite(keypoints).all(-1)
    return ClipPoses(
        np.arange(first, first + n),
        np.zeros(n),
        np.tile([0, 0, 60.0, 80.0], (n, 1)),  # a diagonal of 100
        keypoints,
        np.where(known, Visibility.VISIBLE, Visibility.ABSENT),
        np.asarray(known * confidence),
        np.where(known, JointSource.AUTOMATIC, JointSource.NONE),
        ["machine"] * n,
        ["now"] * n,
    )


def error(poses: ClipPoses, truth: np.ndarray) -> float:
    return float(np.linalg.norm(poses.keypoints - truth, axis=-1).mean())


@pytest.mark.parametrize("degrees", [0, 20, 40])
def test_a_clean_spin_is_not_flattened(degrees: float) -> None:
    """Up to a turn of 40 degrees a frame, which is a whole somersault in 0.36 s at 25 frames a second."""
    truth = spinning(degrees_a_frame=degrees)
    assert error(smooth(table(truth)), truth) < 0.01 * SIZE


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(5, 45))
def test_jitter_and_leaps_become_smaller(seed: int, degrees: float) -> None:
    rng = np.random.default_rng(seed)
    truth = spinning(degrees_a_frame=degrees)
    noisy = truth + rng.normal(0, 2, truth.shape)
    leaps = rng.random(truth.shape[:2]) < 0.05
    noisy[leaps] += rng.normal(0, 40, (int(leaps.sum()), 2))
    confidence = np.where(leaps, 0.3, 0.9)
    raw, smoothed = table(noisy, confidence), smooth(table(noisy, confidence))
    assert error(smoothed, truth) < 0.75 * error(raw, truth)
    far = np.linalg.norm(noisy - truth, axis=-1) > 0.3 * SIZE
    assert (smoothed.source[far] == JointSource.INTERPOLATED).mean() > 0.8 if far.sum() > 5 else True


def test_what_a_person_placed_stays() -> None:
    truth = spinning()
    poses = table(truth)
    poses.keypoints[30, 4] += 25
    poses.source[30, 4] = JointSource.MANUAL
    smoothed = smooth(poses)
    assert np.array_equal(smoothed.keypoints[30, 4], poses.keypoints[30, 4])
    assert smoothed.source[30, 4] == JointSource.MANUAL


@pytest.mark.parametrize(("gap", "filled"), [(1, True), (3, True), (4, False)])
def test_short_gaps_are_filled_and_say_so(gap: int, filled: bool) -> None:
    truth = spinning(degrees_a_frame=15)
    hole = slice(30, 30 + gap)
    holed = truth.copy()
    holed[hole] = np.nan
    smoothed = smooth(table(holed))
    assert np.isfinite(smoothed.keypoints[hole]).all() == filled
    if filled:
        assert np.linalg.norm(smoothed.keypoints[hole] - truth[hole], axis=-1).max() < 0.1 * SIZE
        assert (smoothed.source[hole] == JointSource.INTERPOLATED).all()
        assert (smoothed.visibility[hole] == Visibility.OCCLUDED).all()
        assert (smoothed.confidence[hole] == 0).all()
    else:
        assert (smoothed.source[hole] == JointSource.NONE).all()


def test_what_lies_before_the_first_known_frame_is_not_made_up() -> None:
    truth = spinning()
    truth[:2] = np.nan
    assert np.isnan(smooth(table(truth)).keypoints[:2]).all()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_frames_stay_as_they_are(n: int) -> None:
    poses = table(spinning(n)) if n else table(np.empty((0, 16, 2)))
    smoothed = smooth(poses)
    assert np.array_equal(smoothed.keypoints, poses.keypoints)
    assert np.array_equal(smoothed.source, poses.source)


def test_frames_that_do_not_follow_each_other_do_not_mix() -> None:
    """Two runs of a clip, far apart in the picture: each is smoothed by itself."""
    a, b = spinning(10), spinning(10) + 500
    together = table(np.concatenate([a, b]))
    together.frame[10:] += 7
    apart = np.concatenate([smooth(table(a)).keypoints, smooth(table(b)).keypoints])
    assert np.allclose(smooth(together).keypoints, apart, atol=0.01)
