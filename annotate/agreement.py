"""How far apart two sets of poses are."""

from __future__ import annotations

import numpy as np

from finediving_pose.skeleton import HEAD, N_JOINTS


def head_length(truth: np.ndarray) -> np.ndarray:
    """Length from upper neck to head top, pixels: (n, 16, 2) -> (n,)."""
    return np.linalg.norm(truth[:, HEAD[0]] - truth[:, HEAD[1]], axis=-1)


def pckh(pred: np.ndarray, truth: np.ndarray, threshold: float = 0.5) -> float:
    """Share of joints closer to the truth than ``threshold`` head lengths, all 16 joints alike.

    The measure of MPII Human Pose (Andriluka et al., CVPR 2014), with the length from upper neck to
    head top as the head length. Joints that are NaN in the truth, and frames whose head length is
    unknown or 0, don't count; a joint that is NaN in the prediction is wrong.

    Parameters
    ----------
    pred, truth : (n, 16, 2), pixels

    Returns
    -------
    Share in [0, 1]; NaN where nothing can be counted.
    """
    right, counted = joint_hits(pred, truth, threshold)
    return float(right.sum() / counted.sum()) if counted.any() else float("nan")


def pckh_by_joint(pred: np.ndarray, truth: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """:func:`pckh` of each joint: (16,), NaN where a joint is never counted."""
    right, counted = joint_hits(pred, truth, threshold)
    n = counted.sum(0)
    return np.divide(right.sum(0), n, out=np.full(N_JOINTS, np.nan), where=n > 0)


def joint_hits(pred: np.ndarray, truth: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Which joints are near enough, and which count at all: bool (n, 16) each."""
    reach = head_length(truth)
    counted = ~np.isnan(truth[..., 0]) & (np.nan_to_num(reach) > 0)[:, None]
    distance = np.linalg.norm(pred - truth, axis=-1)
    right = np.nan_to_num(distance, nan=np.inf) < threshold * np.nan_to_num(reach)[:, None]
    return right & counted, counted
