"""Names of strangers are drawn, shown and printed as they are: no formula, no markup, no script."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest

from finediving_pose import terminal
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.extraction.clips_table import add_clips
from finediving_pose.extraction.run import extract_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import ClipPoses, write_poses
from finediving_pose.report import charts
from finediving_pose.report.contents import draw_contents
from finediving_pose.report.findings import write_findings_page
from finediving_pose.report.html import write_report
from finediving_pose.validate import validate
from finediving_pose.workspace import Workspace
from tests.media import write_pictures

pytestmark = pytest.mark.slow

NAMES = ["$x_{y}^2$ a", "cost $5 & 'x' [red]b[bold]", "a_b $é #{{77}}", "=1+1 $", "$\N{GREEK SMALL LETTER ALPHA}$$"]
SCRIPT = "<script>document.title='owned'</script>$\\frac"
AUTHOR = "<img src=x onerror=alert(1)>$"


@pytest.fixture
def named(tmp_path: Path) -> Workspace:
    """Clips of odd names and dive numbers, packed, with poses by somebody of an odd name."""
    workspace = Workspace(tmp_path / "data [red]$x$ & co")
    for name in NAMES:
        write_pictures(tmp_path / "in" / name / "1", range(6))
    extract_frames(workspace, tmp_path / "in", jobs=1)
    clips = [Clip(ClipKey(name, 1), action_type=SCRIPT, dive_score=500.0, split="train") for name in NAMES]
    add_clips(workspace, clips)
    n = 6
    poses = ClipPoses(
        np.arange(n), np.zeros(n), np.full((n, 4), np.nan), np.full((n, 16, 2), 40.0), np.full((n, 16), 2),
        np.ones((n, 16)), np.ones((n, 16)), [AUTHOR] * n, [""] * n,
    )  # fmt: skip
    for clip in clips:
        write_poses(workspace.pose_file("auto", clip.key), poses)
    write_packed(workspace)
    return workspace


def test_pages_escape_them(named: Workspace, tmp_path: Path) -> None:
    report = write_report(named, tmp_path / "report.html").read_text()
    findings = write_findings_page(validate(named, jobs=1), tmp_path / "findings.html", named, read_clips(named))
    for page in (report, findings.read_text()):
        assert SCRIPT not in page and AUTHOR not in page
        assert "&lt;script&gt;document.title=" in page
        assert not re.search(r"<script>(?!\s*\n)", page.replace("<script>\n", ""))


def test_the_picture_of_a_packed_file_draws_them(named: Workspace, tmp_path: Path) -> None:
    assert draw_contents(named.packed, tmp_path / "contents.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", [*NAMES, "\\frac{", "$\\unknown$", "a&b<c>"])
def test_a_chart_shows_them_letter_by_letter(name: str) -> None:
    drawn = charts.bars({name: 3, "107b": 2}) or ""
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert escaped in drawn


@pytest.mark.parametrize("name", [*NAMES, "[/red]", ":smile:", "[link=http://x]y[/link]"])
def test_a_terminal_prints_them_letter_by_letter(name: str) -> None:
    from rich.table import Table

    out = io.StringIO()
    console = terminal.terminal(file=out, width=200)
    table = Table("name")
    table.add_row(name)
    console.print(table)
    console.print(name)
    assert out.getvalue().count(name) == 2
