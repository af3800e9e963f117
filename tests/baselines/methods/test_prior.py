"""The prior as a method: execution from poses, moved to the level of each dive number."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from baselines.data.batch import Batch
from baselines.methods.prior import PriorMethod
from baselines.methods.prior.network import LevelledPoseScorer, Levels
from baselines.prior.errors import read_errors
from baselines.prior.samples import Samples
from baselines.prior.stream import perform_unfilmed
from baselines.prior.weights import BUNDLED_ERRORS
from baselines.runs.config import make_config
from baselines.runs.metrics import pairs_in_order
from baselines.runs.predictions import read_predictions
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace
from tests.baselines.small_runs import score_again, small_run

pytestmark = pytest.mark.slow

METHOD = PriorMethod()


@pytest.mark.parametrize("preset", METHOD.presets)
def test_a_preset_is_built_and_needs_no_pictures_and_no_stages(preset: str) -> None:
    made = make_config(METHOD, preset, seed=0)
    assert METHOD.needs_of(made).name == "POSES|NUMBER|DIFFICULTY"
    METHOD.build(made)


def test_a_small_training_learns_and_its_scorer_scores_as_the_run_did(made_up: Workspace) -> None:
    metrics, folder = small_run(made_up, "prior", epochs=4)
    losses = [epoch["loss"] for epoch in metrics.history]
    assert losses[-1] < losses[0]
    assert metrics.facts["levels"] == "of 2 dive numbers"
    again = score_again(made_up, folder)
    assert len(again) == metrics.made.n_test
    for prediction, points in again:
        assert points == pytest.approx(prediction.predicted_score, abs=1e-3)
        assert prediction.votes == ()


def test_without_fine_tuning_the_training_dives_of_a_number_have_its_level(made_up: Workspace) -> None:
    _, folder = small_run(made_up, "prior", epochs=0)
    assert all(np.isfinite(p.predicted_score) for p in read_predictions(folder))
    network = LevelledPoseScorer()
    numbers, scores = ("107b", "205b") * 10, torch.linspace(15, 27, 20)
    labels = Batch(pose=torch.randn(20, 2, 48, 16, 1), number=numbers, score=scores)
    network.prepare(labels)
    with torch.no_grad():
        given = network.eval().score(labels)
    for first in (0, 1):
        assert given[first::2].mean().item() == pytest.approx(scores[first::2].mean().item(), abs=1e-4)
    assert given.std() > 0.1, "dives of a number are told apart"


def test_dives_of_a_number_are_put_in_order_before_any_fine_tuning() -> None:
    """On unfilmed dives with an estimator's errors that the weights did not learn from."""
    dives = perform_unfilmed(5, range(90), ("107b", "405b", "5253b"))
    errors = read_errors(BUNDLED_ERRORS)
    seen = Samples(dives, errors).batch(np.arange(90), np.random.default_rng(0), 0.0)
    with torch.no_grad():
        told = LevelledPoseScorer().eval().execution(seen["pose"])
    assert pairs_in_order(dives.quality, told.numpy(), dives.number) > 0.65


def test_a_number_without_training_dives_has_the_level_of_all() -> None:
    levels = Levels()
    levels.fit(("107b", "205b", "205b"), torch.tensor([20.0, 22, 24]), torch.tensor([1.0, 2, 3]))
    level, usual = levels(("205b", "5253b", "107b", "107"))
    assert level.tolist() == [23, 22, 20, 22]
    assert usual.tolist() == [2.5, 2, 1, 2]


def test_levels_go_with_the_weights() -> None:
    one, other = Levels(), Levels()
    one.fit(("107b",), torch.tensor([20.0]), torch.tensor([1.0]))
    other.load_state_dict(one.state_dict())
    assert other(("107b",))[0].tolist() == [20]
    assert other.count == 1


def test_poses_show_execution_alone() -> None:
    with pytest.raises(UsageError, match="poses show execution, a score over difficulty"):
        make_config(METHOD, "demo", seed=0, changes={"data.target": "score"})
