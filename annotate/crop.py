"""Boxes, and the way from a box to a crop and back, in mmpose's convention.

A box is x1 y1 x2 y2 in pixels of the stored frame. mmpose turns it into a centre and a scale
(the padded width and height), widens the shorter side to the crop's aspect ratio and warps.
"""

from __future__ import annotations

import cv2
import numpy as np

from annotate.estimators.base import Estimator

BOX_MARGIN = 0.15
"""A diver's box reaches beyond the outermost joints by this share of the longer side: feet, hands, hair."""
LEAST_MARGIN = 8.0
"""...but at least by this many pixels: a box around one joint still has a size."""


def box_of_joints(keypoints: np.ndarray, seen: np.ndarray | None = None) -> np.ndarray:
    """Boxes around joints, with :data:`BOX_MARGIN`.

    Parameters
    ----------
    keypoints : (n, 16, 2) pixels, NaN where absent
    seen : bool (n, 16), joints to use; all that are not NaN where None

    Returns
    -------
    float32 (n, 4), x1 y1 x2 y2; NaN for a row without joints
    """
    use = ~np.isnan(keypoints[..., 0]) if seen is None else seen & ~np.isnan(keypoints[..., 0])
    low = np.where(use[..., None], keypoints, np.inf).min(1)
    high = np.where(use[..., None], keypoints, -np.inf).max(1)
    margin = np.maximum(BOX_MARGIN * np.where(use.any(1), (high - low).max(1), 0), LEAST_MARGIN)[:, None]
    boxes = np.concatenate([low - margin, high + margin], axis=1).astype(np.float32)
    boxes[~use.any(1)] = np.nan
    return boxes


def whole_frame(width: int, height: int) -> np.ndarray:
    """The box of a whole frame, float32 (1, 4)."""
    return np.array([[0, 0, width - 1, height - 1]], np.float32)


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (n, 4) and (n, 4), pairwise by row: float (n,); 0 where one is NaN."""
    size = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None)
    both = size.prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - both
    return np.nan_to_num(both / np.where(union > 0, union, np.inf))


def center_scale(boxes: np.ndarray, estimator: Estimator) -> tuple[np.ndarray, np.ndarray]:
    """Centre and padded size of each box, widened to the crop's aspect ratio: float32 (n, 2), (n, 2)."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    width, height = ((boxes[:, 2:] - boxes[:, :2]) * estimator.padding).T
    aspect = estimator.input_size[0] / estimator.input_size[1]
    scale = np.stack([np.maximum(width, height * aspect), np.maximum(height, width / aspect)], axis=1)
    return center.astype(np.float32), scale.astype(np.float32)


def crop(frames: list[np.ndarray], boxes: np.ndarray, estimator: Estimator) -> np.ndarray:
    """Warp one box out of each frame: uint8 (n, height, width, 3) of the estimator's input size."""
    from mmpose.structures.bbox import get_udp_warp_matrix, get_warp_matrix

    matrix = get_udp_warp_matrix if estimator.unbiased else get_warp_matrix
    size = estimator.input_size
    center, scale = center_scale(boxes, estimator)
    crops = [
        cv2.warpAffine(f, matrix(c, s, 0, size), size, flags=cv2.INTER_LINEAR)
        for f, c, s in zip(frames, center, scale, strict=True)
    ]
    return np.stack(crops)


def to_frame(fractions: np.ndarray, boxes: np.ndarray, estimator: Estimator) -> np.ndarray:
    """Joints as fractions of the crops (n, 16, 2) back to pixels of the frames."""
    center, scale = center_scale(boxes, estimator)
    return fractions * scale[:, None] + (center - scale / 2)[:, None]
