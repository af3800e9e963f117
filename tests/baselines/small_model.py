"""HPMCR's options for a model that trains in seconds, and a batch for it."""

from __future__ import annotations

from typing import Any

import torch

from baselines.data.batch import Batch

SMALL: dict[str, Any] = {
    "frames": 24,
    "i3d": {"width": 0.0625, "stride": 8},
    "static": {"arch": {"depth": 4, "w0": 16, "wa": 16.0, "wm": 1.6, "group_size": 8, "se_ratio": 0.25}},
    "skeleton": {"channels": (16, 32)},
    "dim": 32,
    "tokens": 4,
    "depth": 1,
}


def batch(clips: int = 4, **fields: Any) -> Batch:
    torch.manual_seed(1)
    made: dict[str, Any] = {
        "video": torch.randn(clips, 3, 24, 32, 32),
        "pose": torch.randn(clips, 2, 24, 16, 1),
        "transitions": torch.tensor([[6, 15]] * clips),
        "score": torch.linspace(40, 80, clips),
        "query": torch.tensor([0, 1, 2]),
        "exemplar": torch.tensor([1, 2, 3]),
    }
    return Batch(**(made | fields))
