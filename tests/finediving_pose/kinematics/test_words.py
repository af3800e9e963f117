"""What is said of measures, and of what was not measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.kinematics.measure import Facts, measure_divers
from finediving_pose.kinematics.table import dive_rows
from finediving_pose.kinematics.words import doubts, readings_in_words, summary_lines
from tests.finediving_pose.kinematics.made_up import MadeUpDive


def row_of(dive: MadeUpDive, facts: Facts, index: int = 0, **changed: Any) -> dict[str, Any]:
    clip = Clip(ClipKey("made_up", index), action_type=facts.dive_number, height_m=facts.height)
    (row,) = dive_rows(clip, measure_divers([dive.diver(**changed)], dive.times, facts))
    return row


def said(row: dict[str, Any]) -> dict[str, str]:
    """Value or reason by name."""
    return {name: value or why for name, value, why in readings_in_words(row)}


def test_a_jump_that_nobody_jumps_makes_the_height_doubtful():
    row = row_of(MadeUpDive(50.0, platform=10.0), Facts("205b", 3.0, (25,)))
    assert row["jump_height_m"] is None and row["jump_height_m_why"] == "jump_too_high"
    assert said(row)["jump height"].startswith("the jump would be 2.")
    assert said(row)["jump height"].endswith("m: is the height of 3 m right? All else is without it")


def test_a_high_jump_asks_for_the_height_on_a_terminal_too():
    row = row_of(MadeUpDive(50.0, platform=10.0, rise=1.0), Facts("205b", 10.0, (25,)))
    (line,) = (line for line in summary_lines([row]) if "jump height" in line)
    assert row["jump_height_m"] is not None and line.endswith("is the height of 10 m right?")


def test_a_turn_between_two_counts_is_told_as_it_was_seen():
    row = row_of(MadeUpDive(50.0), Facts("205b", 10.0, (36,)))  # the take-off is labelled too late
    assert row["half_somersaults_why"] == "wrong_trunk"
    assert 4.34 < row["half_turns"] < 4.66
    assert said(row)["somersaults"] == (
        f"the trunk turned {row['half_turns'] / 2:.2f} times between take-off and touch, which is no whole number of"
        " half turns: take-off or touch is probably wrong"
    )


def test_no_flight_is_told_where_take_off_or_touch_is_probably_wrong():
    late = row_of(MadeUpDive(50.0), Facts("205b", 10.0, (36,)))
    why = said(late)["somersaults"]
    assert said(late)["flight time"] == said(late)["jump height"] == why
    assert late["take_off_s"] is not None, "stages are labelled by people"
    row = row_of(MadeUpDive(100.0, halves=4.65, upside_down=0.5), Facts("205b", 10.0))
    assert row["half_somersaults_why"] == "wrong_trunk" and row["touch_s"] is not None
    for name in ("take_off_s", "flight_time_s", "jump_height_m"):
        assert row[name] is None and row[f"{name}_why"] == "wrong_trunk", name
    assert row["take_off_frame"] is None


def test_a_trunk_upside_down_at_take_off_is_told_as_that():
    row = row_of(MadeUpDive(50.0, halves=4, upside_down=True), Facts("205b", 10.0, (25,)))
    assert "stands at take-off as in no 205b" in said(row)["somersaults"]


def doubts_of(dive: MadeUpDive, number: str, **changed: Any) -> list[str]:
    facts = Facts(number, 10.0, (25,))
    return list(doubts(number, measure_divers([dive.diver(**changed)], dive.times, facts)[0]))


def test_what_poses_say_against_a_dive_number_or_a_picture():
    dive = MadeUpDive(50.0)
    assert doubts_of(dive, "205b") == []
    assert doubts_of(dive, "107b") == ["2½ somersaults seen, but 107b has 3½: is the dive number right?"]
    (said,) = doubts_of(dive, "205b", keypoints=dive.points[..., ::-1] * [1, -1])
    assert said == "before the dive the trunk is 90° from upright: is the video on its side? Turn it upright"
    even = MadeUpDive(50.0, halves=4)
    (said,) = doubts_of(MadeUpDive(50.0, halves=4, upside_down=True), "205b")
    assert "stands at take-off as in no 205b" in said
    (said,) = doubts_of(even, "205b", keypoints=even.points.mean((0, 1)) * 2 - even.points)
    assert said == "before the dive the trunk is upside down, as in no 205b: is the video upside down?"


def test_half_turns_are_those_of_the_dive():
    row = row_of(MadeUpDive(50.0), Facts("205b", 10.0, (25,)))
    assert np.isclose(row["half_turns"], 5, atol=0.2) and row["half_somersaults"] == 5


def test_of_many_dives_twenty_have_a_line_and_every_reason_is_said_once():
    dive = MadeUpDive(25.0)
    rows = [row_of(dive, Facts("205b", None, (12,)), i) for i in range(22)]
    lines = list(summary_lines(rows))
    assert sum("made_up/" in line for line in lines) == 20 and "  and 2 more in dives.csv" in lines
    assert lines[lines.index("not measured") :] == [
        "not measured",
        "  the height of the platform is not known: jump height 22",
    ]
    assert lines[1].split()[2] == "-"


def test_a_splash_is_a_column_where_there_are_masks():
    rows = [row_of(MadeUpDive(25.0), Facts("205b", 10.0, (12,)), i) for i in range(2)]
    assert "splash" not in "\n".join(summary_lines(rows))
    rows[1] |= {"splash_share": 0.25, "splash_share_why": ""}
    lines = list(summary_lines(rows))
    assert lines[0].endswith("splash") and lines[1].endswith(" -") and lines[2].endswith("0.25")


def test_somersaults_are_counted_as_divers_do_and_minus_is_no_hyphen():
    row = row_of(MadeUpDive(50.0), Facts("205b", 10.0, (25,)))
    values = {name: (value, meaning) for name, value, meaning in readings_in_words(row | {"entry_angle_deg": -12.3})}
    assert values["somersaults"] == ("2½", "from take-off to touch, as 205b has")
    assert values["entry angle"][0].startswith("−12 ± ")
    assert not any("-" in value for value, _ in values.values())


def test_a_jump_that_few_jump_is_told_as_that():
    high, usual = (row_of(MadeUpDive(50.0, 3.0, rise), Facts("205b", 3.0, (25,))) for rise in (1.45, 1.1))
    meanings = [{name: meaning for name, _, meaning in readings_in_words(row)}["jump height"] for row in (high, usual)]
    assert meanings[0].endswith("few divers rise so high: is the height of 3 m right?")
    assert "few" not in meanings[1]
