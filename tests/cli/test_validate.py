"""``fdpose validate`` and ``fdpose render``: wiring, exit codes and words."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg
from click.testing import CliRunner, Result

from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.poses import ClipPoses, read_poses, write_poses
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
    assert found["findings"][0]["level"] == "doubtful"


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
def labels(tmp_path: Path) -> Path:
    """FineDiving's coarse labels of three dives; the second has the score of another difficulty."""
    dives = {
        ("Cup_Men10m_final_r1", i): {
            "action_type": action, "start_frame": 100 * i, "end_frame": 100 * i + 99, "dive_score": score,
            "difficulty": difficulty, "judge_scores": [8.0, 8.0, 8.0],
        }
        for i, (action, difficulty, score) in enumerate([("107b", 3.0, 72.0), ("307c", 3.4, 79.2), ("107b", 3.0, 72.0)])
    }  # fmt: skip
    folder = tmp_path / "labels"
    folder.mkdir()
    (folder / "coarse.pkl").write_bytes(pickle.dumps(dives))
    return folder


def test_label_files_are_looked_at_without_a_data_directory(workspace: Workspace, labels: Path) -> None:
    result = fdpose(workspace, "validate", "--labels", str(labels), "--json")
    findings = json.loads(result.stdout)["findings"]
    assert {(f["key"], f["rule"]) for f in findings} == {
        (None, "label.known-file"),
        ("Cup_Men10m_final_r1/1", "label.score-formula"),
    }
    assert result.exit_code == 0
    assert not workspace.root.exists()


def test_a_data_directory_remembers_its_label_files(workspace: Workspace, labels: Path) -> None:
    extracted = fdpose(workspace, "extract", "--labels", str(labels))
    assert "coarse.pkl: not the released file, by its sha256" in extracted.stderr
    rules = {f["rule"] for f in json.loads(fdpose(workspace, "validate", "--json").stdout)["findings"]}
    assert "label.known-file" in rules
    (labels / "coarse.pkl").unlink()
    labels.rmdir()
    rules = {f["rule"] for f in json.loads(fdpose(workspace, "validate", "--json").stdout)["findings"]}
    assert "label.known-file" not in rules
    assert "label.score-formula" in rules


def test_known_findings_are_left_out(workspace: Workspace, labels: Path, tmp_path: Path) -> None:
    known = str(tmp_path / "known.csv")
    at = ("validate", "--labels", str(labels), "--select", "label.score")
    assert fdpose(workspace, *at, "--csv", known).exit_code == 0
    result = fdpose(workspace, *at, "--baseline", known, "--json")
    assert json.loads(result.stdout) == {"errors": 0, "warnings": 0, "known": 1, "findings": []}
    missing = fdpose(workspace, *at, "--baseline", str(tmp_path / "no.csv"))
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert "no.csv: can't be read as a list of findings" in missing.stderr


@pytest.mark.parametrize(("most", "code"), [("0", 1), ("1", 0)])
def test_too_many_warnings_fail(workspace: Workspace, labels: Path, most: str, code: int) -> None:
    at = ("validate", "--labels", str(labels), "--select", "label.score", "--max-warnings", most)
    result = fdpose(workspace, *at)
    assert result.exit_code == code
    assert ("1 warnings, more than --max-warnings 0" in result.stderr) is bool(code)


def test_notes_are_shown_when_asked_for(workspace: Workspace) -> None:
    write_clips(workspace.clips_table, [replace(GOOD, dive_score=54.0)])
    assert json.loads(fdpose(workspace, "validate", "--json").stdout)["findings"] == []
    (note,) = json.loads(fdpose(workspace, "validate", "--json", "--severity", "note").stdout)["findings"]
    assert (note["rule"], note["severity"]) == ("label.restart", "note")


@pytest.mark.slow
def test_errata_are_applied_when_asked_for(workspace: Workspace, shared_data: Path) -> None:
    """The award of 45 in 04/49 is 4.5."""
    labels = str(shared_data / "finediving")
    result = fdpose(workspace, "extract", "--labels", labels, "--apply-errata")
    assert "128 known errors of the labels corrected" in result.stderr
    clip = next(c for c in read_clips(workspace) if str(c.key) == "04/49")
    assert clip.judge_scores[3] == 4.5
    likely = fdpose(workspace, "extract", "--labels", labels, "--apply-errata", "likely")
    assert "137 known errors of the labels corrected" in likely.stderr
    assert fdpose(workspace, "validate").exit_code == 0


