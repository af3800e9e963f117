"""What belongs together in time: the shots of a clip, between which nothing is carried over.

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
