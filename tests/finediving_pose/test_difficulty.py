"""Degree of difficulty by the components of the rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.difficulty import admissible, components, degree_of_difficulty, likely_heights
from finediving_pose.errors import LexiconError
from finediving_pose.labels.read import read_labels


@pytest.mark.parametrize(
    ("dive", "height", "value"),
    [
        ("101b", 3, 1.5),
        ("103b", 10, 1.6),
        ("107B", 3, 3.1),
        ("107b", 10, 3.0),
        ("109c", 3, 3.8),
        ("109c", 10, 3.7),
        ("113c", 3, 1.7),
        ("205b", 3, 3.0),
        ("207c", 3, 3.6),
        ("207c", 10, 3.3),
        ("305c", 3, 2.8),
        ("405c", 3, 2.7),
        ("409c", 10, 4.1),
        ("5154b", 3, 3.4),
        ("5156b", 10, 3.8),
        ("5253b", 3, 3.4),
        ("5253b", 10, 3.2),
        ("5337d", 3, 3.5),
        ("6243d", 10, 3.2),
        ("626c", 3, None),
        ("105a", 1, 3.0),
        ("107a", 3, None),
    ],
)
def test_a_dive_has_its_difficulty(dive: str, height: float, value: float | None) -> None:
    assert degree_of_difficulty(dive, height) == value


def test_the_components_are_named_and_say_where_they_are_from() -> None:
    parts = components("5253b", 10)
    assert [(c.letter, c.value) for c in parts] == [("A", 2.1), ("B", 0.3), ("C", 0.6), ("D", 0.2)]
    assert [c.basis for c in parts] == ["published", "published", "fitted", "published"]
    assert [c.letter for c in components("207c", 3)] == ["A", "B", "D", "E"]


def test_what_is_no_dive_has_no_difficulty() -> None:
    with pytest.raises(LexiconError):
        degree_of_difficulty("forward", 3)
    assert admissible("forward", 3) == ()


def test_admissible_are_all_seasons_and_the_assigned_value_of_synchronised_events() -> None:
    assert admissible("307c", 10) == (3.3, 3.4)
    assert admissible("307c", None) == (3.3, 3.4, 3.5)
    assert admissible("201b", 3, synchronised=True) == (1.8, 2.0)


@given(st.sampled_from("1234"), st.integers(1, 9), st.sampled_from("bc"), st.sampled_from([3.0, 10.0]))
def test_pike_is_never_easier_than_tuck_and_a_dive_has_one_value_of_each_component(
    direction: str, halves: int, position: str, height: float
) -> None:
    dive = f"{direction}0{halves}"
    letters = Counter(c.letter for c in components(dive + position, height))
    assert set(letters) >= {"A", "B", "D"}
    assert max(letters.values()) == 1
    pike, tuck = degree_of_difficulty(dive + "b", height), degree_of_difficulty(dive + "c", height)
    assert pike is not None
    assert tuck is not None
    assert pike > tuck


@pytest.mark.slow
def test_the_rules_give_the_difficulty_of_2992_of_the_3000_real_dives(shared_data: Path) -> None:
    clips = read_labels(shared_data / "finediving")
    heights = likely_heights(clips)
    wrong = [c for c in clips if c.difficulty not in admissible(c.action_type or "", heights[c.key], c.synchronised)]
    assert len(wrong) == 8
    by_rule = sum(bool(components(c.action_type or "", heights[c.key] or 3)) for c in clips)
    assert by_rule == len(clips) - sum((c.action_type or "").startswith("6") for c in clips)
