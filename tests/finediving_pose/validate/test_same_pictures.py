"""Pictures that two clips share."""

from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.validate.same_pictures import shared_pictures


@pytest.mark.parametrize(
    ("clips", "pairs"),
    [
        (["abcd", "efgh"], []),
        (["abcd", "xxabcd"], [(0, 1, 4, 0, 2)]),
        (["abcd", "dcba"], []),
        (["aaaaaaaaa", "aaaaaaaaa"], []),
        (["abc" + "efghijklmnop", "abc" + "EFGHIJKLMNOP"], []),
        (["ab", "ab"], []),
        (["abcd", "ABCD"], []),
        (["abcdef", "abXdef"], [(0, 1, 3, 3, 3)]),
    ],
)
def test_shared_pictures_are_in_the_same_order_and_many(clips: list[str], pairs: list[tuple[int, ...]]) -> None:
    """A letter is a picture; its size is its place in the alphabet, so that a and A are as large."""
    sizes = [np.array([ord(letter.lower()) for letter in clip]) for clip in clips]
    shared = shared_pictures(sizes, lambda i, at: clips[i][at].encode())
    assert [(s.a, s.b, s.count, s.at_a, s.at_b) for s in shared] == pairs
