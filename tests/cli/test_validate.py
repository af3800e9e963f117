"""``fdpose validate`` and ``fdpose render``: wiring, exit codes and words."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg
from click.testing import CliRunner, Result

from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.labels.table import write_clips
from finediving_pose.poses import ClipPoses, write_poses
from finediving_pose.workspace import Workspace

GOOD = Clip(ClipKey("Men10m_r1", 1), "none", "107b", 3.0, 72.0, (8.0, 8.0, 8.0), 0, 19, 20)
ODD = Clip(ClipKey("Men10m_r1", 2), "none", "107b", 3.0, 75.0, (8.0, 8.0, 8.0), 30, 49, 20)
BAD = Clip(ClipKey("Men10m_r1", 3), "none", "9999z", start_frame=60, end_frame=79, n_frames=20)


def fdpose(workspace: Workspace, *args: str) -> Result:
    return CliRunner().invoke(main, [args[0], "--data", str(workspace.root), *args[1:]])


@pytest.mark.parametrize(("clips", "code"), [([GOOD], 0), ([GOOD, ODD], 0), ([GOOD, ODD, BAD], 1)])
def test_only_errors_make_validate_fail(workspace: Workspace, clips: list[Clip], code: int) -> None:
    write_clips(workspace.clips_table, clips)
    result = fdpose(workspace, "validate")
    assert result.exit_code == code, result.output
    assert ("label.score-formula" in result.stdout) is (ODD in clips)
    assert ("Men10m_r1/3: '9999z' is no dive number" in result.stdout) is (BAD in clips)


def test_findings_come_as_json_too(workspace: Workspace) -> None:
    write_clips(workspace.clips_table, [ODD, BAD])
    found = json.loads(fdpose(workspace, "validate", "--json", "--select", "label.score").stdout)
    assert (found["errors"], found["warnings"]) == (0, 1)
    assert found["findings"][0]["key"] == "Men10m_r1/2"
    assert found["findings"][0]["rule"] == "label.score-formula"


def test_the_rules_can_be_listed_without_data(workspace: Workspace) -> None:
    result = fdpose(workspace, "validate", "--list-rules", "--ignore", "pose")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) > 20
    assert not any(line.startswith("pose.") for line in lines)


def test_validate_without_a_clips_table_says_what_to_run(workspace: Workspace) -> None:
    result = fdpose(workspace, "validate")
    assert result.exit_code == 1
    assert "no clips table; make one with: fdpose extract" in result.stderr


def test_an_unknown_rule_is_bad_usage(workspace: Workspace) -> None:
    result = fdpose(workspace, "validate", "--select", "nonsense")
    assert result.exit_code == 2
    assert "no rule begins with 'nonsense'" in result.stderr


def test_the_report_holds_the_findings(workspace: Workspace, tmp_path: Path) -> None:
    write_clips(workspace.clips_table, [ODD, BAD])
    target = tmp_path / "findings.html"
    result = fdpose(workspace, "validate", "--report", str(target))
    assert result.exit_code == 1
    assert str(target) in result.stdout
    assert "&#39;9999z&#39; is no dive number" in target.read_text()


@pytest.fixture
def posed(workspace: Workspace) -> Workspace:
    """Two clips, the first with frames and automatic poses."""
    write_clips(workspace.clips_table, [GOOD, ODD])
    folder = workspace.frame_folder(GOOD.key)
    folder.mkdir(parents=True)
    jpeg = simplejpeg.encode_jpeg(np.full((100, 160, 3), 128, np.uint8))
    names = tuple(map(frame_name, range(20)))
    for name in names:
        (folder / name).write_bytes(jpeg)
    write_manifest(
        FrameFolder(GOOD.key, folder, tuple(range(20)), 160, 100, "v", names, 25.0, digest_jpegs([jpeg] * 20))
    )
    ones = np.ones((20, 16))
    points = np.random.default_rng(0).uniform(30, 70, (20, 16, 2))
    poses = ClipPoses(
        np.arange(20), np.zeros(20), np.zeros((20, 4)), points, 2 * ones, ones, ones, ["a"] * 20, [""] * 20
    )
    write_poses(workspace.pose_file("auto", GOOD.key), poses)
    return workspace


@pytest.mark.parametrize(("every", "width"), [((), 1350), (("--every", "10"), 446)])
def test_render_writes_one_sheet_a_clip(posed: Workspace, tmp_path: Path, every: tuple[str, ...], width: int) -> None:
    result = fdpose(posed, "render", "--out", str(tmp_path / "out"), *every)
    assert result.exit_code == 0, result.output
    assert "Men10m_r1/2: no automatic or merged poses" in result.stderr
    (picture,) = (tmp_path / "out").iterdir()
    assert picture.name == "Men10m_r1_1.png"
    sheet = cv2.imread(str(picture))
    assert sheet is not None
    assert sheet.shape[1] == width


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("--clip", "Men10m_r1/2"), 1, "no automatic or merged poses; make some with: fdpose annotate --auto"),
        (("--layer", "manual/kim"), 2, "--layer manual/kim: no such layer in"),
        (("--clip", "x/1"), 2, "--clip x/1: no such clip"),
        (("--layer", "merged"), 1, "no such pose file"),
    ],
)
def test_render_says_why_there_is_no_picture(
    posed: Workspace, tmp_path: Path, args: tuple[str, ...], code: int, says: str
) -> None:
    result = fdpose(posed, "render", "--out", str(tmp_path / "out"), *args)
    assert result.exit_code == code
    assert says in result.stderr
    assert not (tmp_path / "out").exists()
