"""Signs that a joint is misplaced, without knowing where it should be."""

from __future__ import annotations

import numpy as np

from finediving_pose.poses import ClipPoses
from finediving_pose.skeleton import LIMBS

APART = 0.1
"""A joint this far from that of the mirror image, in widths of the crop, counts as unknown."""
LONG_LIMB = 1.5


def long_limbs(poses: ClipPoses) -> np.ndarray:
    """Which limbs of each row are longer than 1.5 times their 75th percentile in the clip: bool (n, 15)."""
    a, b = np.array(LIMBS).T
    lengths = np.linalg.norm(poses.keypoints[:, a] - poses.keypoints[:, b], axis=-1)
    if not len(lengths):
        return np.zeros(lengths.shape, bool)
    lengths = np.where(np.isfinite(lengths).any(0), lengths, 0)  # a limb that is never seen
    return np.asarray(lengths > LONG_LIMB * np.nanpercentile(lengths, 75, axis=0))
