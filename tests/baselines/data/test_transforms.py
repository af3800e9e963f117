"""Sampling frames, cropping and mirroring pictures with their poses, normalising poses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.data.transforms import (
    CropAndFlip,
    fill_gaps,
    flip_pose,
    normalise_pose,
    resized,
    sample_frames,
    sample_transitions,
)
from finediving_pose.skeleton import INDEX


def pose(seed: int = 0, frames: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).uniform(50, 250, (frames, 16, 2)).astype(np.float32)


@given(n=st.integers(1, 400), count=st.integers(2, 96))
def test_sampling_keeps_both_ends_and_the_order(n: int, count: int) -> None:
    positions = sample_frames(n, count)
    assert (positions[0], positions[-1], len(positions)) == (0, n - 1, count)
    assert (np.diff(positions) >= 0).all()


def test_spread_over_the_video_three_frames_of_a_clip_of_134_are_others() -> None:
    """The steps are 7 / 5 frames; every fifth is a whole number, which rounding from 0 on misses three times."""
    in_clip, in_video = sample_frames(134, 96), sample_frames(134, 96, first=1712)
    assert in_video.tolist() == [i * 7 // 5 for i in range(96)]
    moved = np.flatnonzero(in_clip != in_video)
    assert moved.tolist() == [45, 85, 90]
    assert (in_clip[moved].tolist(), in_video[moved].tolist()) == ([62, 118, 125], [63, 119, 126])


@given(n=st.integers(1, 265), first=st.integers(100, 1_000_000))
def test_spread_over_the_video_frames_are_the_exact_ones(n: int, first: int) -> None:
    assert sample_frames(n, 96, first).tolist() == [i * (n - 1) // 95 for i in range(96)]


def test_bilinear_is_pillow_s_and_reaches_as_far_as_the_reduction() -> None:
    """A triangle four pixels wide to each side at a quarter of the size; area averages the four pixels alone."""
    white = np.zeros((4, 64, 3), np.uint8)
    white[:, 31] = 160  # the last pixel of the eighth quarter
    area, bilinear = (resized(white, 16, 4, how)[0, :, 0].tolist() for how in ("area", "bilinear"))
    assert area[6:9] == [0, 40, 0]
    assert bilinear[6:9] == [0, 25, 15]
    assert sum(bilinear) == 40


@given(data=st.data(), n=st.integers(3, 300), count=st.integers(4, 96))
def test_transitions_are_ordered_inside_the_clip(data: st.DataObject, n: int, count: int) -> None:
    starts = tuple(sorted(data.draw(st.sets(st.integers(1, n - 1), min_size=2, max_size=4))))
    t1, t2 = sample_transitions(starts, sample_frames(n, count))
    assert 0 < t1 < t2 < count


def test_a_transition_is_the_first_sampled_frame_of_its_stage() -> None:
    positions = sample_frames(191, 96)  # every other frame
    assert sample_transitions((41, 60, 100), positions) == (21, 50)


def test_a_gap_is_filled_between_its_neighbours() -> None:
    keypoints = pose()
    keypoints[:, 3] = np.arange(7)[:, None] * (10, 20)
    keypoints[2:5, 3] = np.nan
    assert np.allclose(fill_gaps(keypoints)[:, 3], np.arange(7)[:, None] * (10, 20))


def test_a_joint_never_seen_and_a_clip_never_seen_become_numbers() -> None:
    keypoints = pose()
    keypoints[:, 9] = np.nan
    assert np.isfinite(fill_gaps(keypoints)).all()
    assert (fill_gaps(np.full((4, 16, 2), np.nan)) == 0).all()


def test_mirroring_twice_changes_nothing() -> None:
    assert np.allclose(flip_pose(flip_pose(pose(), 455), 455), pose())


def test_mirroring_swaps_left_and_right() -> None:
    mirrored = flip_pose(pose(), 455)
    assert np.allclose(mirrored[:, INDEX["left_wrist"], 0], 454 - pose()[:, INDEX["right_wrist"], 0])
    assert np.allclose(mirrored[:, INDEX["left_wrist"], 1], pose()[:, INDEX["right_wrist"], 1])


@given(scale=st.floats(0.3, 4), x=st.floats(-300, 300), y=st.floats(-300, 300))
def test_a_centred_pose_knows_neither_place_nor_size(scale: float, x: float, y: float) -> None:
    moved = pose() * np.float32(scale) + np.array((x, y), np.float32)
    assert np.allclose(normalise_pose(moved, "centre"), normalise_pose(pose(), "centre"), atol=1e-3)


def test_pose_norm_none_keeps_pixels() -> None:
    assert normalise_pose(pose(), "none") is not None
    assert np.array_equal(normalise_pose(pose(), "none"), pose())


@pytest.mark.parametrize("seed", range(5))
def test_one_crop_for_all_frames_inside_the_picture(seed: int) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (3, 56, 100, 3)).astype(np.uint8)
    view = CropAndFlip.random(56, 100, 48, np.random.default_rng(seed))
    assert 0 <= view.top <= 8
    assert 0 <= view.left <= 52
    pictures = view.normalised(view.cropped(frames))
    assert pictures.shape == (3, 3, 48, 48)
    window = frames[:, view.top : view.top + 48, view.left : view.left + 48]
    window = window[:, :, ::-1] if view.flip else window
    back = pictures.transpose(1, 2, 3, 0) * (0.229, 0.224, 0.225) + (0.485, 0.456, 0.406)
    assert np.array_equal(np.round(back * 255).astype(np.uint8), window)
