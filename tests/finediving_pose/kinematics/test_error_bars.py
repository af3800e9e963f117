"""The error bars are those of the page, for every quantity that machine poses give."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from data_manifest import table
from finediving_pose.kinematics.error_bars import TABLE, Case, error_bars, error_of
from finediving_pose.kinematics.quantities import DIVE_QUANTITIES, FRAME_QUANTITIES, PAIR_QUANTITIES, SIDES
from finediving_pose.kinematics.readings import Reason
from finediving_pose.kinematics.words import in_words

PAGE = Path(__file__).parents[3] / "docs" / "kinematics.md"


@pytest.mark.parametrize("case", get_args(Case))
def test_every_quantity_of_machine_poses_has_an_error_bar(case):
    expected = {*FRAME_QUANTITIES, *DIVE_QUANTITIES} - {f"{side}_{joint}_deg" for side, joint in SIDES}
    expected -= {"splash_share"} | ({"height_m"} if case != "still" else set())
    expected |= set(PAIR_QUANTITIES) if case == "two" else set()
    if case == "unlabelled":  # labels do not change the angles, nor does where the camera stands
        expected -= set(FRAME_QUANTITIES)
    if case == "still":
        expected = {"height_m"}
    bars = error_bars(case)
    assert set(bars) == expected
    for name, bar in bars.items():
        assert 0 <= bar.median <= bar.p68 <= bar.p95 and bar.count > 0 and 0 < bar.measured <= 1, name
    assert np.isnan(error_of("splash_share", case))
    assert error_of("height_m", case) == error_bars("still")["height_m"].p68
    assert error_of("touch_s", case) == bars.get("touch_s", error_bars("one")["touch_s"]).p68


def test_the_page_shows_the_table():
    rows = [
        [cell.strip(" `") for cell in line.split("|")[1:-1]] for line in PAGE.read_text().splitlines() if "| " in line
    ]
    shown = [row for row in rows if len(row) == 8 and row[1] in get_args(Case)]
    assert shown == [list(row.values()) for row in table(TABLE)]


def test_the_page_defines_every_quantity_and_reason():
    named = set(re.findall(r"`(\w+)`", PAGE.read_text()))
    quantities = {*FRAME_QUANTITIES, *DIVE_QUANTITIES, *PAIR_QUANTITIES} - {f"{s}_{j}_deg" for s, j in SIDES}
    assert not quantities - named
    assert not {reason.label for reason in Reason if reason} - named


@pytest.mark.parametrize(
    ("name", "words"),
    [("entry_angle_deg", ("entry angle", "°")), ("peak_rate_deg_s", ("peak rate", "°/s")),
     ("jump_height_m", ("jump height", "m")), ("half_somersaults", ("somersaults", ""))],
)  # fmt: skip
def test_names_are_told_in_words(name, words):
    assert in_words(name) == words
