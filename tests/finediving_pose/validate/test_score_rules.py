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
        ("label.score-formula", {"dive_score": 77.0}, "8, 7.5, 8.5 count 24, which times difficulty 3.2 is 76.8"),
        ("label.score-formula", {"dive_score": 75.2}, "one counting award half a point lower would give it"),
        ("label.score-formula", {"dive_score": 80.0}, "one counting award a point higher would give it"),
        ("label.score-formula", {"dive_score": 69.6}, "difficulty 2.9 would give it"),
        ("label.score-formula", {"dive_score": 76.85}, "which times difficulty 3.2 is 76.8"),
        ("label.score-formula", {"judge_scores": (80.0, 7.5, 8.5)}, None),  # a matter of the rules on awards
        ("label.score-formula", {"dive_score": 57.6}, None),  # a restart: 6 points less
        ("label.score-formula", {"judge_scores": (8.0, 8.0)}, None),
        ("label.score-formula", {"judge_scores": (8.0,) * 5, "synchronised": True}, None),
        ("label.score-formula", {"judge_scores": (9.0,) * 5, "synchronised": True}, "count 27"),
        ("label.score-formula", {"judge_scores": (0.0,) * 3}, "count 0, which times difficulty 3.2 is 0"),
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
        ("label.award-range", {"judge_scores": (80.0, 7.5, 8.5)}, ("judge_scores[0]", "80", "8", "likely")),
        (
            "label.award-range",
            {"judge_scores": (80.0, 7.5, 8.5), "dive_score": None},
            ("judge_scores[0]", "80", "0 to 10 in half points", "doubtful"),
        ),
        ("label.award-grid", {"judge_scores": (8.0, 7.6, 8.5)}, ("judge_scores[1]", "7.6", "7.5", "likely")),
        ("label.score-formula", {"difficulty": 3.4}, ("difficulty", "3.4", "3.2", "certain")),
        ("label.score-formula", {"dive_score": 76.0}, ("dive_score", "76", "76.8", "likely")),  # 76 / 3.2 is 23.75
        ("label.score-formula", {"dive_score": 76.84}, ("dive_score", "76.84", "76.8", "certain")),
        ("label.score-formula", {"dive_score": 75.2}, ("dive_score", "75.2", "76.8, or other awards", "doubtful")),
        ("label.score-formula", {"dive_score": 69.6}, ("dive_score", "69.6", "76.8, or other awards", "doubtful")),
        ("label.difficulty", {"action_type": "5252b"}, ("action_type", "5252b", "5253b", "likely")),
    ],
)
def test_a_finding_is_as_sure_as_what_proves_it(name: str, change: dict[str, Any], correction: tuple[str, ...]) -> None:
    assert [(f.field, f.found, f.expected, f.level) for f in found_by(name, good(**change))] == [correction]


def test_whatever_is_not_doubtful_names_its_evidence() -> None:
    changes: list[dict[str, Any]] = [{"difficulty": 3.4}, {"dive_score": 76.0}, {"judge_scores": (80.0, 7.5, 8.5)}]
    for change in changes:
        found = [f for rule in ON_ONE_CLIP for f in found_by(rule.name, good(**change)) if f.level != "doubtful"]
        assert found
        assert all(f.evidence for f in found)


def london(**fields: Any) -> Clip:
    """A dive of London 2012, men, 10 m."""
    return clip(34, "01", source="finediving", height_m=10.0, **fields)


def test_the_season_decides_between_two_difficulties_that_the_score_allows() -> None:
    """307c from 10 m has 3.4 since 2013 and had 3.3 in London 2012; 56.1 is 17 x 3.3 and 16.5 x 3.4."""
    dive = london(action_type="307c", difficulty=3.4, dive_score=56.1, judge_scores=(5.5, 5.5, 6.0))
    for name in ("label.score-formula", "label.difficulty"):
        (f,) = found_by(name, dive)
        assert (f.field, f.found, f.expected, f.level) == ("difficulty", "3.4", "3.3", "certain")
        assert "2009 to 2013" in f.evidence


def test_a_difficulty_of_an_unknown_season_is_likely_if_only_the_earlier_one_gives_the_score() -> None:
    dive = clip(1, action_type="307c", difficulty=3.4, dive_score=66.0, judge_scores=(6.5, 6.5, 7.0), height_m=10.0)
    (f,) = found_by("label.score-formula", dive)
    assert (f.field, f.found, f.expected, f.level) == ("difficulty", "3.4", "3.3", "likely")
    assert found_by("label.difficulty", dive) == []


@pytest.mark.parametrize(
    ("index", "score", "awards", "says"),
    [
        (1, 88.3, (8.0, 8.0, 8.5), ("dive_score", "88.3", "88.2", "certain")),
        (1, 88.2, (8.0, 8.0, 9.0), ("judge_scores", "8 8 9", "24.5 in sum", "certain")),
    ],
)
def test_a_published_score_decides(index: int, score: float, awards: tuple[float, ...], says: tuple[str, ...]) -> None:
    """The first dive of London's semifinal scored 88.20; where the label has that, the awards are wrong."""
    dive = clip(
        index, "02", source="finediving", action_type="6245d", difficulty=3.6, dive_score=score, judge_scores=awards
    )
    (f,) = found_by("label.score-formula", dive)
    assert (f.field, f.found, f.expected, f.level) == says
    assert "Boudia" in f.evidence
