"""``fdpose benchmark all``, ``fdpose leaderboard`` and ``fdpose evaluate --keep``: wiring, exit codes, words."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from baselines.blind.table import blind_rows
from baselines.methods.difficulty import DifficultyMethod
from baselines.methods.exemplars_mean import ExemplarsMeanMethod
from baselines.runs import suite
from finediving_pose.packed.reader import open_packed
from finediving_pose.workspace import Workspace
from tests.baselines.small_runs import pack_made_up
from tests.command import fdpose

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A data directory with a suite of the floor, two seeds each; eight of twenty-four dives are to be tested."""
    workspace = pack_made_up(Workspace(tmp_path_factory.mktemp("board") / "data"), dives=24)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suite, "list_methods", lambda: ([ExemplarsMeanMethod(), DifficultyMethod()], {"x": "is broken"}))
        result = fdpose("benchmark", "all", "--seeds", 2, "--data", workspace.root)
    assert result.exit_code == 0, result.output
    assert "x takes no part: is broken" in result.stderr
    assert "method 1 of 2: exemplars-mean" in result.stderr
    assert "Exemplars' mean" in result.stdout and "Published" in result.stdout
    return workspace


@pytest.fixture
def predictions(data: Workspace, tmp_path: Path) -> Path:
    """The truth and a little more, as another program would write it."""
    with open_packed(data.packed) as packed:
        rows = [
            (c.key.video, c.key.index, (c.dive_score or 0) + n) for n, c in enumerate(packed.clips) if c.split == "test"
        ]
    file = tmp_path / "mine.csv"
    with open(file, "w", newline="") as f:
        csv.writer(f).writerows([("video", "index", "predicted_score"), *rows])
    return file


