"""Fixtures of the models that HPMCR is compared with: the same rule, in a folder of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from tests.parity.reference import fixture, reference_weight

FIRST_VALUES = {"temp": 0.07}
"""What the reference starts with, for tensors without dimensions, by the end of their key."""


def peers_fixture(folder: Path, name: str) -> dict[str, Tensor]:
    return fixture(folder / "peers", name)


def peers_state(folder: Path, module: str, rename: Callable[[str], str] = lambda key: key) -> dict[str, Tensor]:
    """State dict of a reference module, under our names."""
    import torch

    keys = json.loads((folder / "peers" / "state_dict_keys_peers.json").read_text())[module]
    first = {key: FIRST_VALUES.get(key.rpartition(".")[2]) for key, shape in keys if not shape}
    return {
        rename(key): reference_weight(key, shape) if first.get(key) is None else torch.tensor(first[key])
        for key, shape in keys
    }