@pytest.mark.parametrize("command", ["extract", "validate"])
def test_errata_without_labels_are_bad_usage(workspace: Workspace, command: str) -> None:
    more = ("--frames", str(workspace.root)) if command == "extract" else ()
    result = fdpose(workspace, command, "--apply-errata", *more)
    assert result.exit_code == 2
    assert "--apply-errata" in result.stderr


def test_a_split_by_event_replaces_the_official_one(workspace: Workspace) -> None:
    clips = [replace(GOOD, key=ClipKey(f"Event{e}_final_r{r}", i)) for e in range(4) for r in (1, 2) for i in range(3)]
    write_clips(workspace.clips_table, clips)
    said = json.loads(fdpose(workspace, "split", "--test", "0.25", "--seed", "3", "--json").stdout)
    assert (said["train"], said["test"], len(said["events_to_test_on"])) == (18, 6, 1)
    test = {c.key.video for c in read_clips(workspace) if c.split == "test"}
    assert test == {f"{said['events_to_test_on'][0]}_final_r{r}" for r in (1, 2)}
    assert fdpose(workspace, "split", "--test", "2").exit_code == 2
    assert fdpose(workspace, "split", "--by", "round").exit_code == 2


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
        (
            ("--clip", "Men10m_r1/2"),
            1,
            "no automatic or merged poses; make some with: fdpose annotate --data DATA --auto",
        ),
        (("--layer", "manual/kim"), 2, "--layer manual/kim: no such layer in"),
        (("--clip", "x/1"), 2, "--clip x/1: no such clip"),
        (("--layer", "merged"), 2, "--layer merged: no such layer in"),
    ],
)
def test_render_says_why_there_is_no_picture(
    posed: Workspace, tmp_path: Path, args: tuple[str, ...], code: int, says: str
) -> None:
    result = fdpose(posed, "render", "--out", str(tmp_path / "out"), *args)
    assert result.exit_code == code
    assert says.replace("DATA", str(posed.root)) in result.stderr
    assert not (tmp_path / "out").exists()


LONG = "FINADivingWorldCup2021_Men3m_springboard_semifinal_r4"


@pytest.mark.parametrize("columns", ["40", "60", "80"])
def test_names_of_clips_are_whole_at_any_width(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    clips = [replace(BAD, key=ClipKey(LONG, i), start_frame=50 * i, end_frame=50 * i + 19) for i in range(25)]
    write_clips(workspace.clips_table, [*clips, ODD])
    lines = fdpose(workspace, "validate").stdout.splitlines()
    assert "error  label.dive-number, 25 clips" in lines
    assert [f"  {LONG}/{i}: '9999z' is no dive number" in "\n".join(lines) for i in (0, 19, 20)] == [True, True, False]
    assert "  ... and 5 more" in lines


def test_what_is_found_comes_with_what_to_do(workspace: Workspace) -> None:
    write_clips(workspace.clips_table, [GOOD, ODD, BAD])
    said = fdpose(workspace, "validate").stdout
    assert "warning  label.score-formula, 1 clip" in said
    assert "Dive score = sum of the awards that count x difficulty." in said
    after = said[said.index("what to do") :]
    assert f"fdpose extract --data {workspace.root} --labels FILE" in after
    assert after.index("label.dive-number") < after.index("Correct the label file")


def test_a_fault_of_the_automatic_and_the_merged_poses_is_counted_once(posed: Workspace) -> None:
    poses = read_poses(posed.pose_file("auto", GOOD.key))
    poses.keypoints[3, 0] = 0
    write_poses(posed.pose_file("auto", GOOD.key), poses)
    poses.keypoints[3, 1] += 1  # else the merged poses are the automatic ones, and are passed over
    write_poses(posed.pose_file("merged", GOOD.key), poses)
    found = json.loads(fdpose(posed, "validate", "--json", "--select", "pose.corner").stdout)
    assert found["warnings"] == 1
    assert found["findings"][0]["message"].startswith("auto, merged: joints at (0, 0)")
    assert found["findings"][0]["joints"] == ["right_ankle"]
