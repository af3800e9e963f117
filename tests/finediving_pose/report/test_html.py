"""The report is one file, says what there is, and is silent about what there is not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LabelError, UsageError
from finediving_pose.labels.table import write_clips
from finediving_pose.report.html import write_report
from finediving_pose.validate import Finding
from finediving_pose.workspace import Workspace

CLIP = Clip(ClipKey("Men10m & co", 0), "train", "5253b", 3.2, 76.8, (8.0, 7.5, 8.5))


@pytest.fixture
def labelled(workspace: Workspace) -> Workspace:
    clips = [replace(CLIP, key=ClipKey("Men10m & co", i), dive_score=60.0 + i) for i in range(6)]
    write_clips(workspace.clips_table, [*clips, replace(CLIP, key=ClipKey("w", 1), split="test", action_type="107b")])
    return workspace


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "some method-1"
    folder.mkdir(parents=True)
    (folder / "report.html").touch()
    return folder


def test_the_report_is_one_file_without_outside_resources(labelled: Workspace, run: Path, tmp_path: Path) -> None:
    page = write_report(
        labelled, tmp_path / "new" / "report.html", run, {"Pose accuracy": {"PCKh": 0.98765}}
    ).read_text()
    linked = page.replace('xlink:href="#', "").replace('href="../runs/some%20method-1/report.html"', "", 1)
    assert not re.search(r"(src|href)=\"(?!#|data:)", linked)
    assert "@import" not in page
    assert "url(" not in re.sub(r"url\(#\w+\)", "", page)
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(svg.replace("xlink:href", "href"))
    ids = re.findall(r'clipPath id="(\w+)"', page)
    assert len(ids) == len(set(ids)), "charts must not share the names of their clip paths"


def test_the_report_says_what_there_is(labelled: Workspace, run: Path, tmp_path: Path) -> None:
    page = write_report(labelled, tmp_path / "r.html", run, {"Pose accuracy": {"PCKh": 0.98765}}).read_text()
    for words in (
        "<b>7</b><span>dives</span>",
        "back 2½ somersaults 1½ twists, pike",
        "some method-1</a>: figures",
        "Pose accuracy",
        "0.9877",
        "no training dive has the number 107b",
    ):
        assert words in page, words


def test_tables_and_charts_are_said_in_words(labelled: Workspace, tmp_path: Path) -> None:
    said = {"Pose accuracy": "Wrists are worst."}
    page = write_report(
        labelled, tmp_path / "r.html", None, {"Pose accuracy": {"PCKh": 0.9}}, in_words=said
    ).read_text()
    assert "Wrists are worst." in page
    assert "7 dives, 60 to 76.8 points, mean 64.5. Test dives score 14.3 points more than training dives" in page
    assert "is the most frequent (6 dives); 1 of 2 numbers have a single dive." in page
    assert "warning is worth a look" in page or "warnings are worth a look" in page


def test_equal_bars_are_a_sentence(workspace: Workspace, tmp_path: Path) -> None:
    clips = [replace(CLIP, key=ClipKey("v", i), action_type=n) for i, n in enumerate(("107b", "205b") * 3)]
    write_clips(workspace.clips_table, clips)
    page = write_report(workspace, tmp_path / "r.html").read_text()
    assert "2 dive numbers, 3 dives each." in page
    assert "<svg" not in page, "six scores and two equal bars are no charts"


def test_sections_without_material_are_left_out(workspace: Workspace, tmp_path: Path) -> None:
    write_clips(workspace.clips_table, [Clip(ClipKey("v", 1))])
    page = write_report(workspace, tmp_path / "r.html").read_text()
    assert "Nothing found." in page
    for absent in ("Poses</h2>", "Model", "<svg", "Dive numbers", "None", "nan"):
        assert absent not in page, absent


def test_findings_given_are_the_findings_shown(labelled: Workspace, tmp_path: Path) -> None:
    finding = Finding(ClipKey("v", 1), "it says <script>alert(1)</script>", rule="frame.readable", severity="error")
    page = write_report(labelled, tmp_path / "r.html", findings=[finding] * 8).read_text()
    assert "it says &lt;script&gt;" in page
    assert "<script" not in page
    assert "and 3 more" in page
    assert "split.test-exemplar" not in page


def test_notes_come_after_warnings_and_a_file_has_its_place(labelled: Workspace, tmp_path: Path) -> None:
    note = Finding(None, "newer", field="f.h5", rule="packed.version", severity="note")
    warning = Finding(ClipKey("v", 1), "changed", rule="frame.unchanged", severity="warning")
    page = write_report(labelled, tmp_path / "r.html", findings=[note, note, warning]).read_text()
    assert page.index("frame.unchanged") < page.index("packed.version")
    assert "<b>f.h5</b> newer" in page


def test_what_was_there_stays_when_the_run_has_no_page(labelled: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "r.html"
    target.write_text("before")
    with pytest.raises(UsageError, match=r"nowhere: has no report\.html; finish the run with: fdpose"):
        write_report(labelled, target, tmp_path / "nowhere")
    with pytest.raises(LabelError, match="no clips table"):
        write_report(Workspace(tmp_path / "empty"), target)
    assert target.read_text() == "before"
