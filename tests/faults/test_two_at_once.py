"""Two commands at once on one data directory: both are done, or one is told; nobody's work is lost."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable
from contextvars import Context
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from finediving_pose.cli import main
from finediving_pose.clip import ClipKey
from finediving_pose.errors import BusyError
from finediving_pose.formats import hand_layer
from finediving_pose.formats.intake import take_in
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import JointSource, read_poses, write_poses
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import BASE, grey_clips, table
from tests.holding import held_by_another

FORK = multiprocessing.get_context("fork")
KEY = ClipKey("meet", 0)


@pytest.fixture
def posed(workspace: Workspace) -> Workspace:
    """Two clips with automatic and merged poses, and anna's on the first."""
    grey_clips(workspace)
    for index in (0, 1):
        for layer in ("auto", "merged"):
            poses = table("net", JointSource.AUTOMATIC, shift=5, frames=(0, 1, 2))
            write_poses(workspace.pose_file(layer, ClipKey("meet", index)), poses)
    write_poses(workspace.pose_file("manual/anna", KEY), table("anna", JointSource.MANUAL, frames=(1,)))
    return workspace


def fdpose(workspace: Workspace, *words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words), "--data", str(workspace.root)])


def official(path: Path, frames: list[int]) -> Path:
    visible = [1] * len(BASE)
    path.write_text(
        json.dumps([{"image": f"meet/0/{n:05d}.jpg", "joints": BASE.tolist(), "joints_vis": visible} for n in frames])
    )
    return path


# -- a person's layer -----------------------------------------------------------------------------------------------


def _import_slowly(workspace: Workspace, file: Path, begun: object) -> None:
    real = hand_layer.write_poses

    def slow(*arguments: object) -> None:
        begun.set()  # type: ignore[attr-defined]
        time.sleep(1)
        real(*arguments)  # type: ignore[arg-type]

    hand_layer.write_poses = slow
    take_in(workspace, read_clips(workspace), [file], "hand")


def test_two_imports_of_other_frames_of_a_clip_are_both_kept(posed: Workspace, tmp_path: Path) -> None:
    begun = FORK.Event()
    first = FORK.Process(
        target=Context().run, args=(_import_slowly, posed, official(tmp_path / "even.json", [0, 2]), begun)
    )
    first.start()
    assert begun.wait(60)
    assert fdpose(posed, "import", official(tmp_path / "odd.json", [1])).exit_code == 0
    first.join()
    assert first.exitcode == 0
    assert read_poses(posed.pose_file("manual/hand", KEY)).frame.tolist() == [0, 1, 2]


def test_an_import_under_another_name_goes_on(posed: Workspace, tmp_path: Path) -> None:
    with held_by_another("fdpose import", writes=(posed.poses / "manual" / "anna",)):
        assert fdpose(posed, "import", official(tmp_path / "a.json", [0]), "--annotator", "bob").exit_code == 0


