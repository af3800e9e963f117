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
import torch
from click.testing import CliRunner

from baselines.data.splits import Split
from baselines.methods.hpmcr import HPMCRMethod
from baselines.report.page import write_page
from baselines.report.tables import show_run, show_study
from baselines.report.verdicts import is_beyond_spread
from baselines.report.wording import how_made
from baselines.runs.config import make_config, read_config
from baselines.runs.figures import NAMES
from baselines.runs.predictions import read_predictions
from baselines.runs.results import read_run, read_study
from baselines.runs.run import announce
from baselines.runs.study import read_plan
from baselines.training.hooks import EpochHistory
from finediving_pose.workspace import Workspace
from tests.baselines.small_runs import begun
from tests.command import fdpose

pytestmark = pytest.mark.slow


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
    made = metrics["made"]
    assert (made["method"], made["preset"], metrics["seed"]) == ("hpmcr", "demo", 0)
    assert made["n_train"] + made["n_test"] == 8
    assert made["selection"] == "last epoch"
    assert [e["epoch"] for e in metrics["history"]] == [1]
    assert metrics["history"][0]["score_loss"] > 0
    with open(folder / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == made["n_test"]
    for row in rows:
        assert math.isfinite(float(row["predicted_score"]))
        assert 0 < int(row["predicted_transition_1"]) < int(row["predicted_transition_2"])
        assert 0 <= float(row["tiou"]) <= 1


def test_a_checkpoint_says_what_it_was_trained_on(finished: dict[str, Any]) -> None:
    import torch
    from mmengine.config import Config

    checkpoint = torch.load(Path(finished["run"]) / "epoch_1.pth", weights_only=False)
    config = Config.fromstring(checkpoint["meta"]["cfg"], ".py")
    assert config.origin.digest == finished["made"]["digest"]
    assert config.seed == 0
    assert torch.__version__.startswith(config.origin.versions.torch)
    assert config.model.dim == 64


def test_the_exemplars_mean_stands_beside_the_model(finished: dict[str, Any]) -> None:
    assert finished["exemplars_mean"]["r_l2_x100"] > 0


def test_random_weights_are_told_where_published_ones_are_meant(
    competition: Workspace, finished: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo is meant to start without published weights, and says nothing of them."""
    assert finished["made"]["weights"] == {"i3d": "random", "static": "random"}
    assert "RANDOM WEIGHTS" not in finished["stderr"]
    method = HPMCRMethod()
    config = make_config(method, "full", seed=0)
    said: list[str] = []
    monkeypatch.setattr("baselines.runs.run.tell", lambda line, **style: said.append(line))
    announce(method, config, Split((0,), (1,), (), {}), torch.nn.Linear(1, 1))
    assert "RANDOM WEIGHTS: i3d and static start from random weights" in said[-1]


@pytest.mark.parametrize("preset", ["full", "released"])
def test_a_weights_folder_without_the_files_is_refused(competition: Workspace, tmp_path: Path, preset: str) -> None:
    (tmp_path / "model_rgb.pth").touch()
    words = ("benchmark", "hpmcr", "--data", competition.root, "--weights", tmp_path)
    result = fdpose(*words, "--preset", preset)
    assert result.exit_code == 2
    assert "has no regnety_002.safetensors or regnety_002.pth (from timm's regnety_002)" in result.stderr
    assert "model_rgb" not in result.stderr
    demo = fdpose(*words)
    assert demo.exit_code == 2
    assert "preset demo of HPMCR takes no published weights" in demo.stderr


def test_a_stopped_run_goes_on_where_it_stopped(competition: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the second epoch: the first is kept, and --resume does the second only."""
    before = EpochHistory.after_train_iter

    def stop_in_second_epoch(self: EpochHistory, runner: Any, *args: Any, **kwargs: Any) -> None:
        if runner.epoch == 1:
            raise KeyboardInterrupt
        before(self, runner, *args, **kwargs)

    monkeypatch.setattr(EpochHistory, "after_train_iter", stop_in_second_epoch)
    stopped = fdpose("benchmark", "hpmcr", "--data", competition.root, "--epochs", 2, "--seed", 7)
    assert stopped.exit_code == 130, stopped.output
    folder = Path(stopped.stderr.split("--resume ")[1].split()[0])
    assert not (folder / "metrics.json").exists()
    monkeypatch.undo()
    result = fdpose("benchmark", "hpmcr", "--data", competition.root, "--resume", folder.name, "--json")
    assert result.exit_code == 0, result.output
    assert "epoch 1/2" not in result.stderr
    assert [e["epoch"] for e in json.loads(result.stdout)["history"]] == [1, 2]


def printed(show: Any, metrics: object, columns: int = 160) -> str:
    with CliRunner(env={"COLUMNS": str(columns)}).isolation() as (out, *_):
        show(metrics)
        return out.getvalue().decode()


def test_the_table_shows_both_rows_and_keeps_published_figures_apart(finished: dict[str, Any]) -> None:
    metrics = read_run(Path(finished["run"]))
    text = printed(show_run, metrics)
    ours, published = text.split("Published on FineDiving with dive number, other data: not comparable with the above")
    assert "HPMCR (demo)" in ours
    assert how_made(metrics.made, [0], 1) in ours
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
    assert page.count("with dive number; seed 0; batches of 16; 1 epoch, last epoch") >= 4
    assert "<script" not in page
    assert 'src="http' not in page


def test_without_its_packed_file_the_page_has_no_frames(finished: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished["run"], folder)
    config = json.loads((folder / "config.json").read_text())
    config["origin"]["packed"] = str(tmp_path / "gone.h5")
    (folder / "config.json").write_text(json.dumps(config))
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
    assert [(r["without"], r["seed"]) for r in rows] == [
        (part, s) for part in (None, *HPMCRMethod.parts) for s in (0, 1)
    ]
    whole = [r["figures"] for r in rows[:2]]
    l2 = [figures["l2"] for figures in whole]
    assert list(study["seeds"]) == [0, 1]
    assert study["mean"]["l2"] == pytest.approx((l2[0] + l2[1]) / 2)
    assert study["spread"]["l2"] == pytest.approx(abs(l2[0] - l2[1]) / math.sqrt(2))
    for key in ("rho", "r_l2_x100", "l2"):
        assert whole[0][key] == finished["figures"][key], "a seed alone gives what it gives in a study"
    for row, part in zip(study["ablation"], HPMCRMethod.parts, strict=True):
        own = [r["figures"]["l2"] for r in rows if r["without"] == part]
        assert row["without"] == part
        assert row["difference"]["l2"] == pytest.approx(sum(own) / 2 - study["mean"]["l2"])
    learnt = {_weights(Path(study["run"]) / r["run"]) for r in rows if r["seed"] == 0}
    assert len(learnt) == 1 + len(HPMCRMethod.parts), "every part changes something"


def _weights(run: Path) -> tuple[float, ...]:
    """What became of three weights that every ablation has; scores hardly part in an epoch of a step or two."""
    import torch

    state = torch.load(run / "epoch_1.pth", weights_only=False)["state_dict"]
    return tuple(
        float(state[k].double().sum())
        for k in (
            "network.reduce_dynamic.copies.0.0.weight",
            "network.static.net.stem.conv.weight",
            "network.compare_fused.head.4.weight",
        )
    )


def test_a_study_s_tables_say_seeds_batch_and_epochs(study: dict[str, Any]) -> None:
    how = "with dive number; seeds 0, 1; batches of 16; 1 epoch, last epoch"
    text = printed(show_study, read_study(Path(study["run"])))
    assert text.count(how) == 2
    for words in ("seed 0", "seed 1", "mean", "spread", "segmentation", "exemplars' mean"):
        assert words in text
    assert "…" not in printed(show_study, read_study(Path(study["run"])), columns=80), "a figure was cut off"
    page = (Path(study["run"]) / "report.html").read_text()
    assert how in page
    assert 'href="without-skeleton-seed-0' not in page, "pages of trainings without a part are for themselves"
    assert (Path(study["run"]) / "seed-1" / "report.html").is_file()


def test_changes_within_the_spread_have_no_colour(study: dict[str, Any]) -> None:
    metrics = read_study(Path(study["run"]))
    page = (Path(study["run"]) / "report.html").read_text()
    shown = [key for key in NAMES if getattr(metrics.mean, key) is not None]
    beyond = [is_beyond_spread(metrics, row, key) for row in metrics.ablation for key in shown]
    assert page.count('<span class="better">') + page.count('<span class="worse">') == sum(beyond)
    assert len(beyond) > sum(beyond), "an epoch of a step or two does not move everything"
    assert "In colour: a change that is larger than both spreads." in page


def test_a_stopped_study_does_what_is_left(competition: Workspace, study: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(study["run"], folder)
    for gone in ("metrics.json", "seed-1/metrics.json"):
        (folder / gone).unlink()
    result = fdpose("benchmark", "hpmcr", "--data", competition.root, "--resume", folder, "--json")
    assert result.exit_code == 0, result.output
    assert "1/14  whole model, seed 0: finished before" in result.stderr
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
    assert "matched by the nearest difficulty" in (Path(metrics["run"]) / "report.html").read_text()


def test_an_unknown_method_is_bad_usage(workspace: Workspace) -> None:
    near = fdpose("benchmark", "hpcmr", "--data", workspace.root)
    assert near.exit_code == 2
    assert "no method 'hpcmr'; did you mean hpmcr?" in near.stderr
    far = fdpose("benchmark", "resnet", "--data", workspace.root)
    assert far.exit_code == 2
    assert "no method 'resnet'; there are" in far.stderr
    none = fdpose("benchmark", "--data", workspace.root)
    assert none.exit_code == 2
    assert "name a method" in none.stderr


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


def test_parts_are_chosen_by_name(competition: Workspace) -> None:
    folder = begun(competition, "hpmcr", seeds=[3], ablate=["skeleton", "contrast"])
    assert [(m.seed, m.without) for m in read_plan(folder)] == [(3, None), (3, "skeleton"), (3, "contrast")]
    whole, less = (read_config(folder / m) for m in ("seed-3", "without-skeleton-seed-3"))
    assert (whole.without, less.without) == ((), ("skeleton",))
    reads = ("PICTURES", "POSES", "STAGES", "NUMBER", "DIFFICULTY")
    assert whole.reads == less.reads == reads, "all trainings see the same dives"


def test_set_puts_values_in_the_place_of_the_preset_s(competition: Workspace) -> None:
    words = ("--set", "training.batch_size=4", "--set", "evaluation.voters=each", "--epochs", 1, "--json")
    result = fdpose("benchmark", "hpmcr", "--data", competition.root, *words)
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout)
    assert (metrics["made"]["batch_size"], metrics["made"]["voters"]) == (4, "each")
    assert "batches of 4" in (Path(metrics["run"]) / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "batch"), "is not KEY=VALUE"),
        (("--ablate", "sound"), "HPMCR has no part 'sound'; there are skeleton,"),
        (("--ablate", ""), "HPMCR has no part ''; there are skeleton,"),
        (("--preset", "demmo"), "HPMCR has no preset 'demmo'; did you mean demo?"),
        (("--resume", "nothing-here", "--set", "a.b=1"), "leave out --set"),
        (("--resume", "nothing-here"), "not a run that can be resumed"),
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
    config["origin"]["digest"] = "0" * 64
    (folder / "config.json").write_text(json.dumps(config))
    result = fdpose("benchmark", "hpmcr", "--data", competition.root, "--resume", folder)
    assert result.exit_code == 2
    assert "began on other data" in result.stderr


def test_a_run_that_was_moved_goes_on_where_it_is_now(
    competition: Workspace, finished: dict[str, Any], tmp_path: Path
) -> None:
    """The whole data directory moved, the old place gone: nothing outside the new one is read."""
    old = tmp_path / "old"
    shutil.copytree(competition.root, old, ignore=shutil.ignore_patterns("runs", "frames", "poses"))
    shutil.copytree(finished["run"], old / "runs" / "moved", ignore=shutil.ignore_patterns("metrics.json"))
    folder = old / "runs" / "moved"
    config = json.loads((folder / "config.json").read_text())
    config["origin"]["packed"] = str(old / "finediving_pose.h5")
    config["training"]["epochs"] = 2
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "last_checkpoint").write_text(str(folder / "epoch_1.pth"))
    shutil.move(old, tmp_path / "new")
    result = fdpose("benchmark", "--resume", tmp_path / "new" / "runs" / "moved", "--data", tmp_path / "none", "--json")
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout)
    assert [e["epoch"] for e in metrics["history"]] == [1, 2]
    assert metrics["history"][0]["loss"] == finished["history"][0]["loss"]
    assert not old.exists()


def test_a_run_of_another_method_is_not_taken_for_this_one(
    competition: Workspace, finished: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished["run"], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"method": "pose-conv"}))
    named = fdpose("benchmark", "hpmcr", "--data", competition.root, "--resume", folder)
    assert named.exit_code == 2
    assert "is a run of pose-conv, not of hpmcr" in named.stderr
    absent = fdpose("benchmark", "--data", competition.root, "--resume", folder)
    assert absent.exit_code == 2
    assert "was begun with the method 'pose-conv'; no method 'pose-conv'" in absent.stderr
