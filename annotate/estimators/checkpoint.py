"""Checkpoints that carry the configuration of their network, read and written without running code."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.errors import PoseError
from finediving_pose.workspace import atomic_write, remove_part_files

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
    import pickle

    import torch

    try:
        with torch.serialization.safe_globals(_numbers()):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise PoseError(f"{path}: no such checkpoint; train one with: fdpose finetune") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as e:
        lines = [line.strip() for line in str(e).splitlines() if line.strip()] or [type(e).__name__]
        reason = next((line.partition(" Please use")[0] for line in lines if "Unsupported" in line), lines[0])
        raise PoseError(f"{path}: not a checkpoint of tensors and plain values ({reason})") from e
    if not isinstance(checkpoint, dict):
        raise PoseError(f"{path}: holds a {type(checkpoint).__name__}, not a checkpoint")
    return checkpoint if "state_dict" in checkpoint else {"meta": {}, "state_dict": checkpoint}


def _numbers() -> list[Any]:
    """What numpy arrays and numbers are pickled as: published checkpoints of mmpose describe their joints with them."""
    core: Any = importlib.import_module("numpy._core.multiarray")
    makers = [
        (function, f"numpy.{folder}.multiarray.{function.__name__}")
        for folder in ("core", "_core")  # numpy before and from 2.0 on
        for function in (core._reconstruct, core.scalar)
    ]
    return [np.ndarray, np.dtype, *makers, *{type(np.dtype(kind)) for kind in "?bBhHiIlLqQefd"}]


def write_checkpoint(target: Path, config: Mapping[str, Any], state: Mapping[str, Any], meta: dict[str, Any]) -> None:
    """Write weights (floating point ones as fp16) and what is needed to use them again, whole or not at all."""
    import torch

    plain = {k: v.half() if torch.is_floating_point(v) else v for k, v in state.items()}
    kept = {k: config[k] for k in CARRIED if k in config}
    remove_part_files(target)
    with atomic_write(target) as part:
        torch.save({"meta": meta | {"config": json.dumps(kept)}, "state_dict": plain}, part)


def load_weights(model: Any, weights: Mapping[str, Any], name: str) -> None:
    """Load every weight. Raises PoseError where the checkpoint is of another architecture."""
    try:
        model.load_state_dict(weights, strict=True)
    except (RuntimeError, AttributeError) as e:
        lines = [line.strip() for line in str(e).splitlines()]
        raise PoseError(
            f"{name}: these weights are of another model than the config says ({' '.join(lines[1:2])[:160]})"
        ) from e
