"""Which dive numbers are refused, and what is said then."""

from __future__ import annotations

import pytest

from baselines.scorer.numbers import check_number, nearest_numbers, with_difficulty
from finediving_pose.errors import FdposeError, NoExemplarError, UsageError
from tests.baselines.made_up import clip

KNOWN = ("107b", "107c", "207c", "5253b", "612b")


@pytest.mark.parametrize(
    ("number", "nearest"),
    [
        ("109c", ["107c", "107b", "207c"]),
        ("5235d", ["5253b", "207c", "107b"]),
        ("614b", ["612b"]),
        ("999z", []),
    ],
)
def test_the_nearest_numbers_are_of_the_same_kind(number: str, nearest: list[str]) -> None:
    assert nearest_numbers(number, KNOWN)[: len(nearest)] == nearest


def test_a_number_without_exemplar_is_refused_with_the_nearest() -> None:
    exemplars = [clip(i, number=n) for i, n in enumerate(KNOWN)]
    check_number(clip(9, number="107b"), exemplars, "number", None)
    with pytest.raises(NoExemplarError, match=r"no exemplar of 109c; .* 107c or 107b or "):
        check_number(clip(9, number="109c"), exemplars, "number", None)
    check_number(clip(9, number="109c"), exemplars, "number", "difficulty")
    with pytest.raises(FdposeError, match="give the height of the board"):
        check_number(clip(9, number="109c", difficulty=None), exemplars, "number", "difficulty")


def test_a_number_is_asked_for_only_where_it_is_needed() -> None:
    exemplars = [clip(i, number=n) for i, n in enumerate(KNOWN)]
    with pytest.raises(UsageError, match=r"--dive-number .*107b, 107c"):
        check_number(clip(9, action_type=None), exemplars, "number", None)
    check_number(clip(9, action_type=None), exemplars, "random", None)
    check_number(clip(9, number="105a"), exemplars, "rotation", None)


def test_the_rules_give_the_difficulty_that_labels_do_not() -> None:
    assert with_difficulty(clip(0, number="107b", difficulty=None, height_m=3.0)).difficulty == 3.1
    assert with_difficulty(clip(0, number="107b", difficulty=None, height_m=10.0)).difficulty == 3.0
    assert with_difficulty(clip(0, number="107b", difficulty=1.5, height_m=10.0)).difficulty == 1.5
    assert with_difficulty(clip(0, number="107b", difficulty=None)).difficulty is None
    assert with_difficulty(clip(0, number="no number", difficulty=None, height_m=3.0)).difficulty is None
