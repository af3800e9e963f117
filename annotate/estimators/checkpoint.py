"""Checkpoints that carry the configuration of their network, read and written without running code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finediving_pose import checkpoints
from finediving_pose.errors import CheckpointError, PoseError

CARRIED = (
    *("model", "pipeline", "train_pipeline", "boxes", "all_round", "sizes"),
    *("batch_size", "learning_rate", "weight_decay"),
)
"""The keys of a configuration that a checkpoint carries."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """``{"meta", "state_dict"}`` of a checkpoint; only tensors and plain values are unpickled.

    Raises
    ------
    PoseError
        The file is missing, damaged, or holds more than tensors and plain values.
    """
    if not path.is_file():
        raise PoseError(f"{path}: no such checkpoint; train one with: fdpose finetune")
    try:
        checkpoint = checkpoints.read_checkpoint(path)
    except CheckpointError as e:
        raise PoseError(str(e)) from e
    if not isinstance(checkpoint, dict):
        raise PoseError(f"{path}: holds a {type(checkpoint).__name__}, not a checkpoint")
    return checkpoint if "state_dict" in checkpoint else {"meta": {}, "state_dict": checkpoint}


def write_checkpoint(target: Path, config: Mapping[str, Any], state: Mapping[str, Any], meta: dict[str, Any]) -> None:
    """Write weights (floating point ones as fp16) and what is needed to use them again, whole or not at all."""
    import torch

    plain = {k: v.half() if torch.is_floating_point(v) else v for k, v in state.items()}
    kept = {k: config[k] for k in CARRIED if k in config}
    checkpoints.write_checkpoint(target, {"meta": meta | {"config": json.dumps(kept)}, "state_dict": plain})


def load_weights(model: Any, weights: Mapping[str, Any], name: str) -> None:
    """Load every weight. Raises PoseError where the checkpoint is of another architecture."""
    try:
        model.load_state_dict(weights, strict=True)
    except (RuntimeError, AttributeError, TypeError, ValueError) as e:
        lines = [line.strip() for line in str(e).splitlines()]
        raise PoseError(
            f"{name}: these weights are of another model than the config says ({' '.join(lines[1:2])[:160]})"
        ) from e
