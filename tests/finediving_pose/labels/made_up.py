"""One dive in both of FineDiving's label tables."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

DIVE = ("Worlds_Men10m_final_r1", 4)
COARSE = {
    "action_type": "207C", "start_frame": 100, "end_frame": 109, "dive_score": 79.2, "difficulty": 3.3,
    "judge_scores": [8.0, np.float64(7.5), 8.5],
}  # fmt: skip
FINE = {
    "action_type": "207c", "dive_score": 79.2, "difficulty": 3.3, "steps_transit_frames": np.array([2, 5]),
    "frames_labels": np.array([2, 2, 2, 25, 25, 25, 36, 36, 36, 36]), "sub-action_types": {},
}  # fmt: skip


def save(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content))
    return path
