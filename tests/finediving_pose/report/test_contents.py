"""The picture of a packed file has charts where they show something, and names in full."""

from __future__ import annotations

from dataclasses import replace

import cv2
import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.report import contents
from finediving_pose.report.contents import draw_contents
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import add_clip

LONG = "FINADivingWorldCup2021_Men3m_springboard_semifinal_r4"
PLAIN = [Clip(ClipKey(LONG, i), n_frames=5) for i in range(3)]
LABELLED = [
    replace(
        c, split="test" if i else "train", dive_score=50.0 + i, height_m=10.0, source="finediving",
        stage_starts=(1, 2) if i else (), sub_actions=(1, 17, 36) if i else (),
    )
    for i, c in enumerate(PLAIN)
]  # fmt: skip


@pytest.mark.parametrize(
    ("clips", "charts"), [(PLAIN, ["_sizes"]), (LABELLED, ["_sizes", "_splits", "_stages"])], ids=["plain", "labelled"]
)
def test_charts_with_nothing_to_show_are_left_out(workspace: Workspace, clips: list[Clip], charts: list[str]) -> None:
    for clip in clips:
        add_clip(workspace, clip, list(range(5)))
    write_packed(workspace)
    with open_packed(workspace.packed) as packed:
        assert [draw.__name__ for draw, tells in contents._CHARTS if tells(packed)] == charts
        title = contents._title(packed)
        assert ("3 scores, 50 to 52" in title) == (clips is LABELLED), "too few for a histogram, so in words"
        assert "3 clips; 15 frames, 0 of them with a pose" in title
        words = [words for words, _ in contents._pictures(packed)]
        assert words[0] == f"{LONG}/0\nframe 3 of 5, no diver"
    picture = cv2.imread(str(draw_contents(workspace.packed, workspace.root / "contents.png")))
    assert picture is not None
    assert picture.shape[1] == contents.WIDTH * contents.DPI
