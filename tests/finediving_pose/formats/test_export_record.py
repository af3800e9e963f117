"""What an export keeps of what it wrote, and what it replaces."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyarrow.parquet import read_table

from finediving_pose.errors import PoseError, UsageError
from finediving_pose.formats import export as exporting
from finediving_pose.formats.export import export
from finediving_pose.formats.export_record import match_people, read_record, record_path, records_of
from finediving_pose.formats.registry import writers
from finediving_pose.poses import JointSource
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, full_tables, write_layer

FOLDERS = sorted(name for name, w in writers().items() if w.folder)


def out_of(folder: Path, name: str) -> Path:
    return folder / ("out" if writers()[name].folder else f"out.{name}")


@pytest.mark.parametrize("name", sorted(writers()))
def test_an_untouched_export_is_replaced_without_asking(name: str, posed: Workspace, tmp_path: Path) -> None:
    out = out_of(tmp_path, name)
    export(posed, CLIPS, name, out)
    export(posed, CLIPS[:1], name, out)
    record = read_record(record_path(out), {c.key for c in CLIPS})
    assert record is not None and {p.key for p in record.poses} == {CLIPS[0].key}


@pytest.mark.parametrize("name", sorted(name for name, w in writers().items() if w.in_parts))
def test_a_large_export_is_read_back_in_parts(
    name: str, posed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    export(posed, CLIPS, name, whole)
    monkeypatch.setattr(exporting, "AT_ONCE", 1)
    export(posed, CLIPS, name, parts)
    assert {p.name.removeprefix("parts") for p in tmp_path.glob(".*")} == set()
    one, other = (read_table(record_path(out)).to_pylist() for out in (whole, parts))
    assert len(one) > len(CLIPS) and str(one) == str(other), "NaN equals NaN as text"
    assert {row["video"] for row in one} == {c.key.video for c in CLIPS}


def test_more_poses_than_a_format_is_written_of_are_refused(
    posed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(writers()["csv"], most=3)
    monkeypatch.setattr(exporting, "writer", lambda name: few)
    with pytest.raises(UsageError, match=r"poses; csv is written of 3 at most, .*: export fewer with --frames"):
        export(posed, CLIPS, "csv", tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize("name", ["coco", "labelstudio", "official"])
def test_an_exported_file_that_somebody_changed_is_left_alone(name: str, posed: Workspace, tmp_path: Path) -> None:
    out = out_of(tmp_path, name)
    export(posed, CLIPS, name, out)
    out.write_text(out.read_text() + " ")
    with pytest.raises(UsageError, match=rf"out\.{name} was changed or added since it was exported.*--force"):
        export(posed, CLIPS, name, out)
    export(posed, CLIPS, name, out, force=True)
    export(posed, CLIPS, name, out)


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("change", ["edit", "add", "edit a picture"])
def test_an_exported_folder_that_somebody_worked_in_is_left_alone(
    name: str, change: str, posed: Workspace, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export(posed, CLIPS, name, out)
    if change == "add":
        (out / "runs").mkdir()
        changed = out / "runs" / "best.pt"
        changed.write_bytes(b"trained weights")
    else:
        wanted = (".jpg",) if change == "edit a picture" else (".csv", ".txt", ".npz")
        wanted = (*wanted, "-00000.parquet")  # which holds both
        changed = next(p for p in sorted(out.rglob("*")) if p.name.endswith(wanted))
        changed.write_bytes(changed.read_bytes() + b"\n")
    with pytest.raises(UsageError, match=changed.name):
        export(posed, CLIPS, name, out)
    assert changed.is_file()


def test_a_file_without_a_record_is_not_taken_for_an_export(posed: Workspace, tmp_path: Path) -> None:
    """A tool's own export is in the same format, too."""
    out = tmp_path / "a.json"
    export(posed, CLIPS, "labelstudio", out)
    record_path(out).unlink()
    with pytest.raises(UsageError, match="was not written by fdpose export labelstudio"):
        export(posed, CLIPS, "labelstudio", out)


