"""What is drawn lies where the joints are."""

from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.poses import JointSource
from finediving_pose.report.overlay import LEFT, MARK, RIGHT, draw_pose
from finediving_pose.skeleton import FLIP, INDEX, LIMBS

GREY = np.full((100, 120, 3), 128, np.uint8)


def one_joint(name: str, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    points, visibility = np.full((16, 2), np.nan), np.zeros(16, int)
    points[INDEX[name]], visibility[INDEX[name]] = (x, y), 2
    return points, visibility


@pytest.mark.parametrize(("joint", "colour"), [("right_wrist", RIGHT), ("left_knee", LEFT)])
def test_a_joint_is_a_disc_in_the_colour_of_its_side(joint: str, colour: tuple[int, int, int]) -> None:
    points, visibility = one_joint(joint, 30.0, 70.0)
    drawn = draw_pose(GREY, points, visibility)
    assert tuple(drawn[70, 30]) == colour
    ys, xs = np.nonzero((drawn != GREY).any(-1))
    assert (xs.mean(), ys.mean()) == pytest.approx((30, 70), abs=0.5)
    assert (GREY == 128).all(), "the picture that was given is left alone"


def test_a_hand_placed_joint_is_larger_than_an_automatic_one() -> None:
    points, visibility = one_joint("left_wrist", 60, 50)
    auto, hand = (
        (draw_pose(GREY, points, visibility, np.full(16, s)) != GREY).any(-1).sum()
        for s in (JointSource.AUTOMATIC, JointSource.MANUAL)
    )
    assert hand > 2 * auto


def test_absent_joints_and_unknown_boxes_leave_no_mark() -> None:
    points, visibility = one_joint("left_wrist", np.nan, np.nan)
    assert (draw_pose(GREY, points, visibility, box=np.full(4, np.nan)) == GREY).all()


def test_far_away_joints_do_no_harm() -> None:
    points, visibility = np.full((16, 2), 1e9), np.full(16, 2)
    points[:8] = -1e9
    assert draw_pose(GREY, points, visibility).shape == GREY.shape


SIDES = [j for j, other in enumerate(FLIP) if j != other]


def body(along: np.ndarray, to: float = 80.0) -> tuple[np.ndarray, np.ndarray]:
    """A pose seen straight from the side: both legs and both arms at one place, along a line through the picture."""
    points = np.full((16, 2), np.nan)
    steps = {"ankle": 0.1, "knee": 0.3, "hip": 0.5, "shoulder": 0.6, "elbow": 0.8, "wrist": 1.0}
    for j in SIDES:
        name = next(n for n, i in INDEX.items() if i == j)
        points[j] = [60, 50] + (steps[name.partition("_")[2]] - 0.5) * to * along
    return points, np.where(np.isfinite(points[:, 0]), 2, 0)


def count(picture: np.ndarray, colour: tuple[int, int, int], tolerance: int = 12) -> int:
    return int((np.abs(picture.astype(int) - np.array(colour)).max(-1) <= tolerance).sum())


@pytest.mark.parametrize("degrees", range(0, 360, 15))
def test_both_sides_are_seen_where_they_coincide(degrees: int) -> None:
    angle = np.radians(degrees)
    points, visibility = body(np.array([np.cos(angle), np.sin(angle)]))
    drawn = draw_pose(GREY, points, visibility)
    assert count(drawn, RIGHT, 60) > 60
    assert count(drawn, LEFT, 60) > 40


def test_discs_of_both_sides_are_seen_where_they_meet() -> None:
    points, visibility = body(np.array([1.0, 0.3]))
    drawn = draw_pose(GREY, points, visibility, np.full(16, JointSource.MANUAL))
    right, left = count(drawn, RIGHT, 40), count(drawn, LEFT, 40)
    assert 0.4 * left < right < left


def test_the_left_is_dashed_and_the_right_is_not() -> None:
    """Along an occluded thigh, which has no discs."""
    for side, colour, gaps in (("right", RIGHT, 0), ("left", LEFT, 7)):
        points, visibility = np.full((16, 2), np.nan), np.zeros(16, int)
        points[[INDEX[f"{side}_hip"], INDEX[f"{side}_knee"]]] = [10, 50], [110, 50]
        visibility[[INDEX[f"{side}_hip"], INDEX[f"{side}_knee"]]] = 1
        drawn = draw_pose(GREY, points, visibility)
        along = (np.abs(drawn.astype(int) - np.array(colour)).max(-1) < 70).any(0)[12:108]
        assert (np.diff(along.astype(int)) == -1).sum() >= gaps
        assert along.all() == (side == "right")


def test_a_joint_is_the_fainter_the_less_confident() -> None:
    points, visibility = body(np.array([1.0, 0.3]))

    def change(confidence: float, source: int = JointSource.AUTOMATIC) -> int:
        drawn = draw_pose(GREY, points, visibility, np.full(16, source), confidence=np.full(16, confidence))
        return int(np.abs(drawn.astype(int) - 128).sum())

    assert 0 < change(0.0) < 0.5 * change(0.3) < change(0.5) == change(0.9)
    assert change(0.0, JointSource.MANUAL) == change(1.0, JointSource.MANUAL), "what a person placed is certain"
    assert change(np.nan) == change(0.0)


@pytest.mark.parametrize("gone", ["visibility", "place"])
def test_limbs_need_both_ends(gone: str) -> None:
    points, visibility = body(np.array([1.0, 0.0]))
    knee, ankle = INDEX["right_knee"], INDEX["right_ankle"]
    keep = np.isin(np.arange(16), [knee, ankle])
    visibility[~keep] = 0
    assert (knee, ankle) in LIMBS or (ankle, knee) in LIMBS
    if gone == "visibility":
        visibility[ankle] = 0
    else:
        points[ankle] = np.nan
    drawn = draw_pose(GREY, points, visibility)
    ys, xs = np.nonzero((drawn != GREY).any(-1))
    assert np.hypot(xs - points[knee, 0], ys - points[knee, 1]).max() < 4, "the knee alone is drawn"


def test_a_joint_in_question_has_a_ring() -> None:
    points, visibility = one_joint("left_wrist", 60, 50)
    ring = draw_pose(GREY, points, visibility, marked=[INDEX["left_wrist"], INDEX["right_wrist"]])
    assert count(draw_pose(GREY, points, visibility), MARK) == 0
    ys, xs = np.nonzero(np.abs(ring.astype(int) - np.array(MARK)).max(-1) <= 12)
    assert (xs.mean(), ys.mean()) == pytest.approx((60, 50), abs=0.5)


def test_lines_grow_with_the_picture() -> None:
    points, visibility = body(np.array([1.0, 0.2]))
    thin, thick = (draw_pose(GREY, points, visibility, thickness=t) for t in (1.0, 3.0))
    assert (thick != GREY).any(-1).sum() > 2 * (thin != GREY).any(-1).sum()
