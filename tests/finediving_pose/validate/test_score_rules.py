"""Each rule on dive number, awards, difficulty and score, by a table of (change, what it says); None: silent."""

from __future__ import annotations

from typing import Any

import pytest

from finediving_pose.clip import Clip
from finediving_pose.validate import RULES
from tests.finediving_pose.validate.made_up import GOOD, clip, good

ON_ONE_CLIP = [r for r in RULES.values() if r.scope in ("clip", "clips")]


@pytest.mark.parametrize("rule", ON_ONE_CLIP, ids=lambda r: r.name)
def test_a_good_clip_and_an_empty_one_break_no_rule(rule: Any) -> None:
    subjects: list[Any] = (
        [GOOD, Clip(GOOD.key)]
        if rule.scope == "clip"
        else [[good(0), good(1, start_frame=200, end_frame=299)], [Clip(GOOD.key)]]
    )
    found = [f for subject in subjects for f in rule(subject)]
    assert [f.message for f in found if f.rule != "split.both-sides"] == []


def found_by(name: str, subject: Clip) -> list[Any]:
    return list(RULES[name](subject if RULES[name].scope == "clip" else [subject]))


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("label.dive-number", {"action_type": "9999z"}, "'9999z' is no dive number"),
        ("label.dive-possible", {"action_type": "300b"}, "300b is a jump"),
        ("label.dive-possible", {"action_type": "626d"}, "626d is in free position but has no twist"),
        ("label.dive-possible", {"action_type": "6243d"}, None),
        ("label.score-formula", {"dive_score": 77.0}, "8, 7.5, 8.5 count 24, which times difficulty 3.2 is 76.80"),
        ("label.score-formula", {"dive_score": 75.2}, "one counting award half a point lower would give it"),
        ("label.score-formula", {"dive_score": 80.0}, "one counting award a point higher would give it"),
        ("label.score-formula", {"dive_score": 69.6}, "difficulty 2.9 would give it"),
        ("label.score-formula", {"dive_score": 76.85}, None),
        ("label.score-formula", {"dive_score": 57.6}, None),  # a restart: 6 points less
        ("label.score-formula", {"judge_scores": (8.0, 8.0)}, None),
        ("label.score-formula", {"judge_scores": (8.0,) * 5, "synchronised": True}, None),
        ("label.score-formula", {"judge_scores": (9.0,) * 5, "synchronised": True}, "count 27"),
        ("label.score-formula", {"judge_scores": (0.0,) * 3}, "count 0, which times difficulty 3.2 is 0.00"),
        ("label.restart", {"dive_score": 57.6}, "57.6 is the awards' 24 less 6, times 3.2: a restart"),
        ("label.restart", {"dive_score": 60.0}, None),
        ("label.score-possible", {"dive_score": -1.0}, "score -1 is not between 0 and 96"),
        ("label.score-possible", {"dive_score": 96.1}, "three tens x difficulty"),
        ("label.score-possible", {"dive_score": 96.0}, None),
        ("label.score-zero", {"dive_score": 0.0}, "score 0, awards 8, 7.5, 8.5: a failed dive"),
        ("label.award-range", {"judge_scores": (45.0, 8.0, 8.0)}, "award 45 is not between 0 and 10, among 45, 8, 8"),
        ("label.award-range", {"judge_scores": (10.0, 0.0, 8.0)}, None),
        ("label.award-grid", {"judge_scores": (8.9, 8.0, 8.0)}, "award 8.9 is neither a whole nor a half point"),
        ("label.panel-size", {"judge_scores": (8.0,) * 6}, "6 awards are listed; expected 3 or 7 of an individual"),
        ("label.panel-size", {"judge_scores": (8.0,) * 7, "synchronised": True}, "7 awards are listed; expected 5"),
        ("label.panel-size", {"judge_scores": (8.0,) * 7, "synchronised": None}, None),
        ("label.difficulty", {"difficulty": 3.5}, "difficulty 3.5, but 5253b from 10 m has 3.2, which gives the score"),
        ("label.difficulty", {"difficulty": 3.4, "height_m": 3.0}, None),
        ("label.difficulty", {"difficulty": 2.0, "synchronised": True}, None),
        ("label.difficulty", {"difficulty": 3.5, "height_m": None}, "has 3.2"),
        ("label.difficulty", {"action_type": "6162d"}, None),  # not known to the rules
        ("label.armstand-platform", {"action_type": "626c", "height_m": 3.0}, "626c is an armstand dive"),
        ("label.armstand-platform", {"action_type": "626c"}, None),
    ],
)  # fmt: skip
def test_a_rule_on_scores_says_what_is_wrong(name: str, change: dict[str, Any], says: str | None) -> None:
    found = found_by(name, good(**change))
    assert [f.key for f in found] == [GOOD.key] * bool(says)
    assert all(f.rule == name and f.severity == RULES[name].severity and str(says) in f.message for f in found)


@pytest.mark.parametrize(
    ("name", "change", "correction"),
    [
        ("label.award-range", {"judge_scores": (80.0, 7.5, 8.5)}, ("judge_scores[0]", "80", "8", True)),
        ("label.award-range", {"judge_scores": (80.0, 7.5, 8.5), "dive_score": None}, ("judge_scores[0]", "80", False)),
        ("label.award-grid", {"judge_scores": (8.0, 7.6, 8.5)}, ("judge_scores[1]", "7.6", "7.5", True)),
        ("label.score-formula", {"difficulty": 3.4}, ("difficulty", "3.4", "3.2", True)),
        ("label.score-formula", {"dive_score": 76.0}, ("dive_score", "76", "76.8", False)),
    ],
)
def test_only_what_the_score_proves_is_certain(name: str, change: dict[str, Any], correction: tuple[Any, ...]) -> None:
    (f,) = found_by(name, good(**change))
    said = (f.field, f.found, f.expected, f.certain)
    assert all(c in said for c in correction)
    assert f.certain is correction[-1]


def test_an_earlier_difficulty_that_gives_the_score_is_the_right_one() -> None:
    """307c from 10 m has 3.4 since 2013 and had 3.3 before; 20 x 3.3 is 66."""
    dive = clip(1, action_type="307c", difficulty=3.4, dive_score=66.0, judge_scores=(6.5, 6.5, 7.0), height_m=10.0)
    (f,) = found_by("label.score-formula", dive)
    assert (f.field, f.found, f.expected, f.certain) == ("difficulty", "3.4", "3.3", True)
    assert "307c also has difficulty 3.3, which gives the score" in f.message
