"""Text is as wide as it is said to be, and none of it is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.report.lettering import PAPER, caption_tiles, text_width, wrap, write_lines

LONG = "FINADivingWorldCup2021_Men3m_springboard_semifinal_r4/17"


@given(st.text("abWi_/- é", max_size=80), st.integers(60, 300))
def test_lines_fit_and_hold_every_letter(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(text_width(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_long_name_breaks_between_its_parts() -> None:
    assert wrap(LONG, 220) == ["FINADivingWorldCup2021_", "Men3m_springboard_semifinal_", "r4/17"]


@pytest.mark.parametrize("width", [40, 120, 220])
def test_drawn_letters_end_before_the_edge(width: int) -> None:
    written = write_lines(wrap(LONG, width), width)
    columns = np.flatnonzero((written != np.array(PAPER)).any((0, 2)))
    assert columns.min() > 0
    assert columns.max() < width - 1


def test_tiles_of_a_sheet_are_as_high_as_the_longest_caption_needs() -> None:
    tiles = [np.zeros((50, 220, 3), np.uint8)] * 2
    short, long = caption_tiles(tiles, ["00012", f"{LONG}  00012  3.5 Soms.Tuck"])
    assert short.shape == long.shape
    assert (short[-20:] == np.array(PAPER)).all()
    assert (long[-20:] != np.array(PAPER)).any()
