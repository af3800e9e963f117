"""How far apart two sets of poses are."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np

from finediving_pose.skeleton import HEAD, INDEX, N_JOINTS, SIGMAS


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


def joint_hits(
    pred: np.ndarray, truth: np.ndarray, threshold: float, head: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Which joints are within ``threshold`` head lengths, and which count at all: bool (n, 16) each.

    ``head``: head lengths (n,), pixels; those of ``truth`` where not given.
    """
    return _hits(pred, truth, head_length(truth) if head is None else head, threshold)


def layer_hits(pred: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`joint_hits`, at half a head length; where ``truth`` lacks the head, its length is that of ``pred``."""
    head = head_length(truth)
    return joint_hits(pred, truth, 0.5, np.where(np.isfinite(head), head, head_length(pred)))


def _hits(pred: np.ndarray, truth: np.ndarray, unit: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`joint_hits`, in units of ``unit`` (n,); rows whose unit is unknown or 0 don't count."""
    counted = ~np.isnan(truth[..., 0]) & (np.nan_to_num(unit) > 0)[:, None]
    distance = np.nan_to_num(np.linalg.norm(pred - truth, axis=-1), nan=np.inf)
    return counted & (distance < threshold * np.nan_to_num(unit)[:, None]), counted


def pck_torso(pred: np.ndarray, truth: np.ndarray, threshold: float = 0.2) -> float:
    """Share of joints closer to the truth than ``threshold`` torso lengths, left shoulder to right hip (PCK@0.2).

    The measure of FLIC (Sapp and Taskar, CVPR 2013); which joints and frames count is as for :func:`pckh`.

    Parameters
    ----------
    pred, truth : (n, 16, 2), pixels

    Returns
    -------
    Share in [0, 1]; NaN where nothing can be counted.
    """
    torso = np.linalg.norm(truth[:, INDEX["left_shoulder"]] - truth[:, INDEX["right_hip"]], axis=-1)
    right, counted = _hits(pred, truth, torso, threshold)
    return float(right.sum() / counted.sum()) if counted.any() else float("nan")


def oks_ap(pred: np.ndarray, truth: np.ndarray, confidence: np.ndarray) -> float:
    """Average precision by object keypoint similarity, mean over thresholds 0.50 to 0.95 (COCO keypoints).

    Computed by pycocotools with the sigmas of :mod:`finediving_pose.skeleton`, one person a picture. The
    person's area is that of the box around the true joints x 0.53, as data sets without outlines take it.

    Parameters
    ----------
    pred, truth : (n, 16, 2), pixels; NaN where absent
    confidence : (n,), how sure the estimator is of each pose

    Returns
    -------
    AP in [0, 1]; NaN where no frame has a true joint.
    """
    known = np.asarray(~np.isnan(truth).any(-1))
    rows = np.flatnonzero(known.any(1))
    if not len(rows):
        return float("nan")
    true, found = [], []
    for k, i in enumerate(rows.tolist()):
        low, high = np.nanmin(truth[i], 0), np.nanmax(truth[i], 0)
        width, height = (high - low).tolist()
        flat = np.concatenate([np.nan_to_num(truth[i]), 2.0 * known[i][:, None]], axis=1).reshape(-1)
        shared = {"image_id": k, "category_id": 1, "bbox": [*low.tolist(), width, height]}
        area = max(width * height * _AREA_OF_BOX, 1.0)
        true.append(
            {**shared, "id": k + 1, "keypoints": flat.tolist(), "num_keypoints": int(known[i].sum()), "area": area,
             "iscrowd": 0}
        )  # fmt: skip
        points = np.concatenate([np.nan_to_num(pred[i], nan=-1e6), np.ones((N_JOINTS, 1))], axis=1).reshape(-1)
        found.append({**shared, "keypoints": points.tolist(), "score": float(confidence[i])})
    return _coco_ap(true, found)


_AREA_OF_BOX = 0.53


def _coco_ap(true: list[dict[str, Any]], found: list[dict[str, Any]]) -> float:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(StringIO()):
        truth: Any = COCO()
        images = [{"id": a["image_id"]} for a in true]
        truth.dataset = {"info": {}, "images": images, "annotations": true, "categories": [{"id": 1, "name": "person"}]}
        truth.createIndex()
        evaluation: Any = COCOeval(truth, truth.loadRes(found), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.array(SIGMAS)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])
