"""``fdpose benchmark`` on a real packed file: a few rendered dives, true poses, the demo's networks."""

from __future__ import annotations

import csv
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from baselines import hooks
from baselines.hpmcr import PARTS
from baselines.report import write_page
from baselines.results import read_predictions
from baselines.runs import PRESETS
from baselines.study import new_study, read_plan
from baselines.tables import show_run, show_study
from baselines.wording import how_made
from finediving_pose.cli.benchmark import PARTS as cli_parts
from finediving_pose.cli.benchmark import benchmark
from finediving_pose.workspace import Workspace
from tests.baselines.conftest import fdpose


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


def printed(show: Any, metrics: dict[str, Any]) -> str:
    with CliRunner(env={"COLUMNS": "160"}).isolation() as (out, *_):
        show(metrics)
        return out.getvalue().decode()


def test_the_table_shows_both_rows_and_keeps_published_figures_apart(finished: dict[str, Any]) -> None:
    text = printed(show_run, finished)
    ours, published = text.split("Published on FineDiving with dive number, other data: not comparable with the above")
    assert "HPMCR (demo)" in ours
    assert how_made(finished) in ours
    assert "exemplars' mean" in ours
    assert "0.9383" in published
    assert "0.9383" not in ours


def test_the_page_shows_the_worst_dives_with_frames(finished: dict[str, Any]) -> None:
    """Each test dive and up to three of its exemplars, a picture for each of three stages."""
    folder = Path(finished["run"])
    page = (folder / "report.html").read_text()
    dives = read_predictions(folder)
    shown = sum(1 + min(len(p.votes), 3) for p in dives)
    assert page.count("data:image/jpeg;base64,") == 3 * shown
    assert all(f'id="dive-{p.dive.video}-{p.dive.index}"' in page for p in dives)
    assert "may not be published or passed on" in page
    assert page.count(how_made(finished)) >= 4
    assert "<script" not in page
    assert 'src="http' not in page


def test_without_its_packed_file_the_page_has_no_frames(finished: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished["run"], folder)
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps(metrics | {"packed": str(tmp_path / "gone.h5")}))
    page = write_page(folder).read_text()
    assert "data:image/jpeg" not in page
    assert "led furthest astray" in page


@pytest.fixture(scope="module")
def study(competition: Workspace) -> dict[str, Any]:
    """Two seeds of the whole model and of each part left out, one epoch each."""
    words = ("--epochs", 1, "--seeds", 2, "--ablate", "--json")
    result = fdpose("benchmark", "hpmcr", "--data", competition.root, *words)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_study_has_a_row_a_training_and_means_over_its_seeds(study: dict[str, Any], finished: dict[str, Any]) -> None:
    rows = study["rows"]
    assert [(r["without"], r["seed"]) for r in rows] == [(part, s) for part in (None, *PARTS) for s in (0, 1)]
    whole = rows[:2]
    assert study["seeds"] == [0, 1]
    assert study["mean"]["l2"] == pytest.approx((whole[0]["l2"] + whole[1]["l2"]) / 2)
    assert study["spread"]["l2"] == pytest.approx(abs(whole[0]["l2"] - whole[1]["l2"]) / math.sqrt(2))
    for key in ("rho", "r_l2_x100", "l2"):
        assert whole[0][key] == finished[key], "a seed alone gives what it gives in a study"
    for row, part in zip(study["ablation"], PARTS, strict=True):
        own = [r["l2"] for r in rows if r["without"] == part]
        assert row["without"] == part
        assert row["difference"]["l2"] == pytest.approx(sum(own) / 2 - study["mean"]["l2"])
    learnt = {_weights(Path(study["run"]) / r["run"]) for r in rows if r["seed"] == 0}
    assert len(learnt) == 1 + len(PARTS), "every part changes something"


def _weights(run: Path) -> tuple[float, ...]:
    """What became of two weights that every ablation has; scores hardly part in an epoch of a step or two."""
    import torch

    state = torch.load(run / "epoch_1.pth", weights_only=False)["state_dict"]
    return tuple(
        float(state[k].double().sum()) for k in ("reduce_dynamic.copies.0.0.weight", "static.net.stem.conv.weight")
    )


