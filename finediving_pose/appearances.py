"""When a diver is to be seen in a clip, by its poses: from when to when, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finediving_pose.poses import ClipPoses

APART = 0.5
"""Seconds without a diver that part two appearances; a shorter hole is one that poses have."""
SHORTEST = 0.3
"""Seconds that an appearance takes at least: nobody dives in less."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """Frame numbers of the first and the last frame with a pose, and their times in seconds from the clip's start."""

    first: int
    last: int
    begins: float
    ends: float


def appearances(poses: ClipPoses, numbers: Sequence[int], times: NDArray[np.float64]) -> list[Appearance]:
    """The appearances of divers in a clip, in order; frames in which any diver has a joint count.

    Parameters
    ----------
    numbers : frame numbers of the clip, increasing
    times : float64 (n,), seconds from the first frame on; NaN where the frame rate is not known, and then every run of
        frames is one
    """
    posed = set(poses.frame[poses.has_diver].tolist())
    seen = np.flatnonzero([number in posed for number in numbers])
    if not len(seen):
        return []
    known = np.isfinite(times).all()
    gaps = np.diff(times[seen]) > APART if known else np.diff(seen) > 1
    runs = np.split(seen, np.flatnonzero(gaps) + 1)
    found = [Appearance(numbers[r[0]], numbers[r[-1]], float(times[r[0]]), float(times[r[-1]])) for r in runs]
    return [a for a in found if not known or a.ends - a.begins >= SHORTEST]
