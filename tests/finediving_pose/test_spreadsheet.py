"""A cell of text is never a formula in a spreadsheet, and comes back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.documents import read_table
from finediving_pose.spreadsheet import escaped, unescaped, write_csv

NAMES = ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx", "'=x", "''", "＝1", "a=b", "plain", "-", '=HYPERLINK("x")']


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_of_text_begins_as_a_formula_does(name: str) -> None:
    assert escaped(name)[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n", "＝")
    assert unescaped(escaped(name)) == name


@pytest.mark.parametrize("value", [-1.5, 7, None, True, "-1.5", "+3", "-2e-05", "-0.123"])
def test_numbers_stay_numbers(value: object) -> None:
    assert escaped(value) is value


@given(st.text(max_size=8))
def test_any_text_comes_back(text: str) -> None:
    assert unescaped(escaped(text)) == text


def test_a_table_comes_back(tmp_path: Path) -> None:
    rows = [[name, -1.5] for name in NAMES if name.strip() == name]
    table = read_table(write_csv(tmp_path / "t.csv", ["name", "value"], rows))
    assert [unescaped(name) for name, _ in table.rows[1:]] == [name for name, _ in rows]
    assert {value for _, value in table.rows[1:]} == {"-1.5"}
