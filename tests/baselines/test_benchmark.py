"""``fdpose benchmark`` on a real packed file: a few rendered dives, true poses, the demo's networks."""

from __future__ import annotations

import csv
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baselines import hooks
from finediving_pose.cli import main
from finediving_pose.workspace import Workspace


def fdpose(*words: object) -> Result:
    return CliRunner().invoke(main, [str(w) for w in words])


@pytest.fixture(scope="session")
def competition(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Eight dives of two numbers, packed."""
    folder = tmp_path_factory.mktemp("benchmark")
    data = Workspace(folder / "data")
    numbers = ("--dive-number", "107b", "--dive-number", "205b")
    steps = (
        ("synth", "--out", folder / "synth", "--dives", 8, *numbers),
        ("extract", "--videos", folder / "synth" / "videos", "--labels", folder / "synth" / "labels"),
        ("annotate", "--manual", folder / "synth" / "truth" / "annotations.json"),
        ("merge",),
        ("pack",),
    )
    for command, *words in steps:
        result = fdpose(command, *words, *(() if command == "synth" else ("--data", data.root)))
        assert result.exit_code == 0, result.output
    return data


@pytest.fixture(scope="session")
def finished(competition: Workspace) -> dict[str, Any]:
    """One epoch, to its end."""
    result = fdpose("benchmark", "hpmcr", "--data", competition.root, "--epochs", 1, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout) | {"stderr": result.stderr}


def test_a_run_leaves_metrics_predictions_and_a_checkpoint(competition: Workspace, finished: dict[str, Any]) -> None:
    folder = Path(finished["run"])
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics == {k: v for k, v in finished.items() if k not in ("run", "stderr")}
    assert (metrics["model"], metrics["preset"], metrics["seed"]) == ("hpmcr", "demo", 0)
    assert metrics["n_train"] + metrics["n_test"] == 8
    assert metrics["selection"] == "last epoch"
    assert [e["epoch"] for e in metrics["history"]] == [1]
    assert metrics["history"][0]["score_loss"] > 0
    with open(folder / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == metrics["n_test"]
    for row in rows:
        assert math.isfinite(float(row["predicted_score"]))
        assert 0 < int(row["predicted_transition_1"]) < int(row["predicted_transition_2"])
        assert 0 <= float(row["tiou"]) <= 1


def test_a_checkpoint_says_what_it_was_trained_on(finished: dict[str, Any]) -> None:
    import torch
    from mmengine.config import Config

    checkpoint = torch.load(Path(finished["run"]) / "epoch_1.pth", weights_only=False)
    config = Config.fromstring(checkpoint["meta"]["cfg"], ".py")
    assert config.run.digest == finished["digest"]
    assert config.run.seed == 0
    assert torch.__version__.startswith(config.run.versions.torch)
    assert config.model.dim == 64


def test_the_exemplars_mean_stands_beside_the_model(finished: dict[str, Any]) -> None:
    assert set(finished["exemplar_mean"]) >= {"rho", "r_l2_x100"}
    assert finished["exemplar_mean"]["r_l2_x100"] > 0


def test_random_weights_are_said_loudly(finished: dict[str, Any]) -> None:
    assert finished["weights"] == {"i3d": "random", "static": "random", "skeleton": "random"}
    assert "RANDOM WEIGHTS: the i3d and static encoders" in finished["stderr"]


def test_a_stopped_run_goes_on_where_it_stopped(competition: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the second epoch: the first is kept, and --resume does the second only."""
    before = hooks.EpochHistory.after_train_iter

    def stop_in_second_epoch(self: hooks.EpochHistory, runner: Any, *args: Any, **kwargs: Any) -> None:
        if runner.epoch == 1:
            raise KeyboardInterrupt
        before(self, runner, *args, **kwargs)

    monkeypatch.setattr(hooks.EpochHistory, "after_train_iter", stop_in_second_epoch)
    stopped = fdpose("benchmark", "hpmcr", "--data", competition.root, "--epochs", 2, "--seed", 7)
    assert stopped.exit_code == 130, stopped.output
    folder = Path(stopped.stderr.split("--resume ")[1].split()[0])
    assert not (folder / "metrics.json").exists()
    monkeypatch.undo()
    result = fdpose("benchmark", "hpmcr", "--data", competition.root, "--resume", folder.name, "--json")
    assert result.exit_code == 0, result.output
    assert "epoch 1/2" not in result.stderr
    assert [e["epoch"] for e in json.loads(result.stdout)["history"]] == [1, 2]


def test_the_table_shows_both_rows_and_keeps_published_figures_apart(finished: dict[str, Any]) -> None:
    from finediving_pose.cli.benchmark import show

    runner = CliRunner()
    with runner.isolation() as (out, *_):
        show(finished)
        text = out.getvalue().decode()
    ours, published = text.split("Published on FineDiving, other data: not comparable with the above")
    assert "HPMCR (demo)" in ours
    assert "exemplars' mean" in ours
    assert "0.9383" in published
    assert "0.9383" not in ours


def test_an_unknown_model_is_bad_usage(workspace: Workspace) -> None:
    result = fdpose("benchmark", "resnet", "--data", workspace.root)
    assert result.exit_code == 2
    assert "hpmcr" in result.stderr


def test_without_a_packed_file_nothing_is_left_behind(workspace: Workspace) -> None:
    result = fdpose("benchmark", "hpmcr", "--data", workspace.root)
    assert result.exit_code == 1
    assert "no such file; make one with: fdpose pack" in result.stderr
    assert not workspace.root.exists()


def test_what_can_not_be_trained_on_leaves_no_run(competition: Workspace, workspace: Workspace) -> None:
    """Without the poses: one line, exit 1, no run folder."""
    from finediving_pose.labels.table import read_clips, write_clips
    from finediving_pose.packed.writer import write_packed

    shutil.copytree(competition.frames, workspace.frames)
    write_clips(workspace.clips_table, read_clips(competition))
    write_packed(workspace)
    result = fdpose("benchmark", "hpmcr", "--data", workspace.root)
    assert result.exit_code == 1
    assert "8 of 8 have no poses: fdpose annotate --auto" in result.stderr
    assert not workspace.runs.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--resume", "nothing-here"), "no run to resume"),
        (("--resume", "nothing-here", "--epochs", "3"), "leave out --epochs"),
    ],
)
def test_a_senseless_resume_is_bad_usage(workspace: Workspace, words: tuple[str, ...], said: str) -> None:
    result = fdpose("benchmark", "hpmcr", "--data", workspace.root, *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_other_data_under_a_run_is_noticed(competition: Workspace, finished: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    config = json.loads((Path(finished["run"]) / "config.json").read_text())
    config["run"]["digest"] = "0" * 64
    (folder / "config.json").write_text(json.dumps(config))
    result = fdpose("benchmark", "hpmcr", "--data", competition.root, "--resume", folder)
    assert result.exit_code == 2
    assert "began on other data" in result.stderr
