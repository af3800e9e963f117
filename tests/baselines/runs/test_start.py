"""How a benchmark begins: names of runs, and going on with the one that is there."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from baselines.runs.config import CONFIG
from baselines.runs.run import open_run_data, read_config
from baselines.runs.start import Plan, begin, make_plan
from baselines.runs.study import PLAN
from finediving_pose.errors import BusyError, Stopped, UsageError
from finediving_pose.workspace import Workspace
from finediving_pose.writing import writing
from tests.baselines.small_runs import pack_made_up
from tests.command import fdpose


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return pack_made_up(Workspace(tmp_path_factory.mktemp("data")))


@pytest.fixture
def data(made_up: Workspace, tmp_path: Path) -> Workspace:
    return Workspace(Path(shutil.copytree(made_up.root, tmp_path / "data")))


def plan(data: Workspace, method: str = "usdl", seeds: tuple[int, ...] = (0,), **options: Any) -> partial[Plan]:
    return partial(make_plan, data, method, None, seeds, **options)


def test_a_run_has_the_name_that_it_is_given(data: Workspace) -> None:
    assert begin(data, plan(data), "first") == (data.runs / "first", False)
    with pytest.raises(UsageError, match="first: is there already; go on with it with --resume latest"):
        begin(data, plan(data), "first")
    assert begin(data, plan(data), "first", go_on=True) == (data.runs / "first", True)
    assert begin(data, plan(data), "second", go_on=True) == (data.runs / "second", False)


@pytest.mark.parametrize("options", [{"study": True}, {"method": "all", "seeds": (0, 1)}])
def test_studies_and_suites_too(data: Workspace, options: dict[str, Any]) -> None:
    folder, _ = begin(data, plan(data, **options), "first", go_on=True)
    assert begin(data, plan(data, **options), "first", go_on=True) == (folder, True)
    with pytest.raises(UsageError, match="began as something else"):
        begin(data, plan(data), "first", go_on=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 3}, r"began with training\.epochs=\d+, not 3"),
        ({"seeds": (4,)}, "began with seed=0, not 4"),
        ({"method": "core"}, "began with method=usdl, not core"),
        ({"changes": {"optimiser.lr": 0.5}}, r"began with optimiser\.lr=[\d.e-]+, not 0\.5; give the settings"),
    ],
)
def test_another_plan_does_not_go_on_in_its_folder(data: Workspace, options: dict[str, Any], words: str) -> None:
    begin(data, plan(data), "first")
    with pytest.raises(UsageError, match=words):
        begin(data, plan(data, **options), "first", go_on=True)


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "latest", "a b", "x" * 101])
def test_what_can_not_be_a_folder_is_no_name(data: Workspace, name: str) -> None:
    with pytest.raises(UsageError, match="can't name a run"):
        begin(data, plan(data), name)


def test_a_folder_whose_making_was_killed_is_made_again(data: Workspace) -> None:
    folder, _ = begin(data, plan(data, study=True), "first")
    (folder / PLAN).unlink()
    assert begin(data, plan(data, study=True), "first", go_on=True) == (folder, False)
    assert (folder / PLAN).is_file()


def test_a_second_one_is_told_who_is_at_work(data: Workspace) -> None:
    folder, _ = begin(data, plan(data), "first")
    with writing("fdpose benchmark", [folder]), pytest.raises(BusyError, match=r"is writing it \(process"):
        _elsewhere(data)


def _elsewhere(data: Workspace) -> None:
    """As another process would: what this one holds, it may hold again."""
    from contextvars import Context

    Context().run(begin, data, plan(data), "first", go_on=True)


def test_a_moved_packed_file_is_found_beside_the_run_or_asked_for(data: Workspace, tmp_path: Path) -> None:
    """Never the original's, where the copy has its own."""
    folder, _ = begin(data, plan(data), "first")
    copy = Workspace(Path(shutil.copytree(data.root, tmp_path / "copy")))
    with open_run_data(copy.runs / "first", read_config(copy.runs / "first")) as packed:
        assert packed.path == copy.packed
    moved = Path(shutil.move(copy.packed, tmp_path / "elsewhere.h5"))
    data.packed.unlink()
    with pytest.raises(UsageError, match="is not there any more, nor is one beside the run; name the data directory"):
        open_run_data(copy.runs / "first", read_config(copy.runs / "first"))
    with open_run_data(folder, read_config(folder), moved) as packed:
        assert packed.path == moved


def test_stopped_is_one_line_and_an_exit_code_of_its_own(data: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise Stopped("SIGUSR1")

    monkeypatch.setattr("finediving_pose.cli.benchmark.train_and_score", stopped)
    words = ("benchmark", "usdl", "--data", data.root, "--run", "first", "--resume", "latest")
    result = fdpose(*words)
    assert result.exit_code == 75
    folder = data.runs / "first"
    first, last = result.stderr.splitlines()
    assert first == f"run {folder}"
    assert last == (
        "fdpose: stopped by SIGUSR1; go on from the last step with: fdpose benchmark"
        f" --data {data.root} --resume {folder}"
    )
    assert fdpose(*words).stderr.splitlines()[0] == f"run {folder}, begun before"


def test_a_finished_run_is_not_trained_or_scored_again(data: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that SLURM starts once more ends at once, with the same table and exit code 0."""
    words = ("benchmark", "exemplars-mean", "--data", data.root, "--run", "first", "--resume", "latest")
    first = fdpose(*words)
    assert first.exit_code == 0, first.output

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("baselines.runs.run.run", refuse)
    again = fdpose(*words)
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert again.stderr.splitlines() == [f"run {data.runs / 'first'}, begun before", "finished before"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--resume", "latest"), "--resume latest goes on with the run that --run NAME names"),
        (("--resume", "first", "--run", "second"), "leave out --run"),
        (("--run", "a/b"), "can't name a run"),
    ],
)
def test_senseless_names_are_bad_usage(data: Workspace, words: tuple[str, ...], said: str) -> None:
    result = fdpose("benchmark", "usdl", "--data", data.root, *words)
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
    assert not data.runs.exists()


def test_a_run_without_its_origin_is_told(data: Workspace) -> None:
    folder, _ = begin(data, plan(data), "first")
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {"origin": None}))
    with pytest.raises(UsageError, match="does not say which packed file"):
        begin(data, plan(data), "first", go_on=True)
