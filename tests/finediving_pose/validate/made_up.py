"""A clip without fault, and label files with one dive."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.labels.read import LabelFiles

GOOD = Clip(
    ClipKey("Worlds_Men10m_final_r1", 0), "train", "5253b", 3.2, 76.8, (8.0, 7.5, 8.5), 100, 199, 100, 25.0,
    10.0, False, (20, 40, 70), (2, 31, 15, 36), "finediving",
)  # fmt: skip


def clip(index: int, video: str = "v", **fields: Any) -> Clip:
    """A clip with nothing but what is said."""
    return Clip(ClipKey(video, index), **fields)


def good(index: int = 0, **changes: Any) -> Clip:
    """The clip without fault, changed."""
    return replace(GOOD, key=ClipKey(GOOD.key.video, index), **changes)


def label_files(**changes: Any) -> LabelFiles:
    """FineDiving's coarse and fine-grained tables with one dive, its fine-grained fields changed."""
    fields = {
        "action_type": "107b",
        "dive_score": 72.0,
        "difficulty": 3.0,
        "steps_transit_frames": [19, 59],
        "frames_labels": [1] * 20 + [17] * 40 + [36] * 20,
        "sub-action_types": {1: "Forward", 17: "3.5 Soms.Pike", 36: "Entry"},
    }
    coarse = {("v", 1): {**{k: fields[k] for k in ("action_type", "dive_score", "difficulty")}, "start_frame": 0}}
    contents = {Path("coarse.pkl"): coarse, Path("fine.pkl"): {("v", 1): {**fields, **changes}}}
    return LabelFiles("finediving", Path(), contents, [clip(1, action_type="107b")])
