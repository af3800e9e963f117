"""``fdpose export`` and ``fdpose import``: wiring, exit codes, words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from finediving_pose.cli import main
from finediving_pose.poses import read_poses
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, fill, full_tables, write_layer


@pytest.fixture
def posed(workspace: Workspace) -> Workspace:
    fill(workspace)
    write_layer(workspace, full_tables())
    return workspace


def fdpose(data: Workspace, *words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words), "--data", str(data.root)])


def result(data: Workspace, *words: object) -> dict[str, Any]:
    run = fdpose(data, *words, "--json")
    assert run.exit_code == 0, run.output
    return json.loads(run.stdout)


def test_export_and_import_say_what_they_did_and_what_comes_next(posed: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "poses.json"
    run = fdpose(posed, "export", "coco", "--out", out)
    assert run.exit_code == 0, run.output
    assert (
        "poses                10" in run.stdout
        and f"next: fdpose import --data {posed.root} {out} --annotator NAME" in run.stdout
    )
    run = fdpose(posed, "import", out, "--annotator", "anna", "--all")
    assert run.exit_code == 0, run.output
    assert "next: fdpose merge" in run.stdout
    assert len(read_poses(posed.pose_file("manual/anna", CLIPS[0].key))) == 8


def test_clip_split_and_layer_choose_what_is_exported(posed: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "poses.json"
    assert result(posed, "export", "coco", "--out", out, "--clip", "07/12")["poses"] == 2
    assert result(posed, "export", "coco", "--out", out, "--split", "train")["poses"] == 8
    result(posed, "import", out, "--annotator", "anna", "--all")
    summary = result(posed, "export", "coco", "--out", out, "--layer", "manual/anna")
    assert (summary["clips"], summary["clips_without_poses"]) == (1, 1)
    run = fdpose(posed, "export", "coco", "--out", out, "--layer", "manual/bob")
    assert run.exit_code == 2 and "there are auto, manual/anna" in run.stderr


def test_annotate_manual_takes_the_same_files(posed: Workspace, tmp_path: Path) -> None:
    result(posed, "export", "labelstudio", "--out", tmp_path / "tasks.json")
    run = fdpose(posed, "annotate", "--manual", tmp_path / "tasks.json", "--annotator", "anna", "--all")
    assert run.exit_code == 0, run.output
    assert len(read_poses(posed.pose_file("manual/anna", CLIPS[0].key))) == 8


def test_the_format_can_be_named(posed: Workspace, tmp_path: Path) -> None:
    result(posed, "export", "coco", "--out", tmp_path / "poses.json")
    assert result(posed, "import", "coco", tmp_path / "poses.json", "--all")["format"] == "coco"
    run = fdpose(posed, "import", "labelstudio", tmp_path / "poses.json")
    assert run.exit_code == 1 and "expected a list of tasks" in run.stderr


@pytest.mark.parametrize("name", ["yolo", "dlc", "hpmcr"])
def test_a_folder_called_like_its_format_comes_in(
    name: str, posed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result(posed, "export", name, "--out", name)
    assert result(posed, "import", name, "--all")["format"] == name
    assert result(posed, "import", name, name, "--all")["format"] == name


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["export", "alphapose", "--out", "x"], 2, "'alphapose' is no export format; there is coco, csv, cvat, dlc"),
        (["export", "coco"], 2, "--out"),
        (["import", "coco"], 2, "give the files after the format"),
        (["import", "alphapose", "{file}"], 2, "'alphapose' is neither an import format nor a file"),
        (["import", "none.json"], 2, "none.json: no such annotation file"),
        (["import", "{file}", "--annotator", "../up"], 2, "becomes a folder name"),
    ],
)
def test_bad_usage_says_what_to_type(posed: Workspace, tmp_path: Path, words: list[str], code: int, said: str) -> None:
    file = tmp_path / "a.json"
    file.write_text("[]")
    run = fdpose(posed, *(word.format(file=file) for word in words))
    assert run.exit_code == code and said in run.stderr


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("notes.json", '{"hello": 1}', "a JSON object with 'hello'"),
        ("notes.json", '[{"a": 1, "b": 2}, 3]', "a JSON list with 2 in it; the first has 'a', 'b'"),
        ("notes.json", "[1]", "a JSON list with 1 in it"),
        ("poses.slp", "", "an empty file"),
        ("poses.xlsx", "PK", "a file that ends in .xlsx"),
    ],
)
def test_a_file_of_no_known_format_is_told_what_it_seems_to_be(
    posed: Workspace, tmp_path: Path, name: str, text: str, what: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    run = fdpose(posed, "import", file)
    assert run.exit_code == 1 and len(run.stderr.strip().splitlines()) == 1
    assert f"{file}: no known pose format: it is {what}; docs/formats.md says" in run.stderr


def test_nothing_to_export_says_what_to_run(workspace: Workspace, tmp_path: Path) -> None:
    fill(workspace)
    run = fdpose(workspace, "export", "coco", "--out", tmp_path / "x.json")
    assert run.exit_code == 1 and f"fdpose annotate --data {workspace.root} --auto" in run.stderr
    assert not list(tmp_path.glob("*x.json*"))
