"""Folders of runs as entries of a leaderboard; what can't be read is told, never guessed."""

from __future__ import annotations

import json
import shlex
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from baselines.registry import find_method
from baselines.runs.entries import find_all_entries, find_entries
from baselines.runs.run import new_run, run
from baselines.runs.study import run_study
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace
from tests.baselines.small_runs import SMALL_DATA, SMALL_I3D, begun

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(made_up: Workspace) -> Path:
    """One epoch of a small network that scores dives on its own."""
    changes = SMALL_DATA | {"model.i3d": SMALL_I3D}
    folder = new_run(made_up, find_method("usdl"), "demo", 0, epochs=1, changes=changes)
    run(folder)
    return folder


@pytest.fixture(scope="module")
def study(made_up: Workspace) -> Path:
    folder = begun(made_up, "exemplars-mean", seeds=[0, 1], changes={"evaluation.votes": 2})
    run_study(folder)
    return folder


def changed(folder: Path, target: Path, file: str, **values: Any) -> Path:
    """A copy of a run with some values of a JSON file replaced; None takes them out."""
    shutil.copytree(folder, target)
    content = json.loads((target / file).read_text()) | values
    (target / file).write_text(json.dumps({k: v for k, v in content.items() if v is not None}))
    return target


def test_a_run_says_what_it_reads_and_takes(finished: Path) -> None:
    (entry,), unfinished = find_entries([finished])
    assert unfinished == []
    assert entry.name == "USDL (demo)"
    assert entry.reads == ("PICTURES", "DIFFICULTY") and entry.multiplies
    assert entry.changes["training.batch_size"] == 4
    assert "training.epochs" not in entry.changes, "the column of epochs says it"
    assert entry.parameters and entry.seconds and entry.clips_per_second
    assert entry.panels == () and entry.errata == (0, 0)
    assert entry.command is not None and entry.command.startswith("fdpose benchmark usdl --preset demo --set ")
    assert "--set training.epochs=1" in entry.command
    assert not entry.external and not entry.on_test and entry.trained


def test_the_command_of_a_run_makes_it_again(made_up: Workspace, finished: Path) -> None:
    from finediving_pose.cli.benchmark import Change

    (entry,), _ = find_entries([finished])
    words = shlex.split(entry.command or "")
    given = [word for before, word in pairwise(words) if before == "--set"]
    changes = dict(Change().convert(word, None, None) for word in given)
    again = new_run(made_up, find_method(words[2]), words[4], 0, changes=changes)
    (repeated,), _ = find_entries([_as_if_finished(finished, again)])
    assert repeated.key == entry.key


def _as_if_finished(finished: Path, again: Path) -> Path:
    for name in ("metrics.json", "predictions.csv"):
        shutil.copy(finished / name, again / name)
    return again


def test_a_study_has_an_entry_a_seed_and_five_panels_each(study: Path) -> None:
    entries, _ = find_entries([study])
    assert [e.seed for e in entries] == [0, 1]
    assert len({e.key for e in entries}) == 1
    assert [len(e.panels) for e in entries] == [5, 5]
    assert entries[0].panels[0] == entries[0].figures
    assert entries[0].reads == ("NUMBER",) and not entries[0].trained


def test_trainings_without_a_part_do_not_take_part(made_up: Workspace) -> None:
    folder = begun(made_up, "tsa", ablate=["segmentation"])
    entries, unfinished = find_entries([folder])
    assert entries == []
    assert len(unfinished) == 1 and "seed-0: not finished" in unfinished[0]


def test_a_study_that_is_half_done_gives_the_half(study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    shutil.copytree(study, folder)
    (folder / "seed-1" / "metrics.json").unlink()
    entries, (said,) = find_entries([folder])
    assert [e.seed for e in entries] == [0]
    assert said == f"{folder / 'seed-1'}: not finished; go on with: fdpose benchmark --resume {folder}"


def test_of_a_run_of_an_older_version_what_was_not_noted_is_not_known(finished: Path, tmp_path: Path) -> None:
    old = changed(finished, tmp_path / "old", "metrics.json", panels=None, scoring_seconds=None)
    metrics, config = (json.loads((old / name).read_text()) for name in ("metrics.json", "config.json"))
    for name in ("reads", "errata_applied", "errata_left"):
        del metrics["made"][name]
    del config["origin"]["changes"]
    (old / "metrics.json").write_text(json.dumps(metrics))
    (old / "config.json").write_text(json.dumps(config))
    (entry,), _ = find_entries([old])
    assert (entry.reads, entry.errata, entry.clips_per_second, entry.command) == (None, None, None, None)
    assert entry.figures.l2 is not None


@pytest.mark.parametrize("file", ["metrics.json", "config.json"])
def test_a_run_of_a_newer_version_is_refused_in_a_line_and_does_not_hide_others(
    finished: Path, study: Path, tmp_path: Path, file: str
) -> None:
    runs = tmp_path / "runs"
    newer = changed(finished, runs / "newer", file, colour="red")
    shutil.copytree(study, runs / "study")
    with pytest.raises(UsageError, match=rf"{file}.*colour") as caught:
        find_entries([newer])
    assert "\n" not in str(caught.value)
    entries, (said,) = find_all_entries(runs)
    assert [e.seed for e in entries] == [0, 1]
    assert said == str(caught.value)


def test_what_is_no_run_is_refused_if_named_and_else_passed_over(study: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    (runs / "notes").mkdir(parents=True)
    (runs / ".hidden").mkdir()
    with pytest.raises(UsageError, match="no run, study or kept predictions"):
        find_entries([runs / "notes"])
    assert find_all_entries(runs) == ([], [])
    assert find_all_entries(tmp_path / "nowhere") == ([], [])


def test_predictions_that_are_lost_are_told(finished: Path, tmp_path: Path) -> None:
    folder = changed(finished, tmp_path / "lost", "metrics.json")
    (folder / "predictions.csv").unlink()
    with pytest.raises(UsageError, match="no finished run"):
        find_entries([folder])
