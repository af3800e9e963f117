"""Degree of difficulty by the components of the rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_manifest import table
from finediving_pose.difficulty import (
    EARLIER_SEASON,
    SEASON,
    admissible,
    components,
    degree_of_difficulty,
    difficulty,
    likely_heights,
)
from finediving_pose.errors import LexiconError
from finediving_pose.events import season
from finediving_pose.labels.errata import read_errata
from finediving_pose.labels.read import read_labels
from finediving_pose.lexicon import awards_total


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
        ("305b", 10, 3.0),
        ("309b", 10, 4.8),
        ("5257b", 10, 4.1),
        ("5353b", 10, 3.3),
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
    assert [c.basis for c in parts] == ["published", "assumed", "fitted", "published"]
    assert {c.basis for c in components("5253b", 3)} == {"published"}
    assert [c.letter for c in components("207c", 3)] == ["A", "B", "D", "E"]


def test_what_is_no_dive_has_no_difficulty() -> None:
    with pytest.raises(LexiconError):
        degree_of_difficulty("forward", 3)
    assert admissible("forward", 3) == ()


def test_admissible_are_all_seasons_and_the_assigned_value_of_synchronised_events() -> None:
    assert admissible("307c", 10) == (3.3, 3.4)
    assert admissible("307c", 10, season=EARLIER_SEASON) == (3.3,)
    assert admissible("307c", None) == (3.3, 3.4, 3.5)
    assert admissible("201b", 3, synchronised=True) == (1.8, 2.0)


def test_a_difficulty_says_what_it_rests_on() -> None:
    known = [difficulty("107b", 10), difficulty("107b", 3), difficulty("307c", 10, EARLIER_SEASON)]
    assert [(d.value, d.basis) for d in known if d] == [(3.0, "listed"), (3.1, "published"), (3.3, "scored")]
    assumed = difficulty("106a", 10)
    assert assumed is None or not assumed.is_published
    flying = difficulty("311c", 10)
    assert flying is not None
    assert not flying.is_published, "no table lists it, and its flight position is the springboard's"


def test_the_components_give_every_listed_difficulty_of_the_platform() -> None:
    """Armstand dives have no components; all 191 others have."""
    listed = [r for r in table("difficulty_listed.csv") if r["basis"] == "listed"]
    given = [r for r in listed if not r["dive_number"].startswith("6")]
    sums = {r["dive_number"]: round(sum(c.value for c in components(r["dive_number"], 10)), 1) for r in given}
    assert sums == {r["dive_number"]: float(r["difficulty"]) for r in given}
    assert (len(listed), len(given)) == (245, 191)


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
def test_2924_of_the_3000_real_dives_have_the_difficulty_of_their_season(shared_data: Path) -> None:
    """The others are the 75 whose difficulty, and one whose number, is wrong: see docs/errata.md."""
    clips = read_labels(shared_data / "finediving")
    heights = likely_heights(clips)
    wrong = [
        c
        for c in clips
        if c.difficulty not in admissible(c.action_type or "", heights[c.key], c.synchronised, season(c))
    ]
    errata = [e for e in read_errata("labels") if e.dataset == "finediving" and "label.difficulty" in e.rules.split()]
    assert {str(c.key) for c in wrong} == {e.clip for e in errata}
    assert Counter(e.field for e in errata) == {"difficulty": 75, "action_type": 1}
    later = [c for c in clips if season(c) == SEASON and heights[c.key] and c not in wrong]
    given = [difficulty(c.action_type or "", heights[c.key] or 0) for c in later]
    assert all(d is not None and d.is_published for d in given), "nothing that was dived rests on an assumption"


@pytest.mark.slow
def test_the_difficulties_of_the_earlier_season_are_those_that_its_scores_need(shared_data: Path) -> None:
    """Every dive of London 2012 whose awards times the difficulty are the score has the listed difficulty."""
    ours = {c.key: c for c in read_labels(shared_data / "finediving")}
    dives = [c for c in read_labels(shared_data / "mtl_aqa") if season(c) == EARLIER_SEASON and c.dive_score]
    heights = likely_heights(dives)
    seen: Counter[tuple[str, str, str]] = Counter()
    for c in dives:
        number = (ours.get(c.key) or c).action_type or ""
        total = awards_total(c.judge_scores, False) or 0.0
        if abs(total * (c.difficulty or 0.0) - (c.dive_score or 0.0)) < 0.006:
            seen[number, f"{heights[c.key]:g}", f"{c.difficulty}"] += 1
    rows = [r for r in table("difficulty_listed.csv") if r["season"] == EARLIER_SEASON]
    assert seen == {(r["dive_number"], r["board_m"], r["difficulty"]): int(r["dives"]) for r in rows}
