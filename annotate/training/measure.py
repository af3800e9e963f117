"""Figures of a network on held-out frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from annotate.agreement import oks_ap, pckh, pckh_by_joint
from annotate.crop import crop, iou, to_frame, whole_frame
from annotate.estimators.base import Finder
from annotate.estimators.presets import Network
from annotate.locate import boxes_of
from annotate.training.labelled_frames import FEWEST_CLIPS, FEWEST_FRAMES, LabelledFrame
from finediving_pose.skeleton import JOINTS

QUALITY: dict[Network, str] = {"pose": "pckh", "locator": "iou"}
"""The figure that training watches, by network."""
BATCH = 64


def measure(estimator: Finder, held: Sequence[LabelledFrame], network: Network) -> dict[str, Any]:
    """How good a network is, frame by frame. There is a diver in every frame, so no pose can be a false one.

    Returns
    -------
    For ``pose``, in the true box: ``pckh``, ``oks_ap`` and ``by_joint`` (PCKh@0.5 of each joint). For ``locator``:
    ``iou``, the mean overlap of its boxes with the true ones, and ``iou_over_half``, the share of boxes with an IoU
    of 0.5 or more.
    """
    found, sure = [], []
    for i in range(0, len(held), BATCH):
        part = held[i : i + BATCH]
        pictures = (f.folder.read(f.number) for f in part)  # one at a time in memory
        whole = [whole_frame(f.folder.width, f.folder.height) for f in part]
        box = np.stack([f.box for f in part]) if network == "pose" else np.concatenate(whole)
        fractions, confidence = estimator.estimate(crop(pictures, box, estimator))
        found.append(to_frame(fractions, box, estimator))
        sure.append(confidence)
    points, confidence = np.concatenate(found), np.concatenate(sure)
    if network == "locator":
        boxes, _ = boxes_of(points, confidence)
        overlap = iou(boxes, np.stack([f.together for f in held]))
        return {"iou": _round(overlap.mean()), "iou_over_half": _round((overlap >= 0.5).mean())}
    truth = np.stack([np.where(f.known[:, None], f.keypoints, np.nan) for f in held])
    joints = pckh_by_joint(points, truth)
    return {
        "pckh": _round(pckh(points, truth)),
        "oks_ap": _round(oks_ap(points, truth, confidence.mean(1))),
        "by_joint": {name: _round(share) for name, share in zip(JOINTS, joints, strict=True)},
    }


def _round(share: float | np.floating) -> float:
    return round(float(share), 4)


def in_words(summaries: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Summaries of :func:`annotate.training.finetune.finetune`, by network, as lines for people: before -> after."""
    lines = {}
    for network, s in summaries.items():
        lines[network] = str(s["checkpoint"])
        lines[f"{network} trained on"] = f"{s['frames']} frames, {s['held_out']} frames held out"
        before, after = s["before"] or {}, s["after"] or {}
        figures = {
            "PCKh@0.5": "pckh",
            "OKS AP": "oks_ap",
            "mean IoU of boxes": "iou",
            "boxes with IoU >= 0.5": "iou_over_half",
        }
        lines |= {name: _change(before.get(k), after[k]) for name, k in figures.items() if k in after}
        if s["thorough"]:
            lines["PCKh@0.5 with --thorough"] = f"{s['thorough']['pckh']:.3f}"
        old = before.get("by_joint", {})
        lines |= {j.replace("_", " "): _change(old.get(j), v) for j, v in after.get("by_joint", {}).items()}
        if s["unlabelled"]:
            lines[f"{network} figures"] = "none: no joints were placed by hand to measure by; look with fdpose render"
        elif not s["held_out"]:
            lines[f"{network} figures"] = (
                f"none: with fewer than {FEWEST_CLIPS} clips, or {FEWEST_FRAMES} frames in a tenth of them, nothing is"
                " held out; check with fdpose compare"
            )
    return lines


def _change(before: float | None, after: float) -> str:
    return f"{after:.3f}" if before is None else f"{before:.3f} -> {after:.3f}"
