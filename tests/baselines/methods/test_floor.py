"""The floor of every table: the exemplars' mean, and difficulty x mean execution. Neither is trained."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from baselines.registry import find_method
from baselines.runs.config import make_config
from baselines.runs.predictions import read_predictions
from baselines.runs.run import new_run, run
from finediving_pose.errors import UsageError
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace
from tests.baselines.small_runs import score_again, small_run
from tests.command import fdpose

pytestmark = pytest.mark.slow

SHARES = {"demo": 0.0, "full": 0.5}
FLOOR = ("exemplars-mean", "difficulty")


@pytest.mark.parametrize("name", FLOOR)
@pytest.mark.parametrize("preset", ["demo", "full"])
def test_it_runs_like_any_method_without_a_training(made_up: Workspace, name: str, preset: str) -> None:
    assert make_config(find_method(name), "full", seed=0).validation.share == 0.1
    metrics, folder = small_run(made_up, name, preset, epochs=None, validation__share=SHARES[preset])
    assert (metrics.made.epochs, metrics.history, metrics.parameters) == (0, [], 0)
    assert metrics.made.n_train == (8 if preset == "demo" else 4), "a video of four dives is held out"
    for prediction, points in score_again(made_up, folder):
        assert points == pytest.approx(prediction.predicted_score, abs=1e-3)
    page = (folder / "report.html").read_text()
    assert "nothing to train" in page
    assert "0 epochs" not in page


@pytest.mark.parametrize("target", ["score", "score_over_difficulty"])
def test_the_exemplars_mean_is_the_baseline_of_every_page(made_up: Workspace, target: str) -> None:
    metrics, folder = small_run(made_up, "exemplars-mean", epochs=None, data__target=target)
    assert metrics.figures.r_l2_x100 == pytest.approx(metrics.exemplars_mean.r_l2_x100)
    for prediction in read_predictions(folder):
        assert prediction.predicted_score == pytest.approx(prediction.exemplar_mean, abs=1e-3)
        assert len(prediction.votes) == 4


def test_difficulty_times_the_mean_execution_of_the_training_dives(made_up: Workspace) -> None:
    metrics, folder = small_run(made_up, "difficulty", epochs=None)
    train = [c for c in read_clips(made_up) if c.split == "train"]
    mean = np.mean([(c.dive_score or 0) / (c.difficulty or math.nan) for c in train])
    for prediction in read_predictions(folder):
        assert prediction.predicted_score == pytest.approx(mean * (prediction.difficulty or 0), abs=1e-3)
        assert prediction.votes == ()
    assert metrics.facts == {"mean execution": f"{mean:.2f} of 30"}


def test_the_command_prints_its_row_and_the_page(made_up: Workspace) -> None:
    done = fdpose("benchmark", "difficulty", "--data", made_up.root)
    assert done.exit_code == 0, done.output
    assert "Difficulty (demo)" in done.stdout
    assert "with dive number; seed 0; nothing to train" in done.stdout
    study = fdpose("benchmark", "exemplars-mean", "--data", made_up.root, "--seeds", 2)
    assert study.exit_code == 0, study.output
    assert "spread" in study.stdout
    for printed in (done.stdout, study.stdout):
        ours, published = printed.split("Published on FineDiving")
        assert "AIoU" in published
        assert "AIoU" not in ours, "no transitions are predicted"


def test_a_finished_or_stopped_run_is_run_again_to_the_same(made_up: Workspace) -> None:
    folder = new_run(made_up, find_method("difficulty"), "demo", 0)
    first = run(folder)
    again = run(folder, resume=True)
    assert again.figures == first.figures


@pytest.mark.parametrize("name", FLOOR)
def test_there_is_nothing_to_train(made_up: Workspace, name: str) -> None:
    done = fdpose("benchmark", name, "--data", made_up.root, "--epochs", 3)
    assert done.exit_code == 2
    assert f"the network of {name} has no method loss() and can't be trained" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_execution_is_a_score_over_difficulty() -> None:
    with pytest.raises(UsageError, match="execution is a score over difficulty"):
        make_config(find_method("difficulty"), "demo", seed=0, changes={"data.target": "score"})


def test_an_untrained_network_is_scored_too(made_up: Workspace, tmp_path: Path) -> None:
    metrics, _ = small_run(made_up, "usdl", epochs=0)
    assert metrics.history == []
    assert metrics.parameters > 0
