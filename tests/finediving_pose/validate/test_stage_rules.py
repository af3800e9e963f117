"""Each rule on stages and frames of the labels, by a table of (change, what it says); None: silent."""

from __future__ import annotations

from typing import Any

import pytest

from finediving_pose.validate import RULES
from tests.finediving_pose.validate.made_up import GOOD, good


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("label.sub-action-known", {"sub_actions": (2, 99, 15, 36)}, "sub-action 99 is not one of the 29"),
        ("label.last-stage-is-entry", {"sub_actions": (2, 31, 15, 35)}, "the last stage is 3.5 Twists, not the entry"),
        ("label.stage-order", {"stage_starts": (20, 20, 70)}, "stages start at frames 20, 20, 70 of 100"),
        ("label.stage-order", {"stage_starts": (20, 40, 100)}, "of 100"),
        ("label.stage-count", {"stage_starts": (20,), "sub_actions": (2, 36)}, "2 stages: Back > Entry"),
        ("label.short-stage", {"stage_starts": (2, 40, 70)}, "stage 1 (Back) lasts 2 frames, from frame 0"),
        ("label.short-stage", {"stage_starts": (20, 40, 99)}, "stage 4 (Entry) lasts 1 frame, from frame 99"),
        ("label.short-stage", {"stage_starts": (3, 40, 97)}, None),
        ("label.range-length", {"n_frames": 99}, "99 frames, but frames 100 to 199 are 100"),
        ("label.clip-length", {"n_frames": 201}, "201 frames"),
        ("label.clip-length", {"n_frames": 60}, None),
    ],
)  # fmt: skip
def test_a_rule_on_stages_says_what_is_wrong(name: str, change: dict[str, Any], says: str | None) -> None:
    found = list(RULES[name](good(**change)))
    assert [f.key for f in found] == [GOOD.key] * bool(says)
    assert all(f.rule == name and f.severity == RULES[name].severity and str(says) in f.message for f in found)


@pytest.mark.parametrize(("sub_actions", "level"), [((2, 31, 15, 35), "certain"), ((2, 31, 36, 35), "doubtful")])
def test_an_entry_one_id_too_low_is_a_slip(sub_actions: tuple[int, ...], level: str) -> None:
    (f,) = RULES["label.last-stage-is-entry"](good(sub_actions=sub_actions))
    assert (f.field, f.found, f.expected, f.level) == ("sub_actions[3]", "3.5 Twists", "Entry", level)
