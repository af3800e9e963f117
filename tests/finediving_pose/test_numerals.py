"""Numbers as people read them."""

from __future__ import annotations

import pytest

from finediving_pose.numerals import halves, numeral


@pytest.mark.parametrize(("value", "digits", "text"), [(-12.34, 1, "−12.3"), (-0.04, 1, "0.0"), (7.0, 0, "7")])
def test_a_number_has_a_minus_sign_and_zero_has_none(value: float, digits: int, text: str) -> None:
    assert numeral(value, digits) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0"), (1, "½"), (2, "1"), (7, "3½")])
def test_halves_are_written_as_divers_write_them(count: int, text: str) -> None:
    assert halves(count) == text
