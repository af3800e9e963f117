"""A picture is turned as the display matrix says, pixel by pixel."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from finediving_pose.display import Display, rotation_of

ONE, W = 1 << 16, 1 << 30
SHAPE = (3, 5)
QUARTERS = [(s * ONE, 0, 0, t * ONE) for s, t in product((1, -1), repeat=2)]
QUARTERS += [(0, s * ONE, t * ONE, 0) for s, t in product((1, -1), repeat=2)]


def matrix(a: int, b: int, c: int, d: int) -> tuple[int, ...]:
    return (a, b, 0, c, d, 0, 0, 0, W)


def mapped(picture: np.ndarray, a: int, b: int, c: int, d: int) -> np.ndarray:
    """Every pixel moved from (p, q) to (a p + c q, b p + d q), as ISO/IEC 14496-12 has it."""
    moved = {}
    for q, p in np.ndindex(*picture.shape):
        moved[(b * p + d * q) // ONE, (a * p + c * q) // ONE] = picture[q, p]
    rows, columns = sorted({y for y, _ in moved}), sorted({x for _, x in moved})
    return np.array([[moved[y, x] for x in columns] for y in rows])


@pytest.mark.parametrize("entries", QUARTERS)
def test_every_quarter_turn_and_mirror_image_is_that_of_the_matrix(entries: tuple[int, int, int, int]) -> None:
    picture = np.arange(15).reshape(SHAPE)
    rotation, mirrored = rotation_of(matrix(*entries))
    display = Display(rotation, mirrored)
    assert display.is_quarter
    turned = display.turn(picture)
    np.testing.assert_array_equal(turned, mapped(picture, *entries))
    assert display.shown_size(5, 3) == (turned.shape[1], turned.shape[0])


def test_a_phone_held_upright_asks_for_a_quarter_turn_clockwise() -> None:
    """The matrix that iPhones write: what is on the right of the coded picture is shown below."""
    assert rotation_of(matrix(0, ONE, -ONE, 0)) == (90.0, False)
    np.testing.assert_array_equal(Display(90.0).turn(np.array([[1, 2]])), [[1], [2]])


@pytest.mark.parametrize("degrees", [0.4, 37.0, 91.5, 200.0])
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_any_angle_is_told_whatever_the_scale(degrees: float, scale: float) -> None:
    cos, sin = (round(scale * f(math.radians(degrees)) * ONE) for f in (math.cos, math.sin))
    assert rotation_of(matrix(cos, sin, -sin, cos)) == ((degrees if degrees > 1 else 0.0), False)
    assert Display(degrees).is_quarter == (degrees % 90 == 0)


def test_a_matrix_of_nothing_asks_for_nothing() -> None:
    assert rotation_of((0,) * 9) == (0.0, False)


def test_wide_pixels_stretch_the_width_before_the_turn() -> None:
    assert Display(aspect=4 / 3).shown_size(1440, 1080) == (1920, 1080)
    assert Display(90.0, aspect=2.0).shown_size(100, 300) == (300, 200)


def test_words_say_what_is_asked() -> None:
    assert Display().words() == "as coded"
    assert Display(90.0).words() == "turned by 90 degrees clockwise"
    assert Display(180.0, True, 1.5).words() == (
        "mirrored and turned by 180 degrees clockwise and with pixels 1.5 times as wide as high"
    )
