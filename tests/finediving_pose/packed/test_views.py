"""Sampling frames, cropping and mirroring pictures with their joints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.packed.snippets import mirrored, normalised
from finediving_pose.packed.views import View, mirror_joints, sample_frames
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


def test_mirroring_twice_changes_nothing() -> None:
    assert np.allclose(mirror_joints(mirror_joints(pose(), 455), 455), pose())


def test_mirroring_swaps_left_and_right() -> None:
    turned = mirror_joints(pose(), 455)
    assert np.allclose(turned[:, INDEX["left_wrist"], 0], 454 - pose()[:, INDEX["right_wrist"], 0])
    assert np.allclose(turned[:, INDEX["left_wrist"], 1], pose()[:, INDEX["right_wrist"], 1])


@pytest.mark.parametrize("seed", range(5))
def test_one_crop_for_all_frames_inside_the_picture(seed: int) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (3, 56, 100, 3)).astype(np.uint8)
    view = View.random(48, np.random.default_rng(seed), size=(100, 56))
    assert 0 <= view.y <= 8
    assert 0 <= view.x <= 52
    cropped = np.ascontiguousarray(view.crop(frames))
    pictures = normalised(mirrored(cropped) if view.mirrored else cropped)
    assert pictures.shape == (3, 3, 48, 48)
    window = frames[:, view.y : view.y + 48, view.x : view.x + 48]
    window = window[:, :, ::-1] if view.mirrored else window
    back = pictures.transpose(1, 2, 3, 0) * (0.229, 0.224, 0.225) + (0.485, 0.456, 0.406)
    assert np.array_equal(np.round(back * 255).astype(np.uint8), window)
