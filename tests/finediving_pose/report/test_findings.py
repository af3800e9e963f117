"""The page of findings is one file, shows every finding, and has pictures where there are frames."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.poses import ClipPoses, write_poses
from finediving_pose.report.evidence import evidence
from finediving_pose.report.findings import PICTURES, SHOWN, write_findings_page
from finediving_pose.validate import RULES, Finding
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import add_clip

ODD = Clip(ClipKey("Men10m & co", 3), "train", "5253b", 3.2, 70.0, (8.0, 7.5, 8.5))
KEYS = [ClipKey("meet", i) for i in range(8)]


def finding(rule: str, key: ClipKey | None = ODD.key, message: str = "wrong", **fields: Any) -> Finding:
    return replace(Finding(key, message), rule=rule, severity=RULES[rule].severity, **fields)


class Page(HTMLParser):
    """Checks that tags nest, and collects the findings' rows, their rules and the pictures."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sections: list[str] = []
        self.rows = 0
        self.pictures: list[str] = []
        self.text = path.read_text(encoding="utf-8")
        self.feed(re.sub(r"<svg.*?</svg>", "", self.text, flags=re.DOTALL))
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "section":
            self.sections.append(values["id"] or "")
        if tag == "img":
            self.pictures.append(values["src"] or "")
        self.rows += tag == "tr" and values.get("class") == "f"
        if tag not in ("meta", "input", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def meet(workspace: Workspace) -> Workspace:
    """Eight clips of five frames, 64 x 48, the first four with a pose in every frame."""
    for key in KEYS:
        add_clip(workspace, Clip(key, n_frames=5), list(range(10, 15)))
    for key in KEYS[:4]:
        points = np.random.default_rng(0).uniform(10, 40, (5, 16, 2))
        whole = np.ones((5, 16))
        box = np.hstack([points.min(1), points.max(1)])
        table = ClipPoses(
            np.arange(10, 15), np.zeros(5), box, points, 2 * whole, whole, whole, ["me"] * 5, [""] * 5
        )  # fmt: skip
        write_poses(workspace.pose_file("auto", key), table)
    return workspace


def test_without_findings_the_page_says_so(tmp_path: Path) -> None:
    page = Page(write_findings_page([], tmp_path / "p.html", None, [ODD]))
    assert "Nothing found." in page.text
    assert page.sections == []


def test_the_page_is_one_file_without_outside_resources(tmp_path: Path) -> None:
    found = [finding("label.score-formula"), finding("label.award-range")]
    page = Page(write_findings_page(found, tmp_path / "new" / "p.html", None, [ODD])).text
    assert not re.search(r"(src|href)=\"(?!#|data:)", page)
    assert "@import" not in page
    assert "url(" not in re.sub(r"url\(#\w+\)", "", page)
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(svg.replace("xlink:href", "href"))


def test_the_gravest_rules_come_first_then_those_with_most_findings(tmp_path: Path) -> None:
    found = [finding("split.competition-leak")] * 9 + [finding("label.short-stage")]
    found += [finding("label.score-zero")] * 3 + [finding("label.award-range")]
    page = Page(write_findings_page(found, tmp_path / "p.html", None, [ODD]))
    assert page.sections == ["label.award-range", "label.score-zero", "label.short-stage", "split.competition-leak"]
    assert page.rows == 14
    assert re.search(r'<b class="error">1</b><span>error</span>', page.text)
    assert re.search(r'<b class="warning">4</b><span>warnings</span>', page.text)
    assert re.search(r'<b class="note">9</b><span>notes</span>', page.text)


def test_words_from_outside_stay_words(tmp_path: Path) -> None:
    bad = finding("label.dive-number", message="'<script>alert(1)</script>' is no dive number", found="<b>")
    page = Page(write_findings_page([bad], tmp_path / "p.html", None, [ODD]))
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


def test_of_many_findings_the_first_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    found = [finding("label.score-zero", ClipKey(f"v{i % 30}", i)) for i in range(SHOWN + 7)]
    page = Page(write_findings_page(found, tmp_path / "p.html", None, []))
    assert page.rows == SHOWN
    assert "and 7 more; all of them: <code>fdpose validate --select label.score-zero --csv" in page.text
    assert "and 18 more with findings" in page.text, "12 of 30 videos are drawn"


def test_a_finding_on_a_file_has_its_place(tmp_path: Path) -> None:
    page = Page(write_findings_page([finding("packed.offsets", None, field="f.h5")], tmp_path / "p.html", None, []))
    assert '<td class="clip">f.h5</td>' in page.text


@pytest.mark.slow
def test_scores_are_drawn_where_one_does_not_fit(tmp_path: Path) -> None:
    fits = replace(ODD, key=ClipKey("v", 1), dive_score=76.8)
    odd = finding("label.score-formula", source="unlabelled")
    page = Page(write_findings_page([odd], tmp_path / "p.html", None, [ODD, fits])).text
    assert "1 of 2 dives have a finding on score" in page
    assert "<svg" in page
    other = Page(write_findings_page([finding("label.short-stage")], tmp_path / "q.html", None, [ODD, fits])).text
    assert "<svg" not in other


def test_pose_findings_have_pictures_and_label_findings_none(meet: Workspace, tmp_path: Path) -> None:
    found = [finding("pose.joint-leap", KEYS[0], frame=12, layer="auto"), finding("label.short-stage", KEYS[0])]
    page = Page(write_findings_page(found, tmp_path / "p.html", meet, [Clip(k) for k in KEYS]))
    assert len(page.pictures) == 1
    assert "<b>meet/0, frame 12</b> wrong" in page.text
    assert page.pictures[0].startswith("data:image/jpeg;base64,")


def decoded(uri: str) -> np.ndarray:

    return simplejpeg.decode_jpeg(base64.b64decode(uri.partition(",")[2]))


def test_a_few_pictures_are_shown_each_of_another_clip(meet: Workspace) -> None:
    found = [finding("frame.blank", key, frame=12) for key in KEYS for _ in range(3)]
    strips = evidence(meet, found, [], PICTURES)
    assert [s.place for s in strips] == [f"meet/{i}, frame 12" for i in range(6)]


def test_a_pose_is_drawn_into_its_picture(meet: Workspace) -> None:
    found = [finding("frame.cut", KEYS[0], frame=12), finding("pose.box", KEYS[1], frame=12, layer="auto")]
    plain, posed = evidence(meet, found, [], 2)
    colours = decoded(posed.picture).reshape(-1, 3).astype(int)
    assert (np.abs(colours - (60, 160, 255)).max(1) < 40).any(), "the left side is blue"
    assert decoded(plain.picture).shape[1] > decoded(posed.picture).shape[1], "rules on pictures show them whole"


@pytest.mark.parametrize("frame", [10, 14, 999])
def test_at_the_ends_of_a_clip_three_frames_are_shown_all_the_same(meet: Workspace, frame: int) -> None:
    found = [finding("frame.cut", KEYS[0], frame=12), finding("frame.cut", KEYS[1], frame=frame)]
    middle, end = evidence(meet, found, [], 2)
    assert decoded(end.picture).shape == decoded(middle.picture).shape


def test_a_picture_that_can_not_be_read_is_left_out(meet: Workspace) -> None:
    (meet.frame_folder(KEYS[0]) / "00012.jpg").write_bytes(b"no")
    (meet.frame_folder(KEYS[1]) / "clip.json").unlink()
    found = [finding("frame.readable", key, frame=12) for key in KEYS[:2]]
    (strip,) = evidence(meet, found, [], PICTURES)
    assert strip.place == "meet/0, frame 12"


def test_findings_without_a_frame_have_no_picture(meet: Workspace) -> None:
    assert evidence(meet, [finding("frame.unchanged", KEYS[0]), finding("packed.opens", None)], [], PICTURES) == []
