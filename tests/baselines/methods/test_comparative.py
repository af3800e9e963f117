"""Comparative methods beside HPMCR, from the packed file to a scorer: small, for seconds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from baselines.registry import find_method
from baselines.runs.config import make_config
from baselines.runs.run import new_run, prepare_run, run
from baselines.scorer.file import read_scorer
from baselines.scorer.predict import Judge
from finediving_pose.errors import PackedError
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.workspace import Workspace
from tests.baselines.small_runs import SMALL_DATA

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Case:
    """A method, made small.

    ``cuts`` says whether it predicts stages, so that it needs their labels.
    """

    name: str
    cuts: bool
    small: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


SIZE = SMALL_DATA
REGNET = {"depth": 4, "w0": 16, "wa": 16.0, "wm": 1.6, "group_size": 8, "se_ratio": 0.25}
CASES = [
    Case("mcore", True, {"model.static": {"arch": REGNET}, "model.depth": 1, "model.heads": 2}),
    Case("core", False, {"model.i3d": {"width": 0.0625, "stride": 8}, "model.width": 16}),
    Case("tpt", False, {"model.i3d": {"width": 0.0625, "stride": 2}, "model.width": 32, "model.hidden": 16}),
    Case("tsa", True, {"model.i3d": {"width": 0.0625, "stride": 8}, "model.depth": 1, "model.heads": 2}),
]
CUTTING = [case for case in CASES if case.cuts]
FREE = [case for case in CASES if not case.cuts]


def finished(workspace: Workspace, case: Case, preset: str = "demo", epochs: int = 1, **changes: Any) -> Path:
    settings = SIZE | case.small | {k.replace("__", "."): v for k, v in changes.items()}
    folder = new_run(workspace, find_method(case.name), preset, 0, epochs=epochs, changes=settings)
    run(folder)
    return folder


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_loss_falls_and_the_scorer_scores_as_the_run_did(competition: Workspace, case: Case) -> None:
    folder = finished(competition, case, epochs=6, optimiser__lr=5e-3, optimiser__schedule="constant")
    metrics = json.loads((folder / "metrics.json").read_text())
    losses = [epoch["loss"] for epoch in metrics["history"]]
    assert sum(losses[-2:]) < sum(losses[:2])
    assert (metrics["figures"]["aiou_50"] is not None) == case.cuts
    judge = Judge(read_scorer(folder / "scorer.pth"))
    rows = (folder / "predictions.csv").read_text().splitlines()
    predicted = {f"{r[0]}/{r[1]}": r for r in (row.split(",") for row in rows[1:])}
    at = rows[0].split(",").index("predicted_score")
    with open_packed(competition.packed) as packed:
        for key, row in predicted.items():
            score = judge.score(packed, packed.index(key))
            assert score.points == pytest.approx(float(row[at]), abs=0.1)
            assert len(score.stages) == (3 if case.cuts else 0)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_preset_can_be_built_and_the_released_one_trained(competition: Workspace, case: Case) -> None:
    method = find_method(case.name)
    for preset in method.presets:
        method.build(make_config(method, preset, seed=0))
    folder = finished(competition, case, "released")
    assert "CHOSEN ON THE TEST SPLIT" in json.loads((folder / "metrics.json").read_text())["made"]["selection"]


@pytest.mark.parametrize("case", CUTTING, ids=str)
def test_without_stages_it_says_what_it_needs(bare: Workspace, case: Case) -> None:
    with pytest.raises(PackedError, match=r"have no stages .*: fdpose extract with a label file that has stages"):
        new_run(bare, find_method(case.name), "demo", 0)

    with_thirds = prepare_run(bare, find_method(case.name), "demo", 0, without=["segmentation"])
    assert "STAGES" not in (with_thirds.reads or ())


@pytest.mark.parametrize("case", FREE, ids=str)
def test_without_stages_it_is_trained_all_the_same(bare: Workspace, case: Case) -> None:
    assert "STAGES" not in (prepare_run(bare, find_method(case.name), "full", 0).reads or ())
    metrics = json.loads((finished(bare, case) / "metrics.json").read_text())
    assert metrics["made"]["left_out"] == {}
    assert metrics["figures"]["aiou_50"] is None


@pytest.fixture(scope="module")
def bare(competition: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The competition without stages."""
    workspace = Workspace(tmp_path_factory.mktemp("bare"))
    (workspace.root / "frames").symlink_to(competition.frames)
    write_clips(workspace.clips_table, [replace(c, stage_starts=(), sub_actions=()) for c in read_clips(competition)])
    write_packed(workspace)
    return workspace
