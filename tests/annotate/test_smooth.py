"""Jitter goes, the spin stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.smooth import smooth
from finediving_pose.poses import ClipPoses, JointSource, Visibility
from tests.annotate.made_up import machine_poses, spinning

SIZE = 100.0


def error(poses: ClipPoses, truth: np.ndarray) -> float:
    return float(np.linalg.norm(poses.keypoints - truth, axis=-1).mean())


@pytest.mark.parametrize("degrees", [0, 20, 40])
def test_a_clean_spin_is_not_flattened(degrees: float) -> None:
    """Up to a turn of 40 degrees a frame, which is a whole somersault in 0.36 s at 25 frames a second."""
    truth = spinning(degrees_a_frame=degrees)
    assert error(smooth(machine_poses(truth)), truth) < 0.01 * SIZE


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(5, 45))
def test_jitter_and_leaps_become_smaller(seed: int, degrees: float) -> None:
    rng = np.random.default_rng(seed)
    truth = spinning(degrees_a_frame=degrees)
    noisy = truth + rng.normal(0, 2, truth.shape)
    leaps = rng.random(truth.shape[:2]) < 0.05
    noisy[leaps] += rng.normal(0, 40, (int(leaps.sum()), 2))
    confidence = np.where(leaps, 0.3, 0.9)
    raw, smoothed = machine_poses(noisy, confidence), smooth(machine_poses(noisy, confidence))
    assert error(smoothed, truth) < 0.75 * error(raw, truth)
    far = np.linalg.norm(noisy - truth, axis=-1) > 0.3 * SIZE
    assert (smoothed.source[far] == JointSource.INTERPOLATED).mean() > 0.8 if far.sum() > 5 else True


def test_what_a_person_placed_stays() -> None:
    truth = spinning()
    poses = machine_poses(truth)
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
    smoothed = smooth(machine_poses(holed))
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
    assert np.isnan(smooth(machine_poses(truth)).keypoints[:2]).all()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_frames_stay_as_they_are(n: int) -> None:
    poses = machine_poses(spinning(n)) if n else machine_poses(np.empty((0, 16, 2)))
    smoothed = smooth(poses)
    assert np.array_equal(smoothed.keypoints, poses.keypoints)
    assert np.array_equal(smoothed.source, poses.source)


def test_frames_that_do_not_follow_each_other_do_not_mix() -> None:
    """Two runs of a clip, far apart in the picture: each is smoothed by itself."""
    a, b = spinning(10), spinning(10) + 500
    together = machine_poses(np.concatenate([a, b]))
    together.frame[10:] += 7
    apart = np.concatenate([smooth(machine_poses(a)).keypoints, smooth(machine_poses(b)).keypoints])
    assert np.allclose(smooth(together).keypoints, apart, atol=0.01)
