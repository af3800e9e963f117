"""Who stands still after the dive is not the diver.

Once the diver is under water the networks may take an official at the pool's edge, or the reflection of one, for the
diver, and be as sure of it as they were of the diver. What tells is motion against the background: a diver stands
before the flight, falls, and is gone. Lengths are in the diver's size and speeds in that of the fall, so that neither
the frame rate nor the picture's size matters. How it was chosen: docs/experiments/estimator.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

WINDOW = 5
"""Speeds are medians over so many frames: a jump from one person to another is no motion."""
FALL = 1.0
"""A diver who falls, falls by their own size at least, at more than half of the highest speed downward."""
SLOW = 0.15
"""Who stands moves more slowly than this share of the fall's speed: boxes are not quite still."""
LONG = 6
"""Frames for which somebody stands still: feet that go under seem still for some."""


def steps_of(boxes: NDArray[np.floating], shifts: NDArray[np.floating]) -> NDArray[np.float64]:
    """How far a diver moves against the background from the frame before, in the diver's size: float (n, 2).

    The size is the median diagonal of the boxes.

    Parameters
    ----------
    boxes : (n, 4), x1 y1 x2 y2 of one diver, pixels
    shifts : (n, 2), of the background, pixels, see :func:`annotate.background.background_shifts`
    """
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    size = np.median(np.hypot(*(boxes[:, 2:] - boxes[:, :2]).T))
    return (np.diff(middle, axis=0, prepend=middle[:1]) - shifts) / size


def stands_after_fall(steps: NDArray[np.floating], shots: Sequence[slice]) -> NDArray[np.bool_]:
    """Frames of a clip in which whoever was found stands still after the last fall: bool (n,).

    Left out are the frames in which the diver goes under: as long as it takes to fall by one's own size. Before a fall
    somebody may stand in every shot, as a dive may be shown again. In a shot without a fall, whatever stands is judged
    by the fall in the shots before it, if there was one.

    Parameters
    ----------
    steps : (n, 2), see :func:`steps_of`; the first of a shot is not used
    shots : of the clip, see :func:`annotate.track.shots`
    """
    standing = np.zeros(len(steps), bool)
    fallen: float | None = None
    for shot in shots:
        here = steps[shot]
        end, under = 0, 0
        if fall := _last_fall(_steady(here[:, 1])):
            end, fallen = fall
            under = end + int(np.ceil(1 / fallen))
        if fallen is None:
            continue
        for a, b in _runs(_steady(np.hypot(*here.T)) < SLOW * fallen):
            if b - max(a, end) >= LONG:
                standing[shot][max(a, under) : b] = True
    return standing


def _last_fall(down: NDArray[np.floating]) -> tuple[int, float] | None:
    """Of speeds downward (n,) in one shot: one past the last frame of the last fall, and the highest speed in it."""
    falls = [(a, b) for a, b in _runs(down > down.max(initial=0) / 2) if down[a:b].sum() >= FALL]
    return (falls[-1][1], float(down[slice(*falls[-1])].max())) if falls else None


def _steady(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """The median over :data:`WINDOW` frames around each; the first value, of no step, is the second's."""
    steps = np.concatenate([values[1:2], values[1:]])
    return median_filter(steps, WINDOW, mode="nearest")


def _runs(flags: NDArray[np.bool_]) -> list[list[int]]:
    """First frames of runs of true ones, and one past the last."""
    return np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]))).reshape(-1, 2).tolist()
