"""Clips that share pictures, found by the sizes of their JPEG files alone.

Two JPEG files of the same size are common, three of the same sizes in a row are not: at FineDiving's size
they vary by some thousand bytes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

IN_A_ROW = 3
LEAST_SHARE = 0.25
MOST_PLACES = 20
"""A run that is found in more places says nothing: a test picture, a title."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Clips ``a`` and ``b``, by their place in the list, have ``count`` pictures in common.

    The first of them is picture ``at_a`` of the one, and ``at_b`` of the other.
    """

    a: int
    b: int
    count: int
    at_a: int
    at_b: int


def shared_pictures(sizes: Sequence[np.ndarray]) -> list[Shared]:
    """Pairs of clips of which the shorter shares a quarter of its pictures with the longer, in the same order.

    Parameters
    ----------
    sizes : for each clip, the bytes of its JPEG files in order, int (n,)
    """
    places: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
    for clip, lengths in enumerate(sizes):
        runs = [tuple(lengths[i : i + IN_A_ROW].tolist()) for i in range(len(lengths) - IN_A_ROW + 1)]
        for i, run in enumerate(runs):
            if len(set(run)) > 1:  # a frozen or black picture has equals everywhere
                places[run].append((clip, i))
    count: Counter[tuple[int, int, int]] = Counter()
    first: dict[tuple[int, int, int], int] = {}
    for found in places.values():
        for k, (a, i) in enumerate(found if len(found) <= MOST_PLACES else ()):
            for b, j in found[k + 1 :]:
                if a != b:
                    count[a, b, j - i] += 1
                    first.setdefault((a, b, j - i), i)
    best: dict[tuple[int, int], Shared] = {}
    for (a, b, shift), n in count.most_common():
        common, at = n + IN_A_ROW - 1, first[a, b, shift]
        if common >= LEAST_SHARE * min(len(sizes[a]), len(sizes[b])):
            best.setdefault((a, b), Shared(a, b, common, at, at + shift))
    return [shared for _, shared in sorted(best.items())]