def test_a_study_s_tables_say_seeds_batch_and_epochs(study: dict[str, Any]) -> None:
    text = printed(show_study, study)
    assert text.count(how_made(study)) == 2
    for words in ("seed 0", "seed 1", "mean", "spread", "segmentation", "exemplars' mean"):
        assert words in text
    page = (Path(study["run"]) / "report.html").read_text()
    assert how_made(study) in page
    assert 'href="without-skeleton-seed-0' not in page, "pages of trainings without a part are for themselves"
    assert (Path(study["run"]) / "seed-1" / "report.html").is_file()


def test_a_stopped_study_does_what_is_left(competition: Workspace, study: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(study["run"], folder)
    for gone in ("metrics.json", "seed-1/metrics.json"):
        (folder / gone).unlink()
    result = fdpose("benchmark", "hpmcr", "--data", competition.root, "--resume", folder, "--json")
    assert result.exit_code == 0, result.output
    assert "1/12  whole model, seed 0: finished before" in result.stderr
    assert "epoch 1/1" not in result.stderr, "seed 1 had its epoch, only its metrics were missing"
    again = json.loads(result.stdout)
    assert [{**r, "seconds": 0} for r in again["rows"]] == [{**r, "seconds": 0} for r in study["rows"]]


def test_without_exemplars_the_nearest_in_difficulty_are_taken_when_asked(
    competition: Workspace, workspace: Workspace
) -> None:
    from finediving_pose.labels.table import read_clips, write_clips
    from finediving_pose.packed.writer import write_packed

    shutil.copytree(competition.root, workspace.root, ignore=shutil.ignore_patterns("runs", "*.h5"))
    clips = read_clips(workspace)
    odd = next(c.key for c in clips if c.split == "test")
    write_clips(workspace.clips_table, [replace(c, action_type="405b") if c.key == odd else c for c in clips])
    write_packed(workspace)
    words = ("benchmark", "hpmcr", "--data", workspace.root, "--epochs", 1)
    refused = fdpose(*words)
    assert refused.exit_code == 1
    assert f"no exemplar: {odd} (405b); pair them" in refused.stderr
    assert not workspace.runs.exists()
    result = fdpose(*words, "--exemplar-fallback", "difficulty", "--json")
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout)
    assert metrics["matched_by_difficulty"] == 1
    assert "by the nearest difficulty" in (Path(metrics["run"]) / "report.html").read_text()


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
    assert "; 8 of 8 have no poses (Synthetic" in result.stderr
    assert not workspace.runs.exists()


def test_the_presets_are_those_that_there_are() -> None:
    offered = next(p for p in benchmark.params if p.name == "preset").type
    assert list(getattr(offered, "choices", ())) == list(PRESETS)


def test_parts_are_chosen_by_name(competition: Workspace) -> None:
    folder = new_study(competition, "demo", [3], ["skeleton", "contrast"])
    assert [(m.seed, m.without) for m in read_plan(folder)] == [(3, None), (3, "skeleton"), (3, "contrast")]
    assert json.loads((folder / "without-skeleton-seed-3/config.json").read_text())["model"]["without"] == ["skeleton"]
    assert cli_parts == PARTS


def test_set_puts_values_in_the_place_of_the_preset_s(competition: Workspace) -> None:
    words = ("--set", "training.batch_size=4", "--set", "evaluation.voters=each", "--epochs", 1, "--json")
    result = fdpose("benchmark", "hpmcr", "--data", competition.root, *words)
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout)
    assert (metrics["batch_size"], metrics["voters"]) == (4, "each")
    assert "batches of 4" in (Path(metrics["run"]) / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "batch"), "is no KEY=VALUE"),
        (("--ablate", "splash"), "no part 'splash'; its parts are skeleton,"),
        (("--resume", "nothing-here", "--set", "a.b=1"), "leave out --set"),
        (("--resume", "nothing-here"), "no run to resume"),
        (("--resume", "nothing-here", "--epochs", "3"), "leave out --epochs"),
        (("--resume", "nothing-here", "--ablate"), "leave out --ablate"),
        (("--resume", "nothing-here", "--exemplar-fallback", "difficulty"), "leave out --exemplar-fallback"),
    ],
)
def test_a_senseless_request_is_bad_usage(workspace: Workspace, words: tuple[str, ...], said: str) -> None:
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
