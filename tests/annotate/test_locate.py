"""Boxes that are consistent in time."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from annotate.crop import iou
from annotate.locate import POINTS_FLIP, both_boxes, box_points, boxes_of, is_pair, steady


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


@given(st.floats(-60, 60), st.floats(-60, 60), st.lists(st.booleans(), min_size=5, max_size=5))
def test_two_divers_come_back_from_their_ten_points_in_any_order(x: float, y: float, swapped: list[bool]) -> None:
    assume(np.hypot(x, y) > 8)  # nearer than their sizes differ they can't be told apart
    first = falling(3)
    second = first + np.array([x, y, x + 4, y + 4], np.float32)  # not quite as large
    points = np.stack([box_points(first), box_points(second)], axis=1)  # (n, 2, 5, 2)
    points[:, :, swapped] = points[:, ::-1][:, :, swapped]
    score = np.tile(np.repeat([0.9, 0.6], 5), (3, 1))
    boxes, _ = both_boxes(points.reshape(3, 10, 2), score)
    wanted = (second, first) if swapped[0] else (first, second)
    np.testing.assert_allclose(boxes, np.stack(wanted, axis=1), atol=1e-3)


def test_a_second_diver_who_is_not_there_takes_nothing_from_the_first() -> None:
    for noise in (np.full((3, 5, 2), np.nan), np.random.default_rng(0).uniform(0, 400, (3, 5, 2))):
        points = np.concatenate([box_points(falling(3)), noise], axis=1)
        boxes, score = both_boxes(points, np.tile(np.repeat([0.9, 0.1], 5), (3, 1)))
        np.testing.assert_allclose(boxes[:, 0], falling(3), atol=1e-4)
        np.testing.assert_allclose(score, [[0.9, 0.1]] * 3, atol=1e-6)


def test_a_clip_is_of_a_pair_when_a_second_diver_is_seen_often_enough() -> None:
    sure = np.zeros((40, 2), bool)
    assert not is_pair(sure)
    sure[:, 0] = True
    sure[:10, 1] = True
    assert not is_pair(sure)
    sure[10, 1] = True
    assert is_pair(sure)
