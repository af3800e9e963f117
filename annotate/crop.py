"""Boxes, and the way from a box to a crop and back, in mmpose's convention.

A box is x1 y1 x2 y2 in pixels of the stored frame. mmpose turns it into a centre and a scale
(the padded width and height), widens the shorter side to the crop's aspect ratio and warps.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from annotate.estimators.base import Finder
from finediving_pose.boxes import LEAST_MARGIN, box_of_joints

HIDDEN_FROM = 0.75
"""Of the way from one diver to the other."""

__all__ = [
    "LEAST_MARGIN",
    "box_of_joints",
    "center_scale",
    "crop",
    "hull",
    "iou",
    "to_frame",
    "whole_frame",
    "without_other",
]


def whole_frame(width: int, height: int) -> np.ndarray:
    """The box of a whole frame, float32 (1, 4)."""
    return np.array([[0, 0, width - 1, height - 1]], np.float32)


def hull(boxes: np.ndarray) -> np.ndarray:
    """The box around boxes (n, 4): float (4,)."""
    return np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (n, 4) and (n, 4), pairwise by row: float (n,); 0 where one is NaN."""
    size = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None)
    both = size.prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - both
    return np.nan_to_num(both / np.where(union > 0, union, np.inf))


def center_scale(boxes: np.ndarray, estimator: Finder) -> tuple[np.ndarray, np.ndarray]:
    """Centre and padded size of each box, widened to the crop's aspect ratio: float32 (n, 2), (n, 2)."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    width, height = ((boxes[:, 2:] - boxes[:, :2]) * estimator.padding).T
    aspect = estimator.input_size[0] / estimator.input_size[1]
    scale = np.stack([np.maximum(width, height * aspect), np.maximum(height, width / aspect)], axis=1)
    return center.astype(np.float32), scale.astype(np.float32)


def crop(frames: Iterable[np.ndarray], boxes: np.ndarray, estimator: Finder) -> np.ndarray:
    """Warp one box out of each frame, taken one by one: uint8 (n, height, width, 3) of the estimator's input size."""
    from mmpose.structures.bbox import get_udp_warp_matrix, get_warp_matrix

    matrix = get_udp_warp_matrix if estimator.unbiased else get_warp_matrix
    size = estimator.input_size
    center, scale = center_scale(boxes, estimator)
    crops = [
        cv2.warpAffine(f, matrix(c, s, 0, size), size, flags=cv2.INTER_LINEAR)
        for f, c, s in zip(frames, center, scale, strict=True)
    ]
    return np.stack(crops)


def without_other(picture: np.ndarray, box: np.ndarray, way: np.ndarray) -> np.ndarray:
    """The picture with another diver painted over, as far as that can be done: RGB, uint8 (height, width, 3).

    ``way`` (2,) leads from the middle of the diver's ``box`` to that of the other's; what lies beyond three quarters of
    it gets the colour of the box. An estimator in whose crop there are two would often take the clearer one for both.
    """
    if not way.any():
        return picture
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = np.round(box).clip(0, [width - 1, height - 1] * 2).astype(int)
    colour = picture[y1 : y2 + 1, x1 : x2 + 1].mean((0, 1)).tolist()
    start, far = (box[:2] + box[2:]) / 2 + HIDDEN_FROM * way, 2 * (width + height) * way / np.linalg.norm(way)
    across = far[::-1] * (-1, 1)
    corners = np.array([start - across, start + across, start + across + far, start - across + far])
    hidden = picture.copy()
    cv2.fillConvexPoly(hidden, np.round(corners).astype(np.int32), colour)
    return hidden


def to_frame(fractions: np.ndarray, boxes: np.ndarray, estimator: Finder) -> np.ndarray:
    """Joints as fractions of the crops (n, 16, 2) back to pixels of the frames."""
    center, scale = center_scale(boxes, estimator)
    return fractions * scale[:, None] + (center - scale / 2)[:, None]