def test_an_import_that_waited_long_enough_is_told(
    posed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finediving_pose.formats.intake.PATIENCE", 0.1)
    layer = posed.poses / "manual" / "anna"
    before = posed.pose_file("manual/anna", KEY).read_bytes()
    with held_by_another("fdpose merge", reads=(layer,)):
        run = fdpose(posed, "import", official(tmp_path / "a.json", [0]), "--annotator", "anna")
    assert run.exit_code == 1
    assert f"{layer}: fdpose merge is reading it (process " in run.stderr.splitlines()[-1]
    assert posed.pose_file("manual/anna", KEY).read_bytes() == before


# -- every command ----------------------------------------------------------------------------------------------------

WRITERS: dict[str, Callable[[Path], list[object]]] = {
    "extract": lambda w: ["extract", "--frames", w / "in"],
    "extract --force": lambda w: ["extract", "--frames", w / "in", "--force"],
    "split": lambda w: ["split"],
    "annotate --auto": lambda w: ["annotate", "--auto"],
    "annotate --auto --force": lambda w: ["annotate", "--auto", "--force"],
    "import": lambda w: ["import", official(w / "a.json", [0]), "--annotator", "anna"],
    "merge": lambda w: ["merge"],
    "pack": lambda w: ["pack"],
    "export": lambda w: ["export", "coco", "--out", w / "coco.json"],
    "suggest": lambda w: ["suggest", "1"],
    "render": lambda w: ["render", "--out", w / "sheets"],
    "validate": lambda w: ["validate"],
    "finetune": lambda w: ["finetune", "--name", "mine", "--network", "pose"],
}  # fmt: skip

REFUSED = {
    # who is writing what: who is told
    "clips.parquet": {"extract", "extract --force", "split"},
    "frames": {*WRITERS} - {"extract", "split", "merge"},
    "poses/auto": {"annotate --auto --force", "merge", "pack", "export", "suggest", "render", "validate"},
    "poses/merged": {"merge", "pack", "export", "render", "validate", "finetune"},
    "poses/manual/anna": {"import", "merge", "export", "suggest", "validate"},
    "reports/automatic.csv": {"annotate --auto", "annotate --auto --force"},
    "reports/suggestions.csv": {"suggest"},
    "finediving_pose.h5": {"pack"},
    "estimators/mine/pose.pth": {"finetune"},
    "../coco.json": {"export"},
    "../sheets/sheets": {"render"},
}


@pytest.mark.parametrize("path", REFUSED)
def test_whoever_needs_what_another_is_writing_is_told_and_changes_nothing(
    posed: Workspace, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finediving_pose.formats.intake.PATIENCE", 0)
    before = {p: p.read_bytes() for p in posed.root.rglob("*") if p.is_file()}
    told = {}
    with held_by_another("fdpose merge", writes=(posed.root / path,)) as pid:
        for name in REFUSED[path]:
            run = fdpose(posed, *WRITERS[name](tmp_path))
            told[name] = run.exit_code, run.stderr.splitlines()[-1] if run.stderr else run.output
    where = f"{posed.root / path}: fdpose merge is writing it (process {pid} on ".replace("data/../", "")
    assert told == {name: (1, line) for name, (_, line) in told.items() if where in line}
    assert {p: p.read_bytes() for p in posed.root.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("path", ["frames", "poses/auto", "poses/merged", "poses/manual/anna"])
def test_commands_that_only_read_go_on_together(posed: Workspace, path: str, tmp_path: Path) -> None:
    with held_by_another("fdpose validate", reads=(posed.root / path,)):
        for name in ("pack", "export", "render"):
            run = fdpose(posed, *WRITERS[name](tmp_path))
            assert run.exit_code == 0, run.stderr


def test_a_merge_goes_on_while_new_clips_are_extracted_and_annotated(posed: Workspace) -> None:
    written = (posed.clips_table, posed.reports / "automatic.csv")
    with held_by_another("fdpose annotate --auto", writes=written, reads=(posed.frames,)):
        assert fdpose(posed, "merge").exit_code == 0
    np.testing.assert_array_equal(read_poses(posed.pose_file("merged", KEY)).frame, [0, 1, 2])


def test_one_run_is_trained_by_one_command_at_a_time(tmp_path: Path) -> None:
    from baselines.runs.run import run
    from baselines.runs.study import run_study

    for train in (run, run_study):
        with held_by_another("fdpose benchmark", writes=(tmp_path / "runs" / "x",)), pytest.raises(BusyError):
            train(tmp_path / "runs" / "x")


def test_a_second_demo_in_one_folder_is_told(workspace: Workspace) -> None:
    with held_by_another("fdpose synth", writes=(workspace.root / "synthetic" / "competition.json",)):
        run = fdpose(workspace, "demo", "--dives", 24)
    assert run.exit_code == 1
    assert "competition.json: fdpose synth is writing it (process " in run.stderr
    assert "Traceback" not in run.output
