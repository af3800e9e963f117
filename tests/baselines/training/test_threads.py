"""Threads are set for a block, and only there."""

from __future__ import annotations

import pytest
import torch

from baselines.methods.hpmcr import HPMCRMethod
from baselines.runs.config import make_config
from baselines.training.threads import computing_with


@pytest.mark.parametrize("threads", [1, 3, None])
def test_a_block_computes_with_its_threads_and_leaves_the_others_as_they_were(threads: int | None) -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), computing_with(threads):
        assert torch.get_num_threads() == (threads or before)
        raise KeyError
    assert torch.get_num_threads() == before


def test_the_demo_computes_with_one_thread_and_larger_presets_as_torch_does() -> None:
    found = {name: make_config(HPMCRMethod(), name, 0).training.threads for name in HPMCRMethod.presets}
    assert found.pop("demo") == 1 and set(found.values()) == {None}
