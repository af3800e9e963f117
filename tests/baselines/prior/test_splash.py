"""Learning to see a splash, and what it is worth beside poses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from baselines.prior.filmed import FilmedEntries, film_entries
from baselines.prior.splash import (
    VIEWS,
    Pairs,
    SplashPlan,
    _splash_of,
    measure_judge,
    same_number,
    train_finder,
    train_judge,
)
from baselines.prior.weights import SplashPrior, read_splash_prior, write_splash_prior
from finediving_pose.errors import SetupError


def _pairs(seed: int, dives: int = 120) -> Pairs:
    """Dives that lose points by their splash, seen half as large from half as near, and by what poses see badly."""
    rng = np.random.default_rng(seed)
    cost, rest, scale = rng.exponential(1.0, dives), rng.exponential(1.0, dives), rng.uniform(0.05, 0.15, dives)
    splash = np.zeros((dives, 48))
    splash[:, 30:40] = (cost * scale**2)[:, None]
    execution = -(cost + rest) / 10
    query, exemplar = same_number(rng.integers(0, 4, dives), np.zeros(dives, bool))
    by_pose = -(rest + rng.normal(0, 0.5, (VIEWS, dives))) / 10

    def tensor(values: np.ndarray) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32)

    return Pairs(
        splash=tensor(splash),
        scale=tensor(np.tile(scale, (VIEWS, 1))),
        cost=tensor(cost),
        single=torch.ones(dives, dtype=torch.bool),
        query=torch.from_numpy(query),
        exemplar=torch.from_numpy(exemplar),
        above=tensor(execution[query] - execution[exemplar]),
        by_pose=tensor(by_pose[:, query] - by_pose[:, exemplar]),
    )


def test_a_judge_learns_what_poses_do_not_show() -> None:
    judge, share = train_judge(SplashPlan(judge_steps=300), _pairs(0))
    figures = measure_judge(judge, share, _pairs(1))
    assert figures["correlation"] > 0.9
    assert figures["both"] < 0.6 * figures["poses"]
    assert figures["splash"] < 0.8


def test_pairs_are_of_one_number_and_one_diver_and_each_once() -> None:
    query, exemplar = same_number(np.array([4, 7, 4, 7, 4, 4]), np.array([False] * 5 + [True]))
    assert set(zip(query.tolist(), exemplar.tolist(), strict=True)) == {(0, 2), (0, 4), (2, 4), (1, 3)}


@pytest.fixture(scope="module")
def dives() -> FilmedEntries:
    return film_entries(3, range(2))


def test_a_finder_finds_more_splash_where_there_is_more(dives: FilmedEntries) -> None:
    finder = train_finder(SplashPlan(steps=60, batch=8), dives)
    with torch.no_grad():
        found = torch.stack([_splash_of(finder, dives, i) for i in range(len(dives))])[:, -dives.foam.shape[1] :]
    there = dives.pictures.any((2, 3, 4))
    foam = dives.foam.astype(float).sum((2, 3))[there]
    assert np.corrcoef(found.numpy()[there], foam)[0, 1] > 0.5


def test_weights_come_back_and_damaged_ones_are_named(tmp_path: Path) -> None:
    prior = SplashPrior({"a": torch.rand(3)}, {"b": torch.rand(2)}, 0.7, {"dives": 1200})
    write_splash_prior(tmp_path / "splash.pth", prior)
    again = read_splash_prior(tmp_path / "splash.pth")
    assert again.share == 0.7 and again.title == "the ends of 1,200 filmed synthetic dives"
    torch.testing.assert_close(again.finder["a"], prior.finder["a"], atol=1e-3, rtol=0)
    (tmp_path / "bad.pth").write_bytes(b"no checkpoint")
    with pytest.raises(SetupError, match=r"bad.pth: .* reinstall"):
        read_splash_prior(tmp_path / "bad.pth")
