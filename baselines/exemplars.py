"""Which dives a dive is compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from finediving_pose.clip import Clip


def dive_number(clip: Clip) -> str:
    """The dive number that exemplars are matched by; clips without one were left out before."""
    return clip.action_type or ""


def by_dive_number(clips: Sequence[Clip], chosen: Sequence[int]) -> dict[str, list[int]]:
    """Indices of the chosen clips under each dive number."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i in chosen:
        groups[dive_number(clips[i])].append(i)
    return dict(groups)


def choose_voters(
    clips: Sequence[Clip], queries: Sequence[int], train: Sequence[int], count: int, seed: int
) -> list[list[int]]:
    """Up to ``count`` different train dives of each query's dive number, drawn once from the seed.

    The public code repeats the first exemplar where there are fewer than ``count``;
    here the distinct ones vote alone. A query that is itself in train does not vote.
    """
    groups = by_dive_number(clips, train)
    rng = np.random.default_rng(seed)
    chosen = []
    for i in queries:
        others = [j for j in groups[dive_number(clips[i])] if j != i]
        chosen.append(sorted(rng.permutation(others)[:count].tolist()))
    return chosen
