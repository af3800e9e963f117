"""How the background moves through the picture while the camera follows a diver.

Phase correlation of shrunken grey pictures (Kuglin and Hines, 1975) finds the one shift that most of a picture shares.
The divers, whom the camera follows, are hidden from it; a broadcaster's graphics, which stand still while the camera
turns, are outvoted. Zoom and rotation are left out: between two frames they move the middle of the picture by little.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2
from scipy.ndimage import gaussian_filter

HEIGHT = 64
"""Of the shrunken pictures: finds the shift of a 256 lines high picture to half a pixel (median)."""
MARGIN = 0.25
"""Hidden around a box on every side, in its sides: a limb that sticks out stays in place like the diver."""
BLUR = 0.8
"""Standard deviation, in pixels of the shrunken pictures, by which the correlation is blurred: that of a shift between
two pixels is spread over both, that of graphics stands on one."""
NEAR = 2
"""Around the peak, what belongs to it, in pixels of the shrunken pictures."""
GRAPHICS = 0.5
"""A shift is believed where it correlates this share as well as no shift: of a camera at rest, everything says so."""


def background_shifts(pictures: Iterable[NDArray[np.uint8]], boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """How far the background moves from the frame before to each frame.

    0 where a picture shows nothing at all; across a camera cut the shift means nothing.

    Parameters
    ----------
    pictures : uint8 (height, width, 3), RGB, of one clip in order
    boxes : (n, divers, 4), x1 y1 x2 y2 in pixels, what to hide in each

    Returns
    -------
    float (n, 2), pixels, right and down; 0 in the first frame
    """
    shifts = np.zeros((len(boxes), 2))
    before = window = None
    for i, (picture, hidden) in enumerate(zip(pictures, boxes, strict=True)):
        here, scale = _shrunk(picture, hidden)
        if before is None or window is None:
            window = cv2.createHanningWindow(here.shape[::-1], cv2.CV_32F)
        else:
            shifts[i] = _shift(before * window, here * window) / scale
        before = here
    return shifts


def _shift(before: NDArray[np.float32], here: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far what is in one picture has moved in the other: (2,), pixels, right and down."""
    product: NDArray[np.complexfloating] = np.asarray(rfft2(here)) * np.conj(np.asarray(rfft2(before)))
    size = np.abs(product)
    even = np.divide(product, size, out=np.zeros_like(product), where=size > 0)
    alike = np.fft.fftshift(gaussian_filter(np.asarray(irfft2(even, here.shape)), BLUR, mode="wrap"))
    rest = np.array(alike.shape) // 2
    moved = alike.copy()
    moved[_around(rest)] = 0
    peak = np.array(np.unravel_index(moved.argmax(), moved.shape))
    if moved.max() < GRAPHICS * alike[_around(rest)].max():
        peak = rest
    rows, columns = _around(peak)
    weight = np.maximum(alike[rows, columns], 0)
    if not weight.any():
        return np.zeros(2)
    corner = np.array([rows.start, columns.start])
    middle = corner + (weight * np.indices(weight.shape)).sum((1, 2)) / weight.sum()
    return (middle - rest)[::-1]


def _around(peak: NDArray[np.integer]) -> tuple[slice, slice]:
    """The pixels of a picture that belong to a peak at (row, column)."""
    row, column = peak.tolist()
    return slice(max(0, row - NEAR), row + NEAR + 1), slice(max(0, column - NEAR), column + NEAR + 1)


def _shrunk(picture: NDArray[np.uint8], boxes: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The picture in grey, :data:`HEIGHT` high, evenly grey in the boxes; and its scale (2,), across and down."""
    height, width = picture.shape[:2]
    size = max(2, round(width * HEIGHT / height)), HEIGHT
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    scale = np.array(size) / (width, height)
    even = small.mean()
    sides = boxes[:, 2:] - boxes[:, :2]
    wide = np.concatenate([boxes[:, :2] - MARGIN * sides, boxes[:, 2:] + MARGIN * sides], axis=1)
    for x1, y1, x2, y2 in np.maximum(np.nan_to_num(wide) * np.tile(scale, 2), 0).astype(int).tolist():
        small[y1 : y2 + 1, x1 : x2 + 1] = even
    return small, scale
