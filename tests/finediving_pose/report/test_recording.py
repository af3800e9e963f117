"""Rerun reads the recordings, and finds in them what the clip has."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from finediving_pose.cli import main
from finediving_pose.labels.table import write_clips
from finediving_pose.poses import read_poses, write_poses
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, fill, full_tables, write_layer


@pytest.fixture
def posed(workspace: Workspace) -> Workspace:
    fill(workspace)
    write_clips(workspace.clips_table, [replace(c, n_frames=4) for c in CLIPS])
    write_layer(workspace, full_tables())
    return workspace


def render(workspace: Workspace, *words: object) -> Result:
    return CliRunner().invoke(main, ["render", "--rerun", "--data", str(workspace.root), *map(str, words)])


def stats(file: Path) -> str:
    program = Path(sys.executable).parent / "rerun"
    read = subprocess.run([program, "rrd", "verify", file], capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr
    return subprocess.run([program, "rrd", "print", file], capture_output=True, text=True, check=True).stdout


def rows(text: str, place: str, column: str) -> int:
    """Rows that are logged at a place with a column."""
    lines = [line for line in text.splitlines() if f" - {place} - " in line and column in line]
    return sum(int(line.split(" with ")[1].split()[0]) for line in lines)


def test_a_recording_has_every_frame_and_pose(posed: Workspace, tmp_path: Path) -> None:
    pytest.importorskip("rerun", reason="the Rerun SDK is missing: make .venv/tools")
    run = render(posed, "--out", tmp_path / "rrd")
    assert run.exit_code == 0, run.output
    pair, single = (stats(tmp_path / "rrd" / f"{c.key.video}_{c.key.index}.rrd") for c in CLIPS)
    assert (rows(pair, "/picture", "EncodedImage:blob"), rows(single, "/picture", "EncodedImage:blob")) == (4, 4)
    assert rows(pair, "/picture/diver_0", "Points2D:positions") == rows(pair, "/picture/diver_1", "Points2D") == 4
    assert rows(single, "/picture/diver_0", "Points2D:positions") == 2  # nobody is in the last two frames
    assert rows(single, "/picture/diver_0", "Clear") == 2 and "diver_1" not in single
    assert rows(pair, "/stage", "TextLog:text") == 4


def test_a_clip_without_poses_is_named_and_the_others_are_written(posed: Workspace, tmp_path: Path) -> None:
    pytest.importorskip("rerun", reason="the Rerun SDK is missing: make .venv/tools")
    posed.pose_file("auto", CLIPS[0].key).unlink()
    run = render(posed, "--out", tmp_path / "rrd")
    assert run.exit_code == 0 and f"{CLIPS[0].key}: no automatic or merged poses" in run.stderr
    assert [p.name for p in (tmp_path / "rrd").iterdir()] == ["07_12.rrd"]


def test_without_a_diver_there_are_pictures_alone(posed: Workspace, tmp_path: Path) -> None:
    pytest.importorskip("rerun", reason="the Rerun SDK is missing: make .venv/tools")
    file = posed.pose_file("auto", CLIPS[1].key)
    poses = read_poses(file)
    nobody = replace(
        poses,
        keypoints=np.full_like(poses.keypoints, np.nan),
        visibility=np.zeros_like(poses.visibility),
        confidence=np.zeros_like(poses.confidence),
        source=np.zeros_like(poses.source),
    )
    write_poses(file, nobody)
    assert render(posed, "--clip", "07/12", "--out", tmp_path / "rrd").exit_code == 0
    text = stats(tmp_path / "rrd" / "07_12.rrd")
    assert rows(text, "/picture", "EncodedImage:blob") == 4 and "Points2D" not in text and "Scalars" not in text


@pytest.mark.parametrize("words", [("--video",), ("--every", "2")])
def test_bad_usage_is_exit_code_two(posed: Workspace, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert render(posed, "--out", tmp_path / "rrd", *words).exit_code == 2


def test_without_rerun_it_is_said_how_to_get_it(
    posed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    run = render(posed, "--out", tmp_path / "rrd")
    assert run.exit_code == 1 and "pip install 'fdpose[rerun]'" in run.stderr
