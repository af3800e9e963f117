"""Boxes that are consistent in time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotate.crop import iou
from annotate.locate import POINTS_FLIP, box_points, boxes_of, steady, windows


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


def test_a_box_comes_back_from_its_five_points() -> None:
    boxes = falling()
    found, score = boxes_of(box_points(boxes), np.full((len(boxes), 5), 0.8))
    np.testing.assert_allclose(found, boxes, atol=1e-4)
    np.testing.assert_allclose(score, 0.8, atol=1e-6)


def test_a_mirrored_picture_has_mirrored_points() -> None:
    boxes = falling()
    mirrored = boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (454, 0, 454, 0)
    points = box_points(boxes)[:, list(POINTS_FLIP)] * (-1, 1) + (454, 0)
    np.testing.assert_allclose(box_points(mirrored), points, atol=1e-4)


def test_a_box_with_a_missing_or_crossed_side_is_no_box() -> None:
    points = box_points(falling(3))
    points[0, 1] = np.nan
    points[1, 2, 1] = points[1, 4, 1] + 5
    found, _ = boxes_of(points, np.ones((3, 5)))
    assert np.isnan(found[:2]).all() and np.isfinite(found[2]).all()


@given(st.integers(16, 400), st.integers(16, 2000))
def test_windows_are_the_whole_frame_or_squares_that_hold_all_of_a_high_one(width: int, height: int) -> None:
    found = windows(width, height)
    if height <= width:
        np.testing.assert_array_equal(found, [[0, 0, width - 1, height - 1]])
        return
    x1, y1, x2, y2 = found.T
    assert (x1 == 0).all() and (x2 == width - 1).all()
    np.testing.assert_allclose(y2 - y1, width - 1, atol=1e-3)
    assert y1[0] == 0 and y2[-1] == height - 1
    assert np.diff(y1).max() <= width / 2 + 1e-3, "what is half as high as a window is whole in one of them"
