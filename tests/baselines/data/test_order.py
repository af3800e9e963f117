"""The order of training dives."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import cast

import pytest

from baselines.data.order import AlikeTogether
from baselines.data.pairs import TrainingPairs


class ThreeNumbers:
    """Ten dives of each of three dive numbers."""

    def __len__(self) -> int:
        return 30

    def numbers_by_group(self) -> list[list[int]]:
        return [list(range(k, 30, 3)) for k in range(3)]


def order(run: int, epoch: int = 0, seed: int = 0) -> list[int]:
    sampler = AlikeTogether(cast(TrainingPairs, ThreeNumbers()), run, seed)
    sampler.set_epoch(epoch)
    return list(sampler)


@pytest.mark.parametrize("run", [1, 4, 5])
def test_every_dive_comes_once_and_the_order_follows_from_seed_and_epoch(run: int) -> None:
    assert sorted(order(run)) == list(range(30))
    assert order(run) == order(run) != order(run, epoch=1)
    assert order(run) != order(run, seed=1)


def test_dives_that_may_be_compared_follow_each_other() -> None:
    numbers = iter([n % 3 for n in order(5)])
    while run := list(islice(numbers, 5)):
        assert len(set(run)) == 1


def test_processes_share_the_dives(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: Counter[int] = Counter()
    for rank in range(4):
        monkeypatch.setattr("mmengine.dataset.sampler.get_dist_info", lambda rank=rank: (rank, 4))
        part = order(5)
        assert len(part) == 8
        seen.update(part)
    assert set(seen) == set(range(30))
    assert seen.total() == 32
