"""The fixtures' rule for weights and inputs: every tensor follows from its name."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

TOLERANCE = 1e-4
"""Of the fixture's largest value."""


def random_state(name: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(name.encode()) & 0xFFFFFFFF)


def reference_input(name: str, *shape: int) -> Tensor:
    return torch.from_numpy(random_state(name).standard_normal(shape).astype(np.float32))


def reference_weight(key: str, shape: list[int]) -> Tensor:
    state = random_state(key)
    if key.endswith("num_batches_tracked"):
        value = np.zeros(shape, np.int64)
    elif key.endswith("running_var"):
        value = 0.5 + state.random_sample(shape)
    elif key.endswith("running_mean"):
        value = 0.1 * state.standard_normal(shape)
    elif key.endswith("bias"):
        value = 0.05 * state.standard_normal(shape)
    elif len(shape) == 1:
        value = 1 + 0.1 * state.standard_normal(shape)
    else:
        value = state.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    return torch.as_tensor(value, dtype=torch.int64 if value.dtype == np.int64 else torch.float32)


def reference_state(folder: Path, module: str, keep: Callable[[str], bool] = lambda key: True) -> dict[str, Tensor]:
    """State dict of a reference module, under its own names."""
    keys = json.loads((folder / "state_dict_keys.json").read_text())[module]
    return {key: reference_weight(key, shape) for key, shape in keys if keep(key)}


def fixture(folder: Path, name: str) -> dict[str, Tensor]:
    with np.load(folder / f"{name}.npz") as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays.files}


def error(ours: Tensor, theirs: Tensor) -> float:
    """Largest difference as a share of the fixture's largest value."""
    assert ours.shape == theirs.shape, f"shape {tuple(ours.shape)}, fixture {tuple(theirs.shape)}"
    return float((ours - theirs).abs().max() / theirs.abs().max())
