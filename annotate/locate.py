"""Where the divers are in every frame of a dive: one box a frame around all of them, consistent in time.

A small network sees the whole frame, shrunk, and places five points: the middle of the diver's
box and the middles of its four sides; of two divers, those of the box around both. Frames where it is unsure, or where
the box jumps away from its neighbours and back, take their box from the frames around them.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import median_filter

from annotate.crop import whole_frame

POINTS = ("middle", "left", "top", "right", "bottom")
"""What the locator finds, in the order of its outputs."""
POINTS_FLIP = (0, 3, 2, 1, 4)
"""Point i of a mirrored picture is point POINTS_FLIP[i] of the original."""
SURE = 0.3
"""A frame's box is trusted from this mean confidence on."""
JUMP = 0.6
"""A box is an outlier when its centre is this many of its longer sides from the median of the frames around it."""
WINDOW = 9


def windows(width: int, height: int) -> np.ndarray:
    """Where the locator looks in a frame, float32 (n, 4): at the whole of it.

    In a frame that is higher than wide it looks at squares from top to bottom, each half over the next one or more: it
    has learned from wide pictures, and takes the bars beside a narrow one for part of the scene.
    """
    n = 1 + max(0, math.ceil(2 * (height - width) / width))
    if n == 1:
        return whole_frame(width, height)
    tops = np.linspace(0, height - width, n)
    return np.stack([np.zeros(n), tops, np.full(n, width - 1.0), tops + width - 1], axis=1).astype(np.float32)


def box_points(boxes: np.ndarray) -> np.ndarray:
    """The five points of each box that the locator learns, in the order of :data:`POINTS`: (n, 4) -> (n, 5, 2)."""
    x1, y1, x2, y2 = boxes.T
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return np.stack([np.stack(p, axis=1) for p in ((x, y), (x1, y), (x, y1), (x2, y), (x, y2))], axis=1)


def boxes_of(points: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes from their five points (n, 5, 2), and the mean confidence: float32 (n, 4), (n,).

    NaN where a point is missing or the sides are the wrong way round.
    """
    boxes = np.stack([points[:, 1, 0], points[:, 2, 1], points[:, 3, 0], points[:, 4, 1]], axis=1).astype(np.float32)
    boxes[~((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))] = np.nan
    return boxes, confidence.mean(1).astype(np.float32)


def steady(boxes: np.ndarray, score: np.ndarray, width: int, height: int) -> np.ndarray:
    """Boxes made consistent in time: outliers and unsure frames interpolated, a median over three frames.

    The whole frame everywhere if no frame is sure.

    Parameters
    ----------
    boxes : float32 (n, 4), x1 y1 x2 y2 in pixels, NaN where there is none
    score : float32 (n,), how sure the locator was in this frame, 0 to 1
    width, height : of the frames, pixels
    """
    sure = (score >= SURE) & ~np.isnan(boxes[:, 0])
    if not sure.any():
        return np.repeat(whole_frame(width, height), len(boxes), axis=0)
    center, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    around = median_filter(_fill(center, sure), size=(WINDOW, 1), mode="nearest")
    kept = sure & (np.linalg.norm(center - around, axis=1) <= JUMP * size.max(1))
    kept = kept if kept.any() else sure
    center = median_filter(_fill(center, kept), size=(3, 1), mode="nearest")
    size = median_filter(_fill(size, kept), size=(3, 1), mode="nearest")
    return np.concatenate([center - size / 2, center + size / 2], axis=1).astype(np.float32)


def _fill(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Linear interpolation over the unknown rows of (n, d); held beyond the first and last known one."""
    at = np.arange(len(values))
    return np.stack([np.interp(at, at[known], column[known]) for column in values.T], axis=1)
