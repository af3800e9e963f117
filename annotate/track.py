"""What belongs together in time: the shots of a clip, and within a shot the boxes of each diver of a pair.

The locator looks at every frame afresh, so it cannot drift; what links frames is that boxes are made steady
(:func:`annotate.locate.steady`) and joints smoothed (:func:`annotate.smooth.smooth`). Both must stop at a camera
cut: the diver on one side of it is nowhere near the diver on the other.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

LEVELS = 6
"""Levels of each colour channel in a frame's histogram."""

CHANGE, JUMP = 0.1, 2.3
"""A cut changes more than a tenth of the picture's colours, and 2.3 times as much as is usual around it: a pan of the
camera or a splash changes many frames in a row. See docs/annotate.md for what that finds."""

AROUND = 6
_LEAST = 0.02
"""Change that a still camera is taken to have: noise and compression."""

STEP = 0.3
"""How fast the way from one diver to the other is learned anew: they drift apart and the camera turns, slowly."""
ALONE = 0.25
"""A box seen alone is one diver's where it lies this far, in distances between the two, from the middle of both."""


def colours(picture: np.ndarray) -> np.ndarray:
    """Histogram of a picture's colours: float32 (216,), summing to 1."""
    small = cv2.resize(picture, (64, 36), interpolation=cv2.INTER_AREA)
    counts = cv2.calcHist([small], [0, 1, 2], None, [LEVELS] * 3, [0, 256] * 3).ravel()
    return counts / counts.sum()


def cuts(histograms: np.ndarray) -> np.ndarray:
    """Positions of the frames that begin a new shot, the first frame left out.

    Parameters
    ----------
    histograms : float (n, k), of every frame in order, see :func:`colours`
    """
    change = np.abs(np.diff(histograms, axis=0)).sum(1) / 2  # (n - 1,), share of the picture that changed its colour
    found = []
    for i, here in enumerate(change):
        near = np.concatenate([change[max(0, i - AROUND) : i], change[i + 1 : i + 1 + AROUND]])
        usual = float(np.median(near)) if len(near) else np.inf
        if here > CHANGE and here > JUMP * (usual + _LEAST):
            found.append(i + 1)
    return np.array(found, int)


def shots(n: int, at: np.ndarray) -> list[slice]:
    """The shots of a clip of ``n`` frames that is cut ``at`` these positions."""
    borders = [0, *at.tolist(), n]
    return [slice(a, b) for a, b in pairwise(borders)]


def apart(boxes: np.ndarray, sure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The boxes of two divers in one shot, each diver's in a column of their own.

    Two synchronised divers fall side by side, so the way from the one to the other changes little from frame to frame,
    while each moves by more than what lies between them. A box seen alone is the diver's on whose side it is, or of
    both where it lies between them: they hide each other.

    Parameters
    ----------
    boxes : float32 (n, 2, 4), in any order
    sure : bool (n, 2), which of them to believe

    Returns
    -------
    The same for the diver who is on the left at first, and for the other.
    """
    boxes, sure = boxes.copy(), sure.copy()
    center = (boxes[..., :2] + boxes[..., 2:]) / 2
    way, middle = np.zeros(2), None
    for i in range(len(boxes)):
        if sure[i].all():
            here = center[i, 1] - center[i, 0]
            if here @ (way if middle is not None else (1, 0)) < 0:
                boxes[i], here = boxes[i, ::-1].copy(), -here
            way = here if middle is None else way + STEP * (here - way)
            middle = center[i].mean(0)
        elif sure[i].any() and middle is not None:
            seen = boxes[i, sure[i]][0]
            side = (center[i, sure[i]][0] - middle) @ way / max(1e-6, way @ way)
            boxes[i], sure[i] = seen, (side < ALONE, side > -ALONE)
    return boxes, sure
