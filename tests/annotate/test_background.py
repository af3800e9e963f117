"""The background's motion, by windows that pan over a made-up panorama."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from annotate.background import background_shifts
from tests.annotate.made_up import panorama

HEIGHT, WIDTH = 256, 456
NOWHERE = np.array([np.nan] * 4)


def pan(corners: np.ndarray) -> list[np.ndarray]:
    """Windows onto the panorama whose top-left corners (n, 2) are these, pixels right and down."""
    wide = panorama(700, 900)
    return [wide[y : y + HEIGHT, x : x + WIDTH].copy() for x, y in corners.tolist()]


def test_a_still_camera_has_a_still_background() -> None:
    shifts = background_shifts(pan(np.full((4, 2), 50)), np.tile(NOWHERE, (4, 1, 1)))
    np.testing.assert_allclose(shifts, 0, atol=0.05)


@pytest.mark.parametrize("divers", [1, 2])
def test_the_background_moves_against_the_camera_whoever_it_follows(divers: int) -> None:
    """Bright divers stay in the same place of the picture, as the camera follows them."""
    corners = np.array([[100, 20], [103, 20], [110, 26], [112, 40], [112, 80], [104, 127]])
    pictures = pan(corners)
    boxes = np.array([[150, 60, 230, 200], [260, 60, 340, 200]])[:divers]
    for picture in pictures:
        for x1, y1, x2, y2 in boxes.tolist():
            picture[y1:y2, x1:x2:8] = 255
    shifts = background_shifts(pictures, np.tile(boxes, (len(pictures), 1, 1)))
    assert not shifts[0].any()
    np.testing.assert_allclose(shifts[1:], -np.diff(corners, axis=0), atol=3)


def test_graphics_that_stand_still_do_not_hold_the_background() -> None:
    """A broadcaster's sign, sharp and bright, over a panorama that fast motion has blurred."""
    corners = np.array([[100, 20], [103, 60], [104, 104], [104, 150], [106, 196]])
    pictures = [np.asarray(cv2.blur(picture, (1, 40)), np.uint8) for picture in pan(corners)]
    for picture in pictures:
        cv2.rectangle(picture, (300, 20), (440, 50), (20, 160, 60), cv2.FILLED)
        cv2.putText(picture, "S423TKI8", (304, 44), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255, 255, 255), 2)
    shifts = background_shifts(pictures, np.tile(NOWHERE, (len(pictures), 1, 1)))
    np.testing.assert_allclose(shifts[1:], -np.diff(corners, axis=0), atol=4)


@pytest.mark.parametrize("width", [3, WIDTH])
def test_pictures_with_nothing_in_them_do_not_move(width: int) -> None:
    """A fade from black to white, also in a picture as narrow as there may be."""
    pictures = [np.full((HEIGHT, width, 3), value, np.uint8) for value in (0, 0, 128, 255)]
    np.testing.assert_allclose(background_shifts(pictures, np.tile(NOWHERE, (4, 1, 1))), 0, atol=0.01)


def test_of_no_frames_there_are_no_shifts() -> None:
    assert background_shifts([], np.zeros((0, 1, 4))).shape == (0, 2)
