"""What systems leave beside a person's files is passed over wherever a folder is searched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.droppings import entries, found, is_dropping
from finediving_pose.extraction.run import extract_frames, extract_videos
from finediving_pose.labels.read import read_labels
from finediving_pose.labels.table import read_clips
from finediving_pose.validate import validate
from finediving_pose.workspace import Workspace
from tests.media import write_pictures, write_video

FILES = ["._{}", ".DS_Store", "Thumbs.db", "desktop.ini", "~${}", "{}~", "Icon\r", ".~lock.{}#", ".{}.x8f.part"]
FOLDERS = ["__MACOSX", "@eaDir", ".Spotlight-V100", "$RECYCLE.BIN", ".ipynb_checkpoints", "System Volume Information"]


def litter(folder: Path, beside: Path | None = None) -> None:
    """Leave droppings in a folder and below it, beside and as copies of a file's name."""
    for below in [folder, *(p for p in folder.rglob("*") if p.is_dir())]:
        names = [p.name for p in below.iterdir() if p.is_file()][:2] or ["x.jpg"]
        for pattern in FILES:
            for name in names:
                (below / pattern.format(name)).write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        ")
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
        for inside in ("._A.mp4", "A.mp4", "00001.jpg", "labels.csv", "labels.pkl"):
            (folder / name / inside).write_bytes(b"\0\5\x16\7")
        (folder / name / "1").mkdir()
        (folder / name / "1" / "00001.jpg").write_bytes(b"\0\5\x16\7")


@pytest.mark.parametrize("name", [p.format("A.mp4") for p in FILES] + FOLDERS)
def test_droppings_are_known_by_name(name: str) -> None:
    assert is_dropping(name)


@pytest.mark.parametrize("name", ["A.mp4", "1", "desktop.ini.mp4", "_final", "Men10m_final~r1.mp4", "$10.mp4"])
def test_a_person_s_own_names_are_none(name: str) -> None:
    assert not is_dropping(name)


def test_folders_are_searched_without_them(tmp_path: Path) -> None:
    write_pictures(tmp_path / "men" / "1", range(2))
    litter(tmp_path)
    assert [p.name for p in entries(tmp_path)] == ["men"]
    assert sorted(p.name for p in found(tmp_path, "**/*.jpg")) == ["00000.jpg", "00001.jpg"]


def test_frames_come_in_among_droppings(workspace: Workspace, tmp_path: Path) -> None:
    write_pictures(tmp_path / "in" / "men" / "1", range(3))
    write_pictures(tmp_path / "in" / "women", range(3))
    litter(tmp_path / "in")
    result = extract_frames(workspace, tmp_path / "in", jobs=1)
    assert sorted(map(str, result.made)) == ["men/1", "women/0"] and not result.failed
    before = validate(workspace, jobs=1)
    litter(workspace.frames)
    assert validate(workspace, jobs=1) == before


def test_videos_come_in_among_droppings(workspace: Workspace, tmp_path: Path) -> None:
    write_video(tmp_path / "in" / "men.mp4", 6)
    litter(tmp_path / "in")
    result = extract_videos(workspace, tmp_path / "in", [Clip(ClipKey("men", 1), start_frame=1, end_frame=4)], jobs=1)
    assert not result.failed and result.n_frames == 4


def test_labels_and_layers_are_read_among_droppings(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    (folder / "Labels.CSV").write_text("video,index,start_frame,end_frame\nmen,1,0,3\n")
    litter(folder)
    assert [str(c.key) for c in read_labels(folder)] == ["men/1"]
    shutil.copytree(folder, workspace.poses / "manual" / "anna")
    litter(workspace.poses / "manual")
    assert workspace.manual_layers() == ["manual/anna"]
    assert not workspace.clips_table.exists() or read_clips(workspace)
