"""MUSDL: the awards of seven judges, whatever panel judged the dive."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from baselines.data.batch import Batch
from baselines.data.splits import split_clips
from baselines.methods.musdl import MUSDLMethod
from baselines.methods.musdl.network import MUSDL, panel_awards
from baselines.runs.config import make_config
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace
from tests.baselines.made_up import clip, packed, ten
from tests.baselines.small_runs import SMALL_I3D, score_again, small_run

pytestmark = pytest.mark.slow

METHOD = MUSDLMethod()
NAN = math.nan


def small(**options: Any) -> MUSDL:
    torch.manual_seed(0)
    return MUSDL(**{"i3d": SMALL_I3D, "hidden": (16,)} | options)


@pytest.mark.parametrize("preset", METHOD.presets)
def test_a_preset_is_built_as_it_says(preset: str) -> None:
    network = METHOD.build(make_config(METHOD, preset, seed=0))
    assert len(network.classifiers) == 7
    assert network.listed == (preset == "released")


def test_a_small_training_learns_and_scores(made_up: Workspace) -> None:
    metrics, folder = small_run(made_up, "musdl", epochs=4, optimiser__lr=1e-2)
    losses = [epoch["loss"] for epoch in metrics.history]
    assert losses[-1] < losses[0]
    again = score_again(made_up, folder)
    assert len(again) == metrics.made.n_test
    for prediction, points in again:
        assert 0 <= prediction.predicted_score <= 30 * (prediction.difficulty or 0)
        assert points == pytest.approx(prediction.predicted_score, abs=1e-3)


@pytest.mark.parametrize(
    ("awards", "synchronised", "panel"),
    [
        ([7, 8, 6.5, NAN, NAN, NAN, NAN], False, [6.5, 6.5, 6.5, 7, 8, 8, 8]),
        ([7, 8, 6.5, 9, 6, NAN, NAN], False, [6, 6, 6.5, 7, 8, 9, 9]),
        ([7, 8, 6.5, 9, 6, NAN, NAN], True, [6, 6.5, 7.3, 7.3, 7.3, 8, 9]),
        ([7, 8, 6.5, 9, 6, 5, 5.5], False, [5, 5.5, 6, 6.5, 7, 8, 9]),
        ([4, 4.5, 45, 4, 55.5, 4, 4], False, [4, 4, 4, 4, 4.5, 10, 10]),
    ],
)
def test_every_panel_becomes_one_of_seven(awards: list[float], synchronised: bool, panel: list[float]) -> None:
    made = panel_awards(torch.tensor([awards]), torch.tensor([synchronised]))
    assert made.tolist() == [pytest.approx(panel)]


def test_the_order_of_seven_is_kept_where_wanted() -> None:
    awards, single = torch.tensor([[7, 8, 6.5, 9, 6, 5, 55.5]]), torch.tensor([False])
    assert panel_awards(awards, single, listed=True).tolist() == [[7, 8, 6.5, 9, 6, 5, 10]]


def test_impossible_awards_give_a_loss_that_is_a_number() -> None:
    awards = torch.tensor([[45, 55.5, 5, 5, 5, 5, 5], [0, 0, 0, NAN, NAN, NAN, NAN]])
    batch = Batch(torch.randn(2, 3, 24, 32, 32), awards=awards, synchronised=torch.zeros(2, dtype=torch.bool))
    for order in ("sorted", "listed"):
        loss = small(award_order=order).loss(batch)["distribution_loss"]
        loss.backward()
        assert loss.isfinite()


def test_a_panel_that_no_rule_counts_is_left_out_and_named() -> None:
    clips = [replace(c, judge_scores=(7.0, 7.5, 8.0)) for c in ten()]
    odd = clip(10, judge_scores=(7.0, 7.5))
    split = split_clips(packed(*clips, odd), METHOD.needs)
    assert split.left_out == {"no awards of three, five or seven judges": [str(odd.key)]}
    assert len(split.train) == 8


def test_it_needs_the_difficulty() -> None:
    with pytest.raises(UsageError, match="awards add up to a score over difficulty"):
        make_config(METHOD, "full", seed=0, changes={"data.target": "score"})
    with pytest.raises(UsageError, match="award_order='by name'; it is sorted or listed"):
        make_config(METHOD, "full", seed=0, changes={"model.award_order": "by name"})
