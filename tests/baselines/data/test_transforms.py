"""Resizing pictures, cutting stages, filling gaps in poses, normalising poses."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from baselines.data.transforms import fill_gaps, normalise_pose, resized, sample_transitions
from finediving_pose.packed.views import sample_frames


def pose(seed: int = 0, frames: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).uniform(50, 250, (frames, 16, 2)).astype(np.float32)


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


def test_frames_before_the_diver_comes_and_after_the_diver_is_gone_hold_the_nearest_pose() -> None:
    keypoints = pose()
    there = keypoints[2:5].copy()
    keypoints[:2] = keypoints[5:] = np.nan
    assert np.array_equal(fill_gaps(keypoints), np.concatenate([there[[0, 0]], there, there[[2, 2]]]))


@given(scale=st.floats(0.3, 4), x=st.floats(-300, 300), y=st.floats(-300, 300))
def test_a_centred_pose_knows_neither_place_nor_size(scale: float, x: float, y: float) -> None:
    moved = pose() * np.float32(scale) + np.array((x, y), np.float32)
    assert np.allclose(normalise_pose(moved, "centre"), normalise_pose(pose(), "centre"), atol=1e-3)


def test_pose_norm_none_keeps_pixels() -> None:
    assert normalise_pose(pose(), "none") is not None
    assert np.array_equal(normalise_pose(pose(), "none"), pose())
