"""Each rule on splits, by a table of (clips, what it says)."""

from __future__ import annotations

from typing import Any

import pytest

from finediving_pose.clip import Clip
from finediving_pose.validate import RULES
from tests.finediving_pose.validate.made_up import clip


def dive(index: int, split: Any = "train", action: str = "107b", video: str = "v") -> Clip:
    return clip(index, video, split=split, action_type=action)


@pytest.mark.parametrize(
    ("name", "clips", "says"),
    [
        ("split.test-exemplar", [dive(1), dive(2, "test")], []),
        (
            "split.test-exemplar",
            [dive(1), dive(2, "test", "109c")],
            ["v/2 no training dive has the number 109c, so there is no exemplar"],
        ),
        ("split.train-exemplar", [dive(1), dive(2)], []),
        (
            "split.train-exemplar",
            [dive(1)],
            ["v/1 the only training dive with the number 107b; it can only pair itself"],
        ),
        ("split.both-sides", [dive(1), dive(2, "test")], []),
        ("split.both-sides", [dive(1, "none")], []),
        ("split.both-sides", [dive(1)], ["v/1 1 dive is in the train split and none in the test split"]),
        ("split.no-split", [dive(1), dive(2, "none")], ["v/2 in neither the train nor the test split"]),
        ("split.no-split", [dive(1, "none")], []),
        ("split.video-leak", [dive(1), dive(1, "test", video="w")], []),
        ("split.video-leak", [dive(1), dive(2, "test")], ["v/2 this video has dives in both splits: 1 train, 1 test"]),
        (
            "split.competition-leak",
            [dive(1, video="Men10m_final_r1"), dive(1, "test", video="Men10m_semifinal_r2")],
            ["Men10m_semifinal_r2/1 this competition has dives in both splits: 1 train, 1 test"],
        ),
        ("split.competition-leak", [dive(1, video="Men10m_final_r1"), dive(1, "test", video="Men3m_final_r1")], []),
    ],
)  # fmt: skip
def test_a_rule_on_splits_says_what_is_wrong(name: str, clips: list[Clip], says: list[str]) -> None:
    assert [f"{f.key} {f.message}" for f in RULES[name](clips)] == says