def board(data: Workspace, *words: object) -> dict[str, Any]:
    result = fdpose("leaderboard", *words, "--data", data.root, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_suite_leaves_studies_pages_and_its_leaderboard(data: Workspace) -> None:
    (folder,) = data.runs.iterdir()
    assert folder.name.startswith("all-")
    assert (folder / "leaderboard.html").is_file()
    for name in ("exemplars-mean", "difficulty"):
        assert (folder / name / "report.html").is_file()
        assert (folder / name / "seed-1" / "metrics.json").is_file()


def test_all_runs_are_taken_or_those_that_are_named(data: Workspace) -> None:
    (folder,) = data.runs.iterdir()
    everything = board(data)
    rows = everything["boards"][0]["sections"][0]["rows"]
    assert {r["name"] for r in rows} == {"Exemplars' mean (demo)", "Difficulty (demo)"}
    assert all(r["seeds"] == [0, 1] for r in rows)
    by_name = {r["name"]: r for r in rows}
    assert by_name["Exemplars' mean (demo)"]["reads"] == ["dive number"]
    assert by_name["Difficulty (demo)"]["reads"] == ["difficulty"]
    assert by_name["Difficulty (demo)"]["times_difficulty"] is True
    assert board(data, folder.name)["boards"] == everything["boards"]
    only = board(data, folder / "difficulty")["boards"][0]["sections"][0]["rows"]
    assert [r["name"] for r in only] == ["Difficulty (demo)"]


def test_the_floor_is_what_labels_predict_without_a_look(data: Workspace, tmp_path: Path) -> None:
    with open_packed(data.packed) as packed:
        known = blind_rows(list(packed.clips))
    (made,) = board(data)["boards"]
    assert [(r["title"], r["rho"]) for r in made["floor"]] == [(r.title, r.rho) for r in known]
    assert {r.title for r in known} >= {"exemplars' mean", "ridge"}
    page = tmp_path / "page.html"
    result = fdpose("leaderboard", "--report", page, "--data", data.root)
    assert "the floor of every row above" in " ".join(result.stdout.split())
    assert "Without a look at the dives" in page.read_text()


def test_without_the_packed_file_there_is_no_floor(data: Workspace) -> None:
    moved = data.packed.rename(data.packed.with_name("elsewhere.h5"))
    try:
        (made,) = board(data)["boards"]
        assert made["sections"] and made["floor"] == []
    finally:
        moved.rename(data.packed)


def test_every_format_is_written_where_it_is_asked_for(data: Workspace, tmp_path: Path) -> None:
    files = {name: tmp_path / f"a.{name}" for name in ("csv", "markdown", "latex", "report")}
    words = [word for name, path in files.items() for word in (f"--{name}", path)]
    result = fdpose("leaderboard", *words, "--data", data.root)
    assert result.exit_code == 0, result.output
    for path in files.values():
        assert "Difficulty (demo)" in path.read_text() and str(path) in result.stdout


def test_a_finished_suite_goes_on_to_the_same_end(data: Workspace) -> None:
    (folder,) = data.runs.iterdir()
    result = fdpose("benchmark", "--resume", folder.name, "--data", data.root, "--json")
    assert result.exit_code == 0, result.output
    assert "finished before" in result.stderr and "epoch" not in result.stderr
    assert json.loads(result.stdout)["boards"] == board(data)["boards"]
    other = fdpose("benchmark", "hpmcr", "--resume", folder.name, "--data", data.root)
    assert other.exit_code == 2
    assert "is a run of all methods, not of hpmcr; leave hpmcr out" in other.stderr


def test_a_failed_method_is_exit_code_1_and_the_others_are_shown(data: Workspace, tmp_path: Path) -> None:
    (folder,) = data.runs.iterdir()
    broken = tmp_path / "data" / "runs" / "all-broken"
    shutil.copytree(folder, broken)
    (broken / "difficulty" / "metrics.json").unlink()
    config = broken / "difficulty" / "seed-0" / "config.json"
    (broken / "difficulty" / "seed-0" / "metrics.json").unlink()
    config.write_text(config.read_text().replace('"epochs": 0', '"epochs": 0, "colour": "red"'))
    result = fdpose("benchmark", "--resume", broken, "--data", data.root)
    assert result.exit_code == 1
    assert "difficulty failed: " in result.stderr
    assert f"difficulty failed; go on with: fdpose benchmark --data {data.root} --resume {broken}" in result.stderr
    assert "Exemplars' mean (demo)" in result.stdout


def test_predictions_of_another_program_stand_in_the_table_and_are_marked(data: Workspace, predictions: Path) -> None:
    words = ("--data", data.root, "--name", "Mine", "--keep", "--reads", "pictures,sub-actions", "--json")
    kept = Path(json.loads(fdpose("evaluate", predictions, *words).stdout)["run"])
    try:
        again = fdpose("evaluate", predictions, *words)
        rows = {r["name"]: r for r in board(data)["boards"][0]["sections"][0]["rows"]}
        mine = rows["Mine"]
        assert mine["another_program"] and mine["best"] and not mine["bold"], "one file is one training"
        assert mine["reads"] == ["pictures", "sub-actions"] and mine["times_difficulty"] is False
        assert mine["spread"]["rho"] is None, "the same file twice is no spread"
        assert (mine["parameters"], mine["epochs"], mine["commands"]) == (None, None, [])
        text = fdpose("leaderboard", "--data", data.root)
        assert "Mine [another program]" in " ".join(text.stdout.split())
        assert "the same predictions of Mine" in text.stderr
        figures = json.loads(again.stdout)["figures"]
        assert mine["mean"] == figures
    finally:
        for folder in data.runs.glob(f"{kept.name.partition('-')[0]}-*"):
            shutil.rmtree(folder)


def test_what_was_not_kept_is_not_there(data: Workspace, predictions: Path) -> None:
    before = sorted(data.runs.iterdir())
    result = fdpose("evaluate", predictions, "--data", data.root)
    assert result.exit_code == 0 and "kept" not in result.stdout
    assert sorted(data.runs.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--reads", "pictures"), "add --keep"),
        (("--keep", "--reads", "awards"), "'awards' is none of pictures, poses, number, difficulty, sub-actions"),
        (("--keep", "--name", "a\nb"), "a table can't print it"),
        (("--keep", "--name", " "), "a table can't print it"),
    ],
)
def test_predictions_are_kept_under_a_printable_name(
    data: Workspace, predictions: Path, words: tuple[str, ...], says: str
) -> None:
    before = sorted(data.runs.iterdir())
    result = fdpose("evaluate", predictions, "--data", data.root, *words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert sorted(data.runs.iterdir()) == before


def test_an_unfinished_run_and_one_of_another_version_are_told_and_the_rest_is_shown(
    data: Workspace, tmp_path: Path
) -> None:
    (folder,) = data.runs.iterdir()
    other = Workspace(tmp_path / "data")
    shutil.copytree(folder / "difficulty", other.runs / "difficulty-1")
    shutil.copytree(folder / "exemplars-mean" / "seed-0", other.runs / "newer")
    shutil.copytree(folder / "exemplars-mean" / "seed-0", other.runs / "unfinished")
    metrics = other.runs / "newer" / "metrics.json"
    metrics.write_text(json.dumps(json.loads(metrics.read_text()) | {"colour": "red"}))
    (other.runs / "unfinished" / "metrics.json").unlink()
    result = fdpose("leaderboard", "--data", other.root)
    assert result.exit_code == 0, result.output
    assert "colour: unexpected keyword argument; was it written by another version?" in result.stderr
    assert "unfinished: not finished; go on with: fdpose benchmark --data" in result.stderr
    assert "Difficulty (demo) stands alone" in result.stdout
    named = fdpose("leaderboard", "newer", "--data", other.root)
    assert named.exit_code == 2 and "written by another version" in named.stderr
    alone = fdpose("leaderboard", "unfinished", "--data", other.root)
    assert alone.exit_code == 2 and "nothing finished (" in alone.stderr


def test_runs_of_two_files_stand_in_tables_of_their_own(data: Workspace, tmp_path: Path) -> None:
    (folder,) = data.runs.iterdir()
    other = Workspace(tmp_path / "data")
    shutil.copytree(folder / "difficulty", other.runs / "one")
    shutil.copytree(folder / "difficulty", other.runs / "two")
    for file in (other.runs / "two").glob("seed-*/*.json"):
        digest = json.loads((folder / "difficulty" / "metrics.json").read_text())["made"]["digest"]
        file.write_text(file.read_text().replace(digest, "e" * 64))
    result = fdpose("leaderboard", "--data", other.root)
    assert "2 packed files: figures on different files can't be compared." in result.stdout
    assert result.stdout.count("Difficulty (demo) stands alone") == 2


def test_nothing_to_show_is_bad_usage(workspace: Workspace) -> None:
    result = fdpose("leaderboard", "--data", workspace.root)
    assert result.exit_code == 2
    assert f"no finished run; train some with: fdpose benchmark --data {workspace.root} all" in result.stderr
    named = fdpose("leaderboard", "nowhere", "--data", workspace.root)
    assert named.exit_code == 2 and "no run, study or kept predictions" in named.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--ablate",), "--ablate is for one method"),
        (("--preset", "dmo"), "no method has a preset 'dmo'"),
    ],
)
def test_a_senseless_suite_is_bad_usage(data: Workspace, words: tuple[str, ...], says: str) -> None:
    result = fdpose("benchmark", "all", *words, "--data", data.root)
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(list(data.runs.iterdir())) == 1
