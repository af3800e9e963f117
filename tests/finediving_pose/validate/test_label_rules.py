"""Each rule on labels and splits, by a table of (clip, words it says); None where it is silent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.labels.read import read_labels
from finediving_pose.labels.table import write_clips
from finediving_pose.validate import RULES, validate
from finediving_pose.workspace import Workspace

GOOD = Clip(
    ClipKey("Worlds_Men10m_final_r1", 1), "train", "5253b", 3.2, 76.8, (8.0, 7.5, 8.5), 100, 199, 100, 25.0,
    10.0, False, (20, 40, 70), (2, 31, 15, 36), "finediving",
)  # fmt: skip


@pytest.mark.parametrize("name", [n for n in RULES if n.startswith("label.")])
def test_a_good_clip_and_an_empty_one_break_no_rule(name: str) -> None:
    assert list(RULES[name](GOOD)) == []
    assert list(RULES[name](Clip(GOOD.key))) == []


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("label.dive-number", {"action_type": "9999z"}, "'9999z' is no dive number"),
        ("label.score-formula", {"dive_score": 77.0}, "8, 7.5, 8.5 count 24, which times difficulty 3.2 is 76.80"),
        ("label.score-formula", {"dive_score": 74.4}, "is 76.80; difficulty 3.1 would fit"),
        ("label.score-formula", {"dive_score": 76.85}, None),
        ("label.score-formula", {"dive_score": 57.6}, None),  # a restart: 6 points less
        ("label.score-formula", {"judge_scores": (8.0, 8.0)}, None),
        ("label.score-formula", {"judge_scores": (8.0,) * 5, "synchronised": True}, None),
        ("label.score-formula", {"judge_scores": (9.0,) * 5, "synchronised": True}, "count 27"),
        ("label.score-formula", {"judge_scores": (0.0,) * 3}, "count 0, which times difficulty 3.2 is 0.00"),
        ("label.score-possible", {"dive_score": -1.0}, "score -1 is not between 0 and 96"),
        ("label.score-possible", {"dive_score": 96.1}, "three tens x difficulty"),
        ("label.score-possible", {"dive_score": 96.0}, None),
        ("label.award-range", {"judge_scores": (45.0, 8.0, 8.0)}, "award 45 is not between 0 and 10, among 45, 8, 8"),
        ("label.award-range", {"judge_scores": (10.0, 0.0, 8.0)}, None),
        ("label.award-grid", {"judge_scores": (8.9, 8.0, 8.0)}, "award 8.9 is neither a whole nor a half point"),
        ("label.panel-size", {"judge_scores": (8.0,) * 6}, "6 awards are listed"),
        ("label.difficulty", {"difficulty": 3.5}, "difficulty 3.5, but 5253b from 10 m has 3.2 elsewhere"),
        ("label.difficulty", {"difficulty": 3.5, "height_m": None}, None),
        ("label.difficulty", {"action_type": "115c"}, None),
        ("label.armstand-platform", {"action_type": "626c", "height_m": 3.0}, "626c is an armstand dive"),
        ("label.armstand-platform", {"action_type": "626c"}, None),
        ("label.sub-action-known", {"sub_actions": (2, 99, 15, 36)}, "sub-action 99 is not one of the 29"),
        ("label.sub-actions-fit", {"sub_actions": (2, 33, 15, 36)}, "stages Back > 2.5 Twists > 2.5 Soms"),
        ("label.sub-actions-fit", {"action_type": "103a"}, None),
        ("label.last-stage-is-entry", {"sub_actions": (2, 31, 15, 35)}, "the last stage is 3.5 Twists, not the entry"),
        ("label.stage-order", {"stage_starts": (20, 20, 70)}, "stages start at frames 20, 20, 70 of 100"),
        ("label.stage-order", {"stage_starts": (20, 40, 100)}, "of 100"),
        ("label.short-stage", {"stage_starts": (2, 40, 70)}, r"stage 1 (Back) lasts 2 frames, from frame 0"),
        ("label.short-stage", {"stage_starts": (20, 40, 99)}, r"stage 4 (Entry) lasts 1 frame, from frame 99"),
        ("label.short-stage", {"stage_starts": (3, 40, 97)}, None),
        ("label.range-length", {"n_frames": 99}, "99 frames, but frames 100 to 199 are 100"),
    ],
)  # fmt: skip
def test_a_label_rule_says_what_is_wrong(name: str, change: dict[str, object], says: str | None) -> None:
    found = list(RULES[name](replace(GOOD, **change)))  # type: ignore[arg-type]
    assert [f.key for f in found] == [GOOD.key] * bool(says)
    assert all(f.rule == name and f.severity == RULES[name].severity and str(says) in f.message for f in found)


def clip(index: int, start: int, end: int, split: str = "train", action: str = "107b", video: str = "v") -> Clip:
    return Clip(ClipKey(video, index), split, action, start_frame=start, end_frame=end)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "clips", "says"),
    [
        ("split.ranges-overlap", [clip(1, 0, 9), clip(2, 10, 19), clip(3, 5, 9, video="w")], []),
        ("split.ranges-overlap", [clip(1, 0, 9), clip(2, 9, 19)], ["v/2 frames 9 to 19 share 1 with v/1 (0 to 9)"]),
        (
            "split.ranges-overlap",
            [clip(1, 0, 90), clip(2, 10, 19), clip(3, 85, 99, "test")],
            [
                "v/2 frames 10 to 19 share 10 with v/1 (0 to 90)",
                "v/3 frames 85 to 99 share 6 with v/1 (0 to 90), one in train, one in test",
            ],
        ),
        ("split.test-exemplar", [clip(1, 0, 9), clip(2, 10, 19, "test")], []),
        (
            "split.test-exemplar",
            [clip(1, 0, 9), clip(2, 10, 19, "test", "109c")],
            ["v/2 no training dive has the number 109c, so there is no exemplar"],
        ),
        ("split.train-exemplar", [clip(1, 0, 9), clip(2, 10, 19)], []),
        (
            "split.train-exemplar",
            [clip(1, 0, 9)],
            ["v/1 the only training dive with the number 107b; it can only pair itself"],
        ),
        ("split.both-sides", [clip(1, 0, 9), clip(2, 10, 19, "test")], []),
        ("split.both-sides", [clip(1, 0, 9, "none")], []),
        ("split.both-sides", [clip(1, 0, 9)], ["v/1 1 dives are in the train split and none in the test split"]),
    ],
)  # fmt: skip
def test_a_split_rule_says_what_is_wrong(name: str, clips: list[Clip], says: list[str]) -> None:
    assert [f"{f.key} {f.message}" for f in RULES[name](clips)] == says


def test_the_real_labels_have_two_impossible_awards_and_some_oddities(shared_data: Path, workspace: Workspace) -> None:
    write_clips(workspace.clips_table, read_labels(shared_data / "finediving"))
    findings = validate(workspace)
    assert [str(f.key) for f in findings if f.severity == "error"] == [
        "04/49",
        "FINAWorldChampionships2019_Women3m_final_r3/1",
    ]
    assert sum(f.rule == "label.score-formula" for f in findings) == 118
    assert sum(f.rule == "label.last-stage-is-entry" for f in findings) == 14
    assert not any(f.rule in ("split.ranges-overlap", "split.test-exemplar") for f in findings)
