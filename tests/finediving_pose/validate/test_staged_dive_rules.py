"""The stages against the dive number: what they show, and how sure it is that they are wrong."""

from __future__ import annotations

from typing import Any

import pytest

from finediving_pose.lexicon import parse_dive_number
from finediving_pose.validate import RULES
from finediving_pose.validate.staged_dive_rules import staged_dive
from tests.finediving_pose.validate.made_up import good

FIVE: dict[str, Any] = {"action_type": "5154b", "difficulty": 3.3, "dive_score": 79.2, "stage_starts": (20, 40, 60, 80)}
THREE: dict[str, Any] = {"stage_starts": (40, 70)}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, None),
        ({"sub_actions": (2, 31, 15, 35)}, None),  # a matter of label.last-stage-is-entry
        ({"action_type": "103a"}, None),  # no stages are known for it
        ({"sub_actions": (2, 33, 15, 36)}, ("sub_actions[1]", "2.5 Twists", "1.5 Twists", "certain")),
        (
            {"sub_actions": (2, 33, 13, 36)},
            (
                "sub_actions",
                "Back > 2.5 Twists > 1.5 Soms.Pike > Entry",
                "Back > 1.5 Twists > 2.5 Soms.Pike > Entry",
                "certain",
            ),
        ),
        # back, 2 somersaults, 1 1/2 twists, pike has 3.2, too
        ({"sub_actions": (2, 31, 14, 36)}, ("sub_actions[2]", "2 Soms.Pike", "2.5 Soms.Pike", "doubtful")),
        ({"sub_actions": (2, 31, 13, 36), "dive_score": 0.0, "judge_scores": (0.0,) * 3}, "convention"),
        # 407b has 3.5, and no awards in half points give 75.2 with it; another award may be wrong
        (
            {**THREE, "action_type": "407c", "dive_score": 75.2, "sub_actions": (4, 17, 36)},
            ("sub_actions[1]", "3.5 Soms.Pike", "3.5 Soms.Tuck", "certain"),
        ),
        ({**FIVE, "sub_actions": (1, 12, 32, 13, 36)}, "convention"),  # 1 and 1 1/2 somersaults are 2 1/2
        ({**FIVE, "sub_actions": (1, 12, 32, 15, 36)}, "convention"),
        ({**FIVE, "sub_actions": (1, 15, 34, 15, 36)}, "certain"),
    ],
)  # fmt: skip
def test_stages_are_wrong_for_certain_only_where_the_score_excludes_them(change: dict[str, Any], says: Any) -> None:
    found = list(RULES["label.sub-actions-fit"]([good(**change)]))
    if isinstance(says, str):
        assert [f.level for f in found] == [says]
    else:
        assert [(f.field, f.found, f.expected, f.level) for f in found] == ([says] if says else [])


@pytest.mark.parametrize(
    ("number", "stages", "shown"),
    [
        ("5253b", (2, 33, 13, 36), "5235b"),
        ("6243d", (6, 30, 14, 36), "6242d"),
        ("6241b", (1, 29, 14, 36), "5141b"),
        ("409c", (3, 27, 36), "309c"),
        ("107b", (1, 36), None),
    ],
)
def test_stages_show_a_dive(number: str, stages: tuple[int, ...], shown: str | None) -> None:
    staged = staged_dive(parse_dive_number(number), stages)
    assert (str(staged) if staged else None) == shown
