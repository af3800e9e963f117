"""Boxes around joints, x1 y1 x2 y2 in pixels of the stored frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BOX_MARGIN = 0.15
"""A diver's box reaches beyond the outermost joints by this share of the longer side: feet, hands, hair."""
LEAST_MARGIN = 8.0
"""...but at least by this many pixels: a box around one joint still has a size."""


def box_of_joints(keypoints: NDArray[np.float32], seen: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
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
