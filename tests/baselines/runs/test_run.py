"""Whole runs of the full presets, made small, on a packed competition."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from baselines.data.batch import Batch
from baselines.methods.hpmcr import HPMCRMethod
from baselines.methods.hpmcr.network import HPMCR
from baselines.runs import scoring
from baselines.runs.results import RunMetrics, read_run
from baselines.runs.run import new_run, run
from baselines.scorer.file import read_scorer
from baselines.scorer.predict import Judge
from finediving_pose.errors import UsageError
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow

METHOD = HPMCRMethod()

SMALL = {
    "model.i3d": {"width": 0.0625, "stride": 8},
    "model.static.arch": {"depth": 4, "w0": 16, "wa": 16.0, "wm": 1.6, "group_size": 8, "se_ratio": 0.25},
    "model.skeleton": {"in_channels": 2, "channels": (16, 32)},
    "model.dim": 32,
    "model.tokens": 4,
    "model.depth": 1,
    "data.frames": 24,
    "training.batch_size": 4,
    "training.workers": 0,
}
"""Everything but the size is the preset's."""


def finished(workspace: Workspace, preset: str, epochs: int = 2, **changes: Any) -> tuple[RunMetrics, Path]:
    settings = SMALL | {k.replace("__", "."): v for k, v in changes.items()}
    folder = new_run(workspace, METHOD, preset, 0, epochs=epochs, changes=settings)
    return run(folder), folder


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "predictions.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_the_released_code_s_figures_are_labelled_as_chosen_on_the_test_split(competition: Workspace) -> None:
    metrics, folder = finished(competition, "released", 4)
    assert "CHOSEN ON THE TEST SPLIT" in metrics.made.selection
    scored = [e["test_rho"] for e in metrics.history if e.get("test_rho") is not None]
    assert set(metrics.epoch_of_each.values()) <= {1, 3, 4}
    if scored:
        assert metrics.figures.rho == pytest.approx(max(scored), abs=1e-4)
    assert read_run(folder) == metrics


def test_a_run_computes_with_the_threads_that_it_is_given(
    competition: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, set[int]] = {"training": set(), "evaluation": set()}
    loss, encode = HPMCR.loss, scoring.encode_clips

    def noted(self: HPMCR, batch: Batch) -> dict[str, torch.Tensor]:
        seen["training"].add(torch.get_num_threads())
        return loss(self, batch)

    def noted_too(*given: Any) -> Any:
        seen["evaluation"].add(torch.get_num_threads())
        return encode(*given)

    monkeypatch.setattr(HPMCR, "loss", noted)
    monkeypatch.setattr(scoring, "encode_clips", noted_too)
    before = torch.get_num_threads()
    finished(competition, "full", 1, training__threads=3)
    assert seen == {"training": {3}, "evaluation": {3}} and torch.get_num_threads() == before


def test_native_stages_random_pairs_score_over_difficulty_and_the_splash_go_together(
    competition: Workspace, tmp_path: Path
) -> None:
    truth = tmp_path / "dives.json"
    clips = read_clips(competition)
    dives = [{"video": c.key.video, "index": c.key.index, "splash_area": [0, 500, 900]} for c in clips]
    truth.write_text(json.dumps({"dives": dives}))
    metrics, folder = finished(
        competition,
        "full",
        1,
        data__stages="native",
        data__pairing="random",
        data__target="score_over_difficulty",
        model__splash_weight=1.0,
        data__splash=str(truth),
        validation__share=0.0,
    )
    assert (metrics.made.pairing, metrics.made.target) == ("random", "score_over_difficulty")
    assert metrics.history[0]["splash_loss"] > 0
    assert metrics.facts["stage weights"].count(",") == 4
    # untrained, a prediction is about the exemplars' scores at the query's difficulty: points, not points over it
    for row in rows(folder):
        assert abs(float(row["predicted_score"]) - float(row["exemplar_mean"])) < 15
        assert float(row["exemplar_mean"]) > 20
    judge = Judge(read_scorer(folder / "scorer.pth"))
    with open_packed(competition.packed) as packed:
        for row in rows(folder):
            score = judge.score(packed, packed.index(f"{row['video']}/{row['index']}"))
            assert score.points == pytest.approx(float(row["predicted_score"]), abs=0.05)
            assert score.exemplars_mean == pytest.approx(float(row["exemplar_mean"]), abs=1e-3)
            assert len(score.stages) == 5 and score.matched_by == "chance"


def test_mtl_aqa_is_scored_without_stages(competition: Workspace, workspace: Workspace) -> None:
    shutil.copytree(competition.frames, workspace.frames)
    shutil.copytree(competition.root / "poses", workspace.root / "poses")
    clips = read_clips(competition)
    bare = [replace(c, stage_starts=(), sub_actions=(), source="mtl_aqa") for c in clips]
    write_clips(workspace.clips_table, bare)
    write_packed(workspace)
    metrics, folder = finished(workspace, "mtl-aqa", 1)
    assert metrics.made.n_train + metrics.made.n_test == len(clips)
    assert (metrics.figures.aiou_50, metrics.figures.aiou_75) == (None, None)
    assert metrics.made.without == ("segmentation",)
    assert len(rows(folder)) == metrics.made.n_test
    assert "segmentation_loss" not in metrics.history[0]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("trainning.workers", 1, r"no setting 'trainning.workers'; did you mean training.workers\? there are model"),
        (
            "training.wrokers",
            1,
            r"no setting 'training.wrokers'; did you mean training.workers\? there are training.epochs",
        ),
        ("training.workers.more", 1, "workers is a single value"),
        ("epochs", 1, r"no setting 'epochs'; did you mean training.epochs\? there are model"),
        ("run.seed", 1, "no setting"),
        ("model.dim", 63, "can't be built"),
        ("model.i3d.wdith", 1, "can't be built"),
        ("training.accumulate", 3, "can't be split in 3 parts"),
        ("training.workers", "many", "training.workers=many: training.workers: input should be a valid integer"),
        ("optimiser.lr", "fast", "optimiser.lr: input should be a valid number"),
        ("optimiser.type", "Lion", "optimiser.type: input should be 'Adam', 'AdamW' or 'SGD'"),
        ("data.resample", "nearest", "data.resample: input should be 'area', 'bilinear' or 'random'"),
        ("training.epochs", -1, "training.epochs: input should be greater than or equal to 0"),
        ("optimiser.lr", float("nan"), "optimiser.lr: input should be"),
        ("data.frames", 0, "data.frames: input should be greater than 0"),
        ("data.crop", 500, "crop 500 is larger than the pictures, 116 x 64"),
        ("evaluation.votes", 0, "evaluation.votes: input should be greater than 0"),
        ("validation.share", 2, "validation.share: input should be less than 1"),
        ("validation.interval", 0, "validation.interval: input should be greater than 0"),
        ("data.pairing", "height", "data.pairing: input should be 'number', 'random', 'rotation' or 'difficulty'"),
    ],
)
def test_a_setting_that_can_not_be_is_bad_usage(workspace: Workspace, name: str, value: object, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        new_run(workspace, METHOD, "demo", 0, changes={name: value})
    assert "\n" not in str(caught.value)
    assert not workspace.root.exists()
