"""From a box to a crop and back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotate.crop import LEAST_MARGIN, box_of_joints, crop, iou, to_frame, without_other
from annotate.estimators.base import Estimator


@dataclass
class Geometry:
    """Only what cropping asks of an estimator."""

    input_size: tuple[int, int]
    padding: float
    unbiased: bool
    id: str = "none"

    @property
    def thorough(self) -> Estimator:
        return self

    def estimate(self, crops: np.ndarray, places: int = 1) -> tuple[np.ndarray, np.ndarray]:
        raise AssertionError("cropping estimates nothing")

    def mirror_gaps(self, crops: np.ndarray) -> np.ndarray:
        raise NotImplementedError


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("size", [(128, 128), (96, 128), (224, 128)])
def test_a_dot_in_the_crop_is_found_where_it_is_in_the_frame(size: tuple[int, int], unbiased: bool) -> None:
    estimator = Geometry(size, 1.25, unbiased)
    frame = np.zeros((256, 455, 3), np.uint8)
    cv2.circle(frame, (210, 120), 4, (255, 255, 255), -1)
    box = np.array([[180, 60, 260, 200]], np.float32)
    picture = crop([frame], box, estimator)[0, ..., 0].astype(float)
    y, x = (float((picture * axis).sum() / picture.sum()) for axis in np.indices(picture.shape))
    last = (size[0] - 1, size[1] - 1) if unbiased else size
    fraction = np.full((1, 16, 2), (x / last[0], y / last[1]))
    np.testing.assert_allclose(to_frame(fraction, box, estimator)[0, 0], (210, 120), atol=0.5)


@given(st.floats(0, 400), st.floats(0, 200), st.floats(1, 300), st.floats(1, 300))
def test_the_padded_box_fits_in_the_crop(x: float, y: float, w: float, h: float) -> None:
    estimator = Geometry((128, 128), 1.0, True)
    box = np.array([[x, y, x + w, y + h]], np.float32)
    corners = to_frame(np.tile(np.array([[0.0, 0.0], [1.0, 1.0]]), (8, 1))[None], box, estimator)[0]
    assert (corners[0] <= box[0, :2] + 1e-2).all() and (corners[1] >= box[0, 2:] - 1e-2).all()


def test_a_box_holds_its_joints_and_nothing_comes_of_no_joints() -> None:
    joints = np.full((2, 16, 2), np.nan)
    joints[0, :2] = [[10, 20], [110, 40]]
    boxes = box_of_joints(joints)
    np.testing.assert_allclose(boxes[0], [-5, 5, 125, 55])
    assert np.isnan(boxes[1]).all()


def test_one_joint_still_makes_a_box() -> None:
    joints = np.full((1, 16, 2), np.nan)
    joints[0, 3] = (50, 60)
    m = LEAST_MARGIN
    np.testing.assert_allclose(box_of_joints(joints)[0], [50 - m, 60 - m, 50 + m, 60 + m])


def test_overlap_of_boxes() -> None:
    a = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [np.nan] * 4])
    b = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [0, 0, 1, 1]])
    np.testing.assert_allclose(iou(a, b), [1, 1 / 3, 0, 0])


def test_the_other_diver_is_painted_over_and_nothing_on_this_side() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (100, 200, 3), np.uint8)
    box = np.array([60, 20, 100, 80], np.float32)
    for way in ([40, 0], [-40, 0], [0, 30], [25, -25]):
        hidden = without_other(picture, box, np.array(way, float))
        rows, columns = np.mgrid[:100, :200]
        along = ((columns - 80) * way[0] + (rows - 50) * way[1]) / np.dot(way, way)
        np.testing.assert_array_equal(hidden[along < 0.7], picture[along < 0.7])
        assert (hidden[along > 0.8] == hidden[along > 0.8][0]).all()
        assert np.abs(hidden[along > 0.8][0] - picture[20:81, 60:101].mean((0, 1))).max() <= 1
    assert without_other(picture, box, np.zeros(2)) is picture
    outside = without_other(picture, np.array([230, 90, 260, 160], np.float32), np.array([-30.0, 0]))
    assert (outside == outside[0, 0]).all(), "all of it lies beyond"
