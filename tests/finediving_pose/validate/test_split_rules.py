"""Each rule on splits, by a table of (clips, what it says)."""

from __future__ import annotations

from typing import Any

import pytest

from finediving_pose.clip import Clip
from finediving_pose.validate import RULES
from tests.finediving_pose.validate.made_up import clip


def dive(index: int, split: Any = "train", action: str = "107b", video: str = "v") -> Clip:
    return clip(index, video, split=split, action_type=action)


def london(video: str, index: int, split: Any = "train") -> Clip:
    """A dive of London 2012, men, 10 m, as FineDiving has it."""
    return clip(index, video, split=split, source="finediving")


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
            "split.event-leak",
            [dive(1, video="Cup_Men10m_final_r1"), dive(1, "test", video="Cup_Men10m_semifinal_r2")],
            ["Cup_Men10m_semifinal_r2/1 this event has dives in both splits: 1 train, 1 test"],
        ),
        ("split.event-leak", [dive(1, video="Cup_Men10m_final_r1"), dive(1, "test", video="Cup_Men3m_final_r1")], []),
        (
            "split.competition-leak",
            [dive(1, video="Cup_Men10m_final_r1"), dive(1, "test", video="Cup_Men3m_final_r1")],
            ["Cup_Men3m_final_r1/1 this competition has dives in both splits: 1 train, 1 test"],
        ),
        ("split.competition-leak", [dive(1, video="Cup_Men10m_r1"), dive(1, "test", video="Open_Men10m_r1")], []),
        (
            "split.event-leak",
            [london("01", 1), london("03", 1, "test")],
            ["03/1 this event has dives in both splits: 1 train, 1 test"],
        ),
        (  # dives 29 of the preliminary and 9 of the final are by one diver
            "split.diver-leak",
            [london("01", 29), london("03", 9, "test")],
            ["03/9 this diver has dives in both splits: 1 train, 1 test"],
        ),
        ("split.diver-leak", [london("01", 28), london("03", 9, "test")], []),
    ],
)  # fmt: skip
def test_a_rule_on_splits_says_what_is_wrong(name: str, clips: list[Clip], says: list[str]) -> None:
    assert [f"{f.key} {f.message}" for f in RULES[name](clips)] == says
