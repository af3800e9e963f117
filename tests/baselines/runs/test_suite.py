"""All methods one after the other: who takes no part, what a failure costs, and how it goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from torch import nn

from baselines.method import DirectMethod, Method, Needs, Preset
from baselines.methods.difficulty import DifficultyMethod
from baselines.methods.exemplars_mean import ExemplarsMeanMethod
from baselines.methods.tsa import TSAMethod
from baselines.registry import method
from baselines.runs import suite
from baselines.runs.config import RunConfig, read_config
from baselines.runs.entries import find_entries
from baselines.runs.results import is_finished
from baselines.runs.suite import read_suite, run_suite
from finediving_pose.errors import PackedError, UsageError
from finediving_pose.workspace import Workspace
from tests.baselines.small_runs import begun, pack_made_up

pytestmark = pytest.mark.slow


class Broken(DirectMethod):
    """Scores nothing: its network raises what nobody expects."""

    name, title = "broken", "Broken"
    presets: ClassVar = {"demo": Preset("", {"training": {"epochs": 0, "batch_size": 1}, "optimiser": {"lr": 1.0}})}
    needs = Needs.NOTHING
    fails: ClassVar = True

    def build(self, config: RunConfig) -> nn.Module:
        return BrokenNetwork()


class BrokenNetwork(nn.Module):
    def score(self, batch: Any) -> Any:
        if Broken.fails:
            raise ZeroDivisionError("nothing to divide by")
        return batch.difficulty


@pytest.fixture
def methods(monkeypatch: pytest.MonkeyPatch) -> None:
    """The floor, one that needs stages, one that fails, and one of a package that can't be imported."""
    found: list[Method] = [Broken(), ExemplarsMeanMethod(), DifficultyMethod(), TSAMethod()]
    broken = {"elsewhere": "method 'elsewhere' of a-package can't be imported"}
    monkeypatch.setattr(suite, "list_methods", lambda: (found, dict(broken)))
    monkeypatch.setattr("baselines.runs.run.find_method", lambda name: next(m for m in found if m.name == name))
    monkeypatch.setattr(Broken, "fails", True)


@pytest.fixture(scope="module")
def without_stages(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return pack_made_up(Workspace(tmp_path_factory.mktemp("bare") / "data"), stages=False)


@pytest.fixture
def folder(methods: None, without_stages: Workspace) -> Path:
    return begun(without_stages, "all", seeds=range(2))


def test_who_can_not_take_part_is_named_with_the_reason(folder: Path) -> None:
    plan = read_suite(folder)
    assert plan.studies == ("broken", "exemplars-mean", "difficulty")
    assert "have no stages" in plan.left_out["tsa"]
    assert "can't be imported" in plan.left_out["elsewhere"]
    assert folder.name.startswith("all-")
    assert (folder / "difficulty" / "seed-1" / "config.json").is_file()


def test_one_bad_method_does_not_lose_the_others_and_goes_on_when_mended(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished: list[str] = []
    failed = run_suite(folder, lambda study: finished.append(study.name))
    assert finished == ["exemplars-mean", "difficulty"]
    error = folder / "broken" / "error.txt"
    assert failed == {"broken": f"ZeroDivisionError: nothing to divide by ({error})"}
    assert "Traceback" in error.read_text()
    entries, unfinished = find_entries([folder])
    floor = ("Exemplars' mean (demo)", "Difficulty (demo)")
    assert [(e.name, e.seed) for e in entries] == [(name, seed) for name in floor for seed in (0, 1)]
    assert len(unfinished) == 2 and f"--resume {folder}" in unfinished[0]
    before = (folder / "difficulty" / "metrics.json").read_bytes()
    monkeypatch.setattr(Broken, "fails", False)
    assert run_suite(folder, lambda study: None) == {}
    assert is_finished(folder / "broken") and not error.exists()
    assert (folder / "difficulty" / "metrics.json").read_bytes() == before, "what was finished is not run again"


def test_ctrl_c_stops_everything_and_keeps_what_is_done(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broken, "fails", False)

    def stop(study: Path) -> None:
        if study.name == "exemplars-mean":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_suite(folder, stop)
    assert is_finished(folder / "broken") and not is_finished(folder / "difficulty")
    assert run_suite(folder, lambda study: None) == {}
    assert is_finished(folder / "difficulty")


def test_epochs_are_for_those_that_train(methods: None, without_stages: Workspace) -> None:
    folder = begun(without_stages, "all", epochs=3)
    assert read_config(folder / "difficulty" / "seed-0").training.epochs == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"preset": "dmo"}, "no method has a preset 'dmo'; there are demo, full, released"),
        ({"changes": {"data.nothing": 1}}, "none of 5 methods can take part, such as elsewhere"),
    ],
)
def test_what_nobody_can_do_leaves_nothing_behind(
    methods: None, tmp_path: Path, options: dict[str, Any], says: str
) -> None:
    workspace = pack_made_up(Workspace(tmp_path / "data"))
    with pytest.raises(UsageError, match=says) as caught:
        begun(workspace, "all", **options)
    assert "\n" not in str(caught.value)
    assert not workspace.runs.exists()


def test_without_a_packed_file_nothing_is_begun(methods: None, workspace: Workspace) -> None:
    with pytest.raises(PackedError, match="fdpose pack"):
        begun(workspace, "all")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"studies": ["../x"], "left_out": {}}', '{"studies": [1], "left_out": {}}']
)
def test_a_plan_of_something_else_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "suite.json").write_text(text)
    with pytest.raises(UsageError, match="no suite") as caught:
        read_suite(tmp_path)
    assert "\n" not in str(caught.value)


def test_no_method_may_be_called_all() -> None:
    with pytest.raises(ValueError, match="'all' stands for all methods"):
        method("all", title="All")(Broken)


def test_a_suite_s_plan_is_plain(folder: Path) -> None:
    assert set(json.loads((folder / "suite.json").read_text())) == {"studies", "left_out"}
