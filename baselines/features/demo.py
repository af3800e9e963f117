"""What ``demo`` presets give their frozen encoders: the same for all methods, so that they share the features."""

from __future__ import annotations

from typing import Any

I3D: dict[str, Any] = {"width": 0.125, "stride": 4}
"""Nine snippets of 128 channels and 2 x 2 places."""
PICTURES: dict[str, Any] = {"frames": 48, "resize": [116, 64], "crop": 64, "train_crop": "centre", "in_memory": True}
TRAINING: dict[str, Any] = {"frozen": True, "threads": 1}
