"""Poses stay on their divers in any part of a picture, and two divers have numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from finediving_pose.poses import ClipPoses
from finediving_pose.report.overlay import LEFT, MIDDLE
from finediving_pose.report.views import Person, draw_people, draw_view, people_in, square_around
from finediving_pose.skeleton import INDEX

WATER = np.full((100, 160, 3), 90, np.uint8)


def person(x: float, y: float) -> Person:
    """A left wrist alone."""
    points, visibility = np.full((16, 2), np.nan), np.zeros(16, np.uint8)
    points[INDEX["left_wrist"]], visibility[INDEX["left_wrist"]] = (x, y), 2
    return Person(points, visibility, np.ones(16), np.ones(16), np.array([x - 9, y - 9, x + 9, y + 9]))


@pytest.mark.parametrize("view", [(0, 0, 160, 100), (40, 20, 100, 80), (-30, -10, 90, 110)])
def test_a_joint_lies_where_its_picture_shows_it(view: tuple[float, ...]) -> None:
    picture = WATER.copy()
    picture[48:53, 68:73] = (0, 255, 0)
    tile = draw_view(picture, np.array(view, float), 300, [person(70, 50)])
    scale = 300 / (view[3] - view[1])
    x, y = (70.5 - view[0]) * scale - 0.5, (50.5 - view[1]) * scale - 0.5
    ys, xs = np.nonzero(np.abs(tile.astype(int) - np.array(LEFT)).max(-1) < 30)
    assert (xs.mean(), ys.mean()) == pytest.approx((x, y), abs=1)
    ys, xs = np.nonzero((tile[..., 1] > 200) & (tile[..., 2] < 90))
    assert (xs.mean(), ys.mean()) == pytest.approx((x, y), abs=2)


def test_divers_have_numbers_in_clips_of_two() -> None:
    def letters(people: list[Person]) -> int:
        return int((np.abs(draw_people(WATER, people).astype(int) - np.array(MIDDLE)).max(-1) < 40).sum())

    points = np.full((3, 16, 2), 50.0)
    ones = np.ones((3, 16))
    box = np.full((3, 4), np.nan)
    alone, pair = (
        ClipPoses(np.array([0, 0, 1]), np.array(who), box, points, 2 * ones, ones, ones, ["a"] * 3, [""] * 3)
        for who in ((0, 0, 0), (0, 1, 1))
    )
    assert [p.label for p in people_in(alone, 1)] == [""]
    assert [[p.label for p in people_in(pair, n)] for n in (0, 1)] == [["1", "2"], ["2"]]
    assert letters([person(40, 50)]) == 0
    assert letters([replace(person(40, 50), label="2")]) > 5


def test_people_of_a_frame_are_those_with_joints() -> None:
    points = np.full((3, 16, 2), np.nan)
    points[:2] = 5.0
    visibility = np.full((3, 16), 2)
    visibility[1] = 0
    ones = np.ones((3, 16))
    poses = ClipPoses(
        np.array([0, 0, 1]), np.array([0, 1, 0]), np.zeros((3, 4)), points, visibility, ones, ones, ["a"] * 3, [""] * 3
    )
    assert [len(people_in(poses, n)) for n in (0, 1, 2)] == [1, 0, 0]
    assert people_in(None, 0) == []


def test_a_square_lies_in_the_picture_and_holds_the_diver() -> None:
    for x, y in ((5.0, 5.0), (155.0, 95.0), (80.0, 50.0)):
        x1, y1, x2, y2 = square_around([person(x, y)], 160, 100)
        assert (x1, y1) >= (0, 0) and x2 <= 160 and y2 <= 100
        assert x1 <= x <= x2 and y1 <= y <= y2
    assert square_around([], 160, 100).tolist() == [30, 0, 130, 100]
