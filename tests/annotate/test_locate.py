"""Boxes that are consistent in time."""

from __future__ import annotations

import numpy as np

from annotate.crop import iou
from annotate.locate import boxes_of, steady


def falling(n: int = 40) -> np.ndarray:
    y = np.linspace(10, 180, n)
    return np.stack([np.full(n, 100.0), y, np.full(n, 140.0), y + 60], axis=1).astype(np.float32)


def test_a_steady_fall_stays_as_it_is() -> None:
    boxes = falling()
    found = steady(boxes, np.ones(len(boxes)), 455, 256)
    assert iou(found, boxes).min() > 0.9


def test_a_box_that_jumps_away_and_back_is_pulled_back() -> None:
    boxes, seen = falling(), falling()
    seen[15:18] += 150
    found = steady(seen, np.ones(len(seen)), 455, 256)
    assert iou(found, boxes).min() > 0.8


def test_unsure_frames_take_their_box_from_their_neighbours() -> None:
    boxes, seen = falling(), falling()
    score = np.ones(len(seen))
    seen[20:26], score[20:26] = np.nan, 0.05
    seen[-3:], score[-3:] = 0, 0.05
    found = steady(seen, score, 455, 256)
    assert np.isfinite(found).all()
    assert iou(found, boxes)[:-3].min() > 0.8


def test_where_nothing_is_sure_the_whole_frame_is_the_box() -> None:
    found = steady(np.full((4, 4), np.nan), np.zeros(4), 455, 256)
    np.testing.assert_array_equal(found, [[0, 0, 454, 255]] * 4)


def test_one_stray_joint_does_not_stretch_the_box() -> None:
    joints = np.random.default_rng(0).uniform(100, 140, (1, 16, 2))
    joints[0, 10] = (400, 20)
    boxes, score = boxes_of(joints, np.full((1, 16), 0.8))
    assert boxes[0, 2] < 200 and score[0] > 0.7
    unsure, low = boxes_of(joints, np.zeros((1, 16)))
    assert np.isnan(unsure).all() and low[0] == 0
