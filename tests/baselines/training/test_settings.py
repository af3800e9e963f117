"""The learning rate over the epochs."""

from __future__ import annotations

import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS

from baselines.training.settings import Optimiser


def rates(how: Optimiser, epochs: int, steps: int) -> list[float]:
    """The learning rate of every step."""
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=how.lr)
    each_step, each_epoch = [], []
    for settings in how.scheduler(epochs):
        scheduler = PARAM_SCHEDULERS.build(settings | {"optimizer": optimiser}, default_args={"epoch_length": steps})
        (each_epoch if scheduler.by_epoch else each_step).append(scheduler)
    found = []
    for step in range(1, epochs * steps + 1):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        for scheduler in [*each_step, *(each_epoch if step % steps == 0 else [])]:
            scheduler.step()
    return found


def test_the_rate_rises_step_by_step_and_stays() -> None:
    found = rates(Optimiser(lr=2.0, schedule="constant", warm_up=2), epochs=4, steps=3)
    assert found[0] == pytest.approx(0.002)
    assert found[:6] == sorted(set(found[:6]))
    assert found[6:] == pytest.approx([2.0] * 6)


def test_without_a_warm_up_the_rate_is_what_it_was() -> None:
    assert rates(Optimiser(lr=2.0, schedule="constant"), 2, 2) == [2.0] * 4
    falling = rates(Optimiser(lr=2.0), 4, 2)
    assert falling[::2] == falling[1::2], "by the epoch"
    assert falling == sorted(falling, reverse=True)
    assert falling[0] == 2.0
