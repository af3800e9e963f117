"""Clips that share pictures, found by the sizes of their JPEG files, so that hardly any has to be read.

Two JPEG files of the same size are common, three of the same sizes in a row are not: at FineDiving's size
they vary by some thousand bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def shared_pictures(sizes: Sequence[NDArray[np.int64]], picture: Callable[[int, int], bytes]) -> list[Shared]:
    """Pairs of clips that share a quarter of the shorter one's pictures, in the same order and byte for byte.

    Parameters
    ----------
    sizes : for each clip, the bytes of its JPEG files in order, int (n,)
    picture : gives the picture of a clip at a position; called for likely pairs only
    """
    best: dict[tuple[int, int], Shared] = {}
    for (a, b, shift), likely in _likely(sizes).items():
        least = LEAST_SHARE * min(len(sizes[a]), len(sizes[b]))
        if len(likely) < least:
            continue
        same = [i for i in sorted(likely) if picture(a, i) == picture(b, i + shift)]
        if len(same) >= max(least, IN_A_ROW) and ((a, b) not in best or best[a, b].count < len(same)):
            best[a, b] = Shared(a, b, len(same), same[0], same[0] + shift)
    return [shared for _, shared in sorted(best.items())]


def _likely(sizes: Sequence[np.ndarray]) -> dict[tuple[int, int, int], set[int]]:
    """Positions in clip ``a`` whose run of sizes clip ``b`` has ``shift`` positions later, by (a, b, shift)."""
    places: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
    for clip, lengths in enumerate(sizes):
        runs = [tuple(lengths[i : i + IN_A_ROW].tolist()) for i in range(len(lengths) - IN_A_ROW + 1)]
        for i, run in enumerate(runs):
            if len(set(run)) > 1:  # a frozen or black picture has equals everywhere
                places[run].append((clip, i))
    likely: dict[tuple[int, int, int], set[int]] = defaultdict(set)
    for found in places.values():
        for k, (a, i) in enumerate(found if len(found) <= MOST_PLACES else ()):
            for b, j in found[k + 1 :]:
                if a != b:
                    likely[a, b, j - i] |= set(range(i, i + IN_A_ROW))
    return likely
