"""Each rule on the dives of a competition together, by a table of (clips, what it says)."""

from __future__ import annotations

from typing import Any

import pytest

from finediving_pose.clip import Clip
from finediving_pose.difficulty import likely_heights
from finediving_pose.validate import RULES
from tests.finediving_pose.validate.made_up import clip

PANEL = (8.0, 8.0, 7.5, 8.0, 8.5, 8.0, 7.0)


def placed(index: int, start: int, end: int, split: Any = "train", video: str = "v") -> Clip:
    return clip(index, video, start_frame=start, end_frame=end, split=split)


def platform(index: int, action: str = "107b", difficulty: float = 3.0, **more: Any) -> Clip:
    return clip(index, "01", action_type=action, difficulty=difficulty, **more)


def judged(index: int, video: str = "01", **more: Any) -> Clip:
    fields = {"action_type": "107b", "dive_score": 72.0, "judge_scores": PANEL, "n_frames": 96, **more}
    return clip(index, video, **fields)


@pytest.mark.parametrize(
    ("name", "clips", "says"),
    [
        ("label.ranges-overlap", [placed(0, 0, 9), placed(1, 10, 19), placed(3, 5, 9, video="w")], []),
        ("label.ranges-overlap", [placed(0, 0, 9), placed(1, 9, 19)], ["v/1 frames 9 to 19 share 1 with v/0 (0 to 9)"]),
        (
            "label.ranges-overlap",
            [placed(0, 0, 90), placed(1, 10, 19), placed(2, 85, 99, "test")],
            [
                "v/1 frames 10 to 19 share 10 with v/0 (0 to 90)",
                "v/2 frames 85 to 99 share 6 with v/0 (0 to 90), one in train, one in test",
            ],
        ),
        ("label.range-order", [placed(0, 0, 9), placed(1, 20, 29)], []),
        ("label.range-order", [placed(0, 20, 29), placed(1, 0, 9)], ["v/1 starts at frame 0, before v/0 at 20"]),
        ("label.index-gap", [clip(0), clip(1), clip(2)], []),
        ("label.index-gap", [clip(1, "01"), clip(2, "01"), clip(3, "01")], []),
        (
            "label.index-gap",
            [clip(1), clip(2), clip(4)],
            ["v/0 no such dive; v has 3 dives, 1 to 4", "v/3 no such dive; v has 3 dives, 1 to 4"],
        ),
        ("label.panel-changes", [judged(1), judged(2)], []),
        (
            "label.panel-changes",
            [judged(1), judged(2), judged(3, judge_scores=PANEL[:3])],
            ["01/3 3 awards, the other dives of the video have 7"],
        ),
        ("label.duplicate", [judged(1), judged(2, n_frames=97), judged(1, "02")], []),
        ("label.duplicate", [judged(1, judge_scores=PANEL[:5]), judged(2, judge_scores=PANEL[:5])], []),
        (
            "label.duplicate",
            [judged(1), judged(2, split="test", dive_score=72.0)],
            ["01/2 as 01/1: 107b, score 72, awards 8, 8, 7.5, 8, 8.5, 8, 7, 96 frames, one in none, one in test"],
        ),
        ("label.duplicate", [judged(1), clip(5, "01"), judged(9)], []),  # a dive of another round
        ("label.two-difficulties", [platform(1), platform(2)], []),
        (
            "label.two-difficulties",
            [platform(1), platform(2), platform(3, difficulty=3.1), platform(4)],
            ["01/3 difficulty 3.1, but 107b from 10 m has 3 in 3 dives"],
        ),
        (  # two seasons
            "label.two-difficulties",
            [platform(1, "307c", 3.4), platform(2, "307c", 3.3), platform(3, "307c", 3.4)],
            [],
        ),
        (  # a video of both boards: no height, no finding
            "label.two-difficulties",
            [platform(1), platform(2, difficulty=3.1)],
            [],
        ),
        (  # 405b has 2.8 from 10 m and 3.0 from 3 m; the others say that this is the platform
            "label.difficulty",
            [platform(1), platform(2), platform(3, "407c", 3.2), platform(4, "405b", 3.0)],
            ["01/4 difficulty 3, but 405b from 10 m has 2.8"],
        ),
        (
            "label.difficulty",
            [platform(i) for i in range(1, 4)] + [platform(4, "305b", 2.8, dive_score=67.2, judge_scores=PANEL)],
            ["01/4 305b from 10 m has 2.9 or 3, but the score 67.2 is that of 2.8"],
        ),
    ],
)  # fmt: skip
def test_a_rule_on_a_competition_says_what_is_wrong(name: str, clips: list[Clip], says: list[str]) -> None:
    assert [f"{f.key} {f.message}" for f in RULES[name](clips)] == says


def test_the_difficulties_of_a_video_tell_its_height() -> None:
    platforms = [platform(1), platform(2), platform(3, "207c", 3.3)]
    boards = [clip(i, "02", action_type=a, difficulty=d) for i, (a, d) in enumerate([("107b", 3.1), ("207c", 3.6)])]
    both = [clip(1, "03", action_type="107b", difficulty=3.0), clip(2, "03", action_type="107b", difficulty=3.1)]
    labelled = [clip(1, "04", action_type="107b", difficulty=3.0, height_m=3.0)]
    heights = likely_heights([*platforms, *boards, *both, *labelled])
    assert [heights[c[0].key] for c in (platforms, boards, both, labelled)] == [10, 3, None, 3]
