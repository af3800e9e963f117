"""Two data sets that share dives are held against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finediving_pose.clip import Clip
from finediving_pose.labels.mtl_aqa import fields_of_number
from finediving_pose.labels.read import LabelFiles
from finediving_pose.lexicon import parse_dive_number
from finediving_pose.validate import RULES
from tests.finediving_pose.validate.made_up import clip

DIVE: dict[str, Any] = {
    "action_type": "107b", "difficulty": 3.0, "dive_score": 72.0, "judge_scores": (8.0,) * 7, "height_m": 10.0,
}  # fmt: skip


def both(ours: Clip, theirs: Clip) -> list[LabelFiles]:
    raw = {**fields_of_number(parse_dive_number(theirs.action_type or "")), "final_score": 72.0}
    annotations = {Path("a.pkl"): {(int(theirs.key.video), theirs.key.index): raw}}
    return [LabelFiles("finediving", Path(), {}, [ours]), LabelFiles("mtl_aqa", Path(), annotations, [theirs])]


@pytest.mark.parametrize(
    ("ours", "theirs", "findings"),
    [
        ({}, {}, []),
        ({"difficulty": 3.1}, {}, [("finediving", "difficulty", "3.1", "3", "certain")]),
        ({}, {"difficulty": 3.1}, [("mtl_aqa", "difficulty", "3.1", "3", "certain")]),
        (
            {},
            {"action_type": "100b"},
            [
                ("mtl_aqa", "action_type", "100b", "107b", "certain"),
                ("mtl_aqa", "annotations: ss_no", "0", "7", "certain"),
            ],
        ),
        (
            {"judge_scores": (8.0,) * 6 + (80.0,)},
            {},
            [("finediving", "judge_scores[6]", "80", "8", "certain")],
        ),
        ({"dive_score": 70.0}, {"dive_score": 71.0}, [("finediving", "dive_score", "70", "71", "doubtful")]),
    ],
)
def test_what_the_other_labels_confirm_decides(
    ours: dict[str, Any], theirs: dict[str, Any], findings: list[tuple[str, ...]]
) -> None:
    a = clip(1, "01", source="finediving", **{**DIVE, **ours})
    b = clip(1, "01", source="mtl_aqa", **{**DIVE, **theirs})
    found = [(f.source, f.field, f.found, f.expected, f.level) for f in RULES["label.datasets-agree"](both(a, b))]
    assert found == findings
