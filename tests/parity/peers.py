"""Fixtures of the models that HPMCR is compared with: the same rule, in a folder of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from baselines.data.batch import Batch, given
from tests.parity.reference import fixture, reference_weight

FIRST_VALUES = {"temp": 0.07}
"""What the reference starts with, for tensors without dimensions, by the end of their key."""


SCORES = torch.tensor([65.5, 80.1, 70.2, 60.0])
QUERIES, EXEMPLARS = torch.tensor([0, 1]), torch.tensor([2, 3])
"""Of the two pairs with which training steps of stage-wise models were made."""


class Given(nn.Module):
    """In an encoder's place: features that are given as pictures."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out_channels = channels

    def features(self, batch: Batch) -> Tensor:
        return given(batch.video)

    of = features


def peers_fixture(folder: Path, name: str) -> dict[str, Tensor]:
    return fixture(folder / "peers", name)


def peers_state(folder: Path, module: str, rename: Callable[[str], str] = lambda key: key) -> dict[str, Tensor]:
    """State dict of a reference module, under our names."""
    keys = json.loads((folder / "peers" / "state_dict_keys_peers.json").read_text())[module]
    first = {key: FIRST_VALUES.get(key.rpartition(".")[2]) for key, shape in keys if not shape}
    return {
        rename(key): reference_weight(key, shape) if first.get(key) is None else torch.tensor(first[key])
        for key, shape in keys
    }