def test_exported_pictures_share_no_bytes_with_the_frames(posed: Workspace, tmp_path: Path) -> None:
    export(posed, CLIPS, "yolo", tmp_path / "out")
    pictures = list((tmp_path / "out").rglob("*.jpg"))
    assert pictures and all(p.stat().st_nlink == 1 for p in pictures)


def test_the_record_says_who_placed_each_joint(posed: Workspace, tmp_path: Path) -> None:
    key = CLIPS[1].key
    hand, merged = full_tables()[key], full_tables()[key]
    placed = np.zeros(16, bool)
    placed[3] = True
    for table, author in ((hand, "anna"), (merged, "anna+net")):
        table.source[:] = np.where(placed, JointSource.MANUAL, JointSource.AUTOMATIC)
        table.keypoints[:, 3], table.visibility[:, 3] = (33, 11), 2
        table.author[:] = [author] * len(table)
    hand.source[:, ~placed], hand.keypoints[:, ~placed], hand.visibility[:, ~placed] = 0, np.nan, 0
    write_layer(posed, {key: hand}, "manual/anna")
    write_layer(posed, {key: merged}, "merged")
    export(posed, CLIPS[1:], "coco", tmp_path / "a.json")
    (record,) = records_of(posed, [tmp_path / "elsewhere.json"], {key})
    for pose in record.poses:
        there = pose.visibility > 0
        assert pose.authors[3] == "anna" and pose.source[3] == JointSource.MANUAL
        assert {a for a, t in zip(pose.authors, there & ~placed, strict=True) if t} == {"net"}
        assert {a for a, t in zip(pose.authors, there, strict=True) if not t} <= {""}


def test_only_the_frames_of_a_list_are_exported(posed: Workspace, tmp_path: Path) -> None:
    chosen = tmp_path / "suggestions.csv"
    with open(chosen, "w", newline="") as f:
        csv.writer(f).writerows([["image", "why"], ["Men__10m/1/00101.jpg", "confidence 0.2"]])
    for name, writer in writers().items():
        out = out_of(tmp_path / name, name)
        if writer.whole_clips:
            with pytest.raises(UsageError, match="holds whole clips"):
                export(posed, CLIPS, name, out, frames=chosen)
            continue
        assert export(posed, CLIPS, name, out, frames=chosen)["frames"] == 1
    chosen.write_text("image\nMen__10m/1/00999.jpg\n")
    with pytest.raises(PoseError, match=r"suggestions\.csv: line 2: there is no such frame"):
        export(posed, CLIPS, "coco", tmp_path / "b.json", frames=chosen)
    chosen.write_text("picture\nMen__10m/1/00101.jpg\n")
    with pytest.raises(PoseError, match="no column image"):
        export(posed, CLIPS, "coco", tmp_path / "b.json", frames=chosen)


def test_people_are_matched_by_the_joints_they_have_in_common() -> None:
    a, b = np.zeros((16, 2)), np.full((16, 2), 50.0)
    moved = a.copy()
    moved[:15] += 60
    assert match_people([b, moved], [a, b]) == [1, 0]
    assert match_people([a], [b, a]) == [1]
    assert match_people([a, b], [b]) == [None, 0]
    assert match_people([], [a]) == []


@pytest.mark.parametrize("content", [b"", b"PAR1PAR1", b"not a table"])
def test_a_damaged_record_is_none(content: bytes, posed: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    export(posed, CLIPS, "coco", out)
    record_path(out).write_bytes(content)
    assert read_record(record_path(out), {CLIPS[0].key}) is None


@pytest.mark.parametrize("place", ["frames", "frames/new", "poses/manual", "clips.parquet", "estimators/mine", "runs"])
def test_the_data_directorys_own_files_are_no_place_for_an_export(place: str, posed: Workspace) -> None:
    for name in ("dlc", "coco"):
        with pytest.raises(UsageError, match="which is the data directory's own"):
            export(posed, CLIPS, name, posed.root / place, force=True)


def test_what_a_system_leaves_in_an_export_is_nobodys_work(posed: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(posed, CLIPS, "yolo", out)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (out / name).write_bytes(b"x")
    export(posed, CLIPS, "yolo", out)
    assert not (out / "Thumbs.db").exists(), "the export was put in place anew"
