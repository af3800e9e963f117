"""USDL: a score is a distribution over bins."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from baselines.data.batch import Batch
from baselines.methods.usdl import USDLMethod
from baselines.methods.usdl.network import BINS, USDL
from baselines.runs.config import make_config
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace
from tests.baselines.small_runs import SMALL_I3D, pack_made_up, score_again, small_run

pytestmark = pytest.mark.slow

METHOD = USDLMethod()


def small(**options: Any) -> USDL:
    torch.manual_seed(0)
    return USDL(**{"i3d": SMALL_I3D, "hidden": (16,)} | options)


@pytest.mark.parametrize("preset", METHOD.presets)
def test_a_preset_is_built_as_it_says(preset: str) -> None:
    made = make_config(METHOD, preset, seed=0)
    network = METHOD.build(made)
    top = {"score": 104.5, "score_over_difficulty": 30.0}[made.data.target]
    assert network.step == pytest.approx(top / 100)
    assert network.i3d.freeze_bn is False, "without published weights"


def test_a_small_training_learns_and_scores(made_up: Workspace) -> None:
    metrics, folder = small_run(made_up, "usdl", epochs=4, optimiser__lr=1e-2)
    losses = [epoch["loss"] for epoch in metrics.history]
    assert losses[-1] < losses[0]
    again = score_again(made_up, folder)
    assert len(again) == metrics.made.n_test
    for prediction, points in again:
        assert 0 <= prediction.predicted_score <= 30 * (prediction.difficulty or 0)
        assert points == pytest.approx(prediction.predicted_score, abs=1e-3)
        assert prediction.votes == ()
    assert "<h1>USDL: " in (folder / "report.html").read_text()


def test_stages_need_not_be_labelled(workspace: Workspace) -> None:
    pack_made_up(workspace, dives=6, stages=False)
    metrics, folder = small_run(workspace, "usdl")
    assert (metrics.made.left_out, metrics.made.n_train) == ({}, 4)
    assert len(score_again(workspace, folder)) == 2


def test_the_released_preset_draws_filters_and_crops_in_the_centre(made_up: Workspace) -> None:
    metrics, folder = small_run(made_up, "usdl", "released", model__i3d=SMALL_I3D)
    assert "CHOSEN ON THE TEST SPLIT" in metrics.made.selection
    assert (metrics.made.pairing, metrics.made.target) == ("random", "score")
    steps = [prediction.predicted_score / 1.045 for prediction, _ in score_again(made_up, folder)]
    assert steps == pytest.approx([round(step) for step in steps], abs=1e-3), "bins are 1.045 points wide"


def test_scores_beyond_the_bins_are_taught_as_the_nearest() -> None:
    network = small(top=30.0)
    video = torch.randn(2, 3, 24, 32, 32)
    far, last = (
        network.eval().loss(Batch(video, score=torch.tensor([s] * 2)))["distribution_loss"] for s in (300.0, 30.0)
    )
    assert far.isfinite()
    assert far.item() == pytest.approx(last.item())


def test_the_mean_of_a_distribution_has_no_steps() -> None:
    scores = [small(decode=how).eval().score(Batch(torch.ones(1, 3, 24, 32, 32))).item() for how in DECODERS]
    steps = [score / 104.5 * (BINS - 1) for score in scores]
    assert steps[0] == pytest.approx(round(steps[0]), abs=1e-4)
    assert abs(steps[1] - round(steps[1])) > 1e-3


DECODERS = ("argmax", "expectation")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model.decode": "mode"}, "decode='mode'; it is argmax or expectation"),
        ({"model.sigma": 0}, "sigma=0; it is above 0"),
        ({"model.top": -3}, "top=-3; it is above 0"),
        ({"model.tip": 3}, "no setting 'model.tip'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_config(METHOD, "full", seed=0, changes=changes)
