"""What belongs together in time: the shots of a clip, and in a shot each of two synchronised divers.

The locator looks at every frame afresh, so it cannot drift; what links frames is that boxes are made steady
(:func:`annotate.locate.steady`) and joints smoothed (:func:`annotate.smooth.smooth`). Both must stop at a camera
cut: the diver on one side of it is nowhere near the diver on the other.

Two synchronised divers do the same at the same time, side by side: the one is the other moved by some way, and that way
changes little from frame to frame. Every joint of which two places are seen tells it.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

LEVELS = 6
"""Levels of each colour channel in a frame's histogram."""

CHANGE, JUMP = 0.1, 2.3
"""A cut changes more than a tenth of the picture's colours, and 2.3 times as much as is usual around it: a pan of the
camera or a splash changes many frames in a row. See docs/experiments/estimator.md for what that finds."""

AROUND = 6
_LEAST = 0.02
"""Change that a still camera is taken to have: noise and compression."""

RIVAL = 0.3
"""A joint's second place may be the other diver's from this share of the first one's confidence on."""
ALIKE = 0.12
"""Joints tell the same way where they differ by less than this share of the box's diagonal."""
STEP = 0.3
"""How fast the usual way is learned anew: divers drift apart and the camera turns, slowly."""
TELLING, NEAREST = 3, 15
"""A frame is believed from so many joints on that tell the same way; a frame's way is that of so many around it."""
LEAST_SIDE = 0.3
"""A diver's box has at least this share of the sides of the box around both."""


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


def ways(joints: np.ndarray, confidence: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In every frame, what leads from one diver to the other, in either direction, and how many joints say so.

    Parameters
    ----------
    joints : (n, 2, 16, 2), two places of every joint, pixels; confidence : (n, 2, 16)
    boxes : (n, 4), x1 y1 x2 y2, around both

    Returns
    -------
    way : float (n, 2), pixels, the median of the most joints that tell the same; 0 where there are none
    telling : int (n,)
    """
    between = np.nan_to_num(joints[:, 1] - joints[:, 0])  # (n, 16, 2)
    rival = (confidence[:, 1] > RIVAL * confidence[:, 0]) & np.isfinite(joints).all((1, 3))
    reach = ALIKE * np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    a, b = between[:, :, None], between[:, None]
    near = np.minimum(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1)) < reach[:, None, None]
    near &= rival[:, :, None] & rival[:, None]  # (n, 16, 16), which joints tell the same way
    each = np.arange(len(between))
    most = near.sum(2).argmax(1)
    same, along = near[each, most], between[each, most]  # (n, 16), (n, 2)
    back = (between * along[:, None]).sum(-1) < 0
    turned = np.where(back[..., None], -between, between)
    way = np.ma.median(np.ma.array(turned, mask=~np.repeat(same[..., None], 2, axis=2)), axis=1)
    return np.ma.filled(way, 0.0), same.sum(1)


def steady_ways(way: np.ndarray, telling: np.ndarray) -> np.ndarray:
    """Ways (n, 2) of one shot from the left diver to the right one, each the weighted median of the nearest frames'.

    0 where no frame is to be believed.
    """
    known = np.flatnonzero(telling >= TELLING)
    if not len(known):
        return np.zeros_like(way)
    way, usual = way.copy(), np.array([1.0, 0.0])
    for at, i in enumerate(known):
        way[i] *= 1 if way[i] @ usual >= 0 else -1
        usual = way[i] if at == 0 else usual + STEP * (way[i] - usual)
    found = np.zeros_like(way)
    for i in range(len(way)):
        around = known[np.argsort(np.abs(known - i), kind="stable")[:NEAREST]]
        for axis in (0, 1):
            order = around[np.argsort(way[around, axis])]
            share = np.cumsum(telling[order]) / telling[order].sum()
            found[i, axis] = way[order[np.searchsorted(share, 0.5)], axis]
    return found


def together(boxes: np.ndarray, way: np.ndarray) -> np.ndarray:
    """The ways (n, 2), but 0 where the box (n, 4) is smaller than its way: it holds one diver, the other is gone."""
    both = boxes[:, 2:] - boxes[:, :2]
    return np.where((both < np.abs(way)).any(1, keepdims=True), 0.0, way)


def apart(boxes: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Boxes (n, 2, 4) of two divers of one size, from those around both (n, 4) and the ways between them (n, 2)."""
    middle, both = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    half = np.maximum(both - np.abs(way), LEAST_SIDE * both) / 2
    centers = [middle - way / 2, middle + way / 2]
    return np.stack([np.concatenate([c - half, c + half], axis=1) for c in centers], axis=1).astype(np.float32)
