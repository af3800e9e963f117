"""Dive numbers, stages, difficulties and awards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.errors import LexiconError
from finediving_pose.lexicon import (
    ENTRY,
    SUB_ACTIONS,
    awards_total,
    difficulties,
    expected_sub_actions,
    height_from_name,
    known_sub_actions,
    parse_dive_number,
    seven_awards,
    synchronised_from_name,
)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("5253b", "back 2½ somersaults 1½ twists, pike"),
        ("107B", "forward 3½ somersaults, pike"),
        ("201a", "back ½ somersault, straight"),
        ("302c", "reverse 1 somersault, tuck"),
        ("113c", "forward flying 1½ somersaults, tuck"),
        ("626c", "armstand back 3 somersaults, tuck"),
        ("6142d", "armstand forward 2 somersaults 1 twist, free"),
        ("5331d", "reverse 1½ somersaults ½ twist, free"),
        ("100b", "forward jump, pike"),
    ],
)
def test_a_dive_number_says_the_dive_in_words(number: str, words: str) -> None:
    assert parse_dive_number(number).words() == words


@pytest.mark.parametrize(
    "text", ["9999z", "", "107", "107e", "527b", "52535b", "6441b", "127b", "forward", "10٠a", "107b\n1"]
)
def test_what_is_no_dive_number_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(LexiconError, match="is no dive number; expected three digits") as e:
        parse_dive_number(text)
    assert "\n" not in str(e.value)


@given(st.from_regex(r"([1-4][01][0-9]|5[1-4][0-9][1-9]|6[1-3][0-9][1-9]?)[abcd]", fullmatch=True))
def test_a_dive_number_gives_itself_back(number: str) -> None:
    assert str(parse_dive_number(number)) == number


@pytest.mark.parametrize(
    ("number", "stages"),
    [
        ("407c", ["Inward", "3.5 Soms.Tuck", "Entry"]),
        ("101b", ["Forward", "0.5 Som.Pike", "Entry"]),
        ("201c", ["Back", "0.5 Som.Pike", "Entry"]),
        ("5253b", ["Back", "1.5 Twists", "2.5 Soms.Pike", "Entry"]),
        ("5337d", ["Reverse", "3.5 Twists", "1.5 Soms.Pike", "Entry"]),
        ("5154b", ["Forward", "2.5 Soms.Pike", "2 Twists", "2.5 Soms.Pike", "Entry"]),
        ("6243d", ["Arm.Back", "1.5 Twists", "2 Soms.Pike", "Entry"]),
        ("614b", ["Arm.Forward", "2 Soms.Pike", "Entry"]),
        ("103a", []),
    ],
)
def test_the_stages_of_a_dive_follow_from_its_number(number: str, stages: list[str]) -> None:
    assert [SUB_ACTIONS[s] for s in expected_sub_actions(parse_dive_number(number))] == stages


def test_there_are_29_sub_actions_and_one_is_the_entry() -> None:
    assert len(SUB_ACTIONS) == 29
    assert SUB_ACTIONS[ENTRY] == "Entry"


def test_difficulty_depends_on_the_height() -> None:
    assert next(iter(difficulties("407c", 10))) == 3.2
    assert next(iter(difficulties("407C", 3))) == 3.4
    assert next(iter(difficulties("407c", None))) == 3.2
    assert difficulties("301b", 10) == {2.0: 35, 1.9: 2}
    assert difficulties("107a", 10) == {}


@pytest.mark.parametrize(
    ("labelled", "number", "known"),
    [((3, 24, 36), "107b", (3, 24, 36)), ((), "107b", (1, 17, 36)), ((), "no dive", ()), ((), None, ())],
)
def test_sub_actions_are_those_labelled_or_else_those_of_the_number(
    labelled: tuple[int, ...], number: str | None, known: tuple[int, ...]
) -> None:
    assert known_sub_actions(labelled, number) == known


@pytest.mark.parametrize(
    ("awards", "synchronised", "total"),
    [
        ((8.0, 8.5, 7.5), False, 24.0),
        ((7.0, 8.0, 8.5, 9.0, 10.0), False, 25.5),
        ((7.5, 9.0, 8.0, 8.0, 8.5), True, 24.6),
        ((9.5, 9.0, 9.5, 9.0, 8.5, 9.5, 8.5), None, 27.5),
        ((8.0, 8.0), False, None),
        ((), None, None),
    ],
)
def test_awards_count_by_the_size_of_the_panel(
    awards: tuple[float, ...], synchronised: bool | None, total: float | None
) -> None:
    assert awards_total(awards, synchronised) == (None if total is None else pytest.approx(total))


@given(st.lists(st.integers(0, 20).map(lambda half: half / 2), max_size=9), st.booleans())
def test_a_panel_made_seven_counts_the_same(awards: list[float], synchronised: bool) -> None:
    seven, total = seven_awards(awards, synchronised), awards_total(awards, synchronised)
    assert len(seven) == (0 if total is None else 7)
    assert list(seven) == sorted(seven)
    if total is not None:
        assert awards_total(seven, synchronised) == pytest.approx(total)
        assert (seven[0], seven[-1]) == (min(awards), max(awards))


@pytest.mark.parametrize(
    ("video", "height", "synchronised"),
    [
        ("FINAWorldChampionships2019_Women10m_final_r1", 10, False),
        ("FINADivingWorldCup2021_Men3mSynchronised_final_r2", 3, True),
        ("3mMenSpringboardFinal-EuropeanChampionships2021_1", 3, False),
        ("Budapest2021Diving10mPlatformWomenFinal_2", 10, False),
        ("Final_13m", None, False),
        ("07", None, None),
    ],
)
def test_a_video_name_may_say_height_and_synchronised(
    video: str, height: float | None, synchronised: bool | None
) -> None:
    assert height_from_name(video) == height
    assert synchronised_from_name(video) is synchronised


@given(
    st.integers(1, 6), st.integers(1, 4), st.booleans(), st.integers(1, 9), st.integers(1, 9), st.sampled_from("abcd")
)
def test_what_a_number_is_made_of_is_what_it_says(
    group: int, direction: int, flying: bool, somersaults: int, twists: int, position: str
) -> None:
    """Groups 1 to 4 are direction, flying, half somersaults; 5 direction, somersaults, twists; 6 the same, armstand."""
    names = ["forward", "back", "reverse", "inward"]
    direction = group if group <= 4 else min(direction, 3) if group == 6 else direction
    plain = group <= 4
    number = f"{group}{int(flying)}{somersaults}" if plain else f"{group}{direction}{somersaults}{twists}"
    dive = parse_dive_number(number + position)
    assert (dive.group, dive.direction) == (group, names[direction - 1])
    assert (dive.flying, dive.half_twists) == ((flying, 0) if plain else (False, twists))
    assert (dive.half_somersaults, dive.armstand) == (somersaults, group == 6)
    assert dive.position == {"a": "straight", "b": "pike", "c": "tuck", "d": "free"}[position]
    words = dive.words()
    assert words.endswith(f", {dive.position}")
    assert ("twist" in words, "flying" in words, "armstand" in words) == (not plain, dive.flying, group == 6)


@given(st.text(max_size=8))
def test_a_text_is_a_dive_number_or_refused(text: str) -> None:
    try:
        dive = parse_dive_number(text)
    except LexiconError as e:
        assert "\n" not in str(e)
    else:
        assert str(dive) == text.strip().lower()


@given(st.from_regex(r"([1-4][01][1-9]|5[1-4][1-9][1-9]|6[1-3][1-9][1-9]?)[abcd]", fullmatch=True))
def test_implied_stages_begin_with_a_take_off_and_end_in_the_entry(number: str) -> None:
    stages = expected_sub_actions(parse_dive_number(number))
    if stages:
        assert stages[0] in range(1, 8)
        assert stages[-1] == ENTRY
        assert 3 <= len(stages) <= 5
        assert ENTRY not in stages[:-1]
