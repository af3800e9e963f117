"""Which dives a dive is compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

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


Voters = Literal["panel", "each"]
"""``panel``: one draw for every dive number, the same train dives for all its queries.
``each``: a draw for every query, as in the public code."""


def choose_voters(
    clips: Sequence[Clip],
    queries: Sequence[int],
    train: Sequence[int],
    count: int,
    seed: int,
    voters: Voters = "panel",
) -> list[list[int]]:
    """Up to ``count`` different train dives of each query's dive number, drawn from the seed.

    A panel judges all dives of a number by the same measure, and far fewer clips have to be
    encoded: on FineDiving's test split 355 train dives instead of some 2140.
    The public code repeats the first exemplar where there are fewer than ``count``;
    here the distinct ones vote alone. A query that is itself in train does not vote.
    A query whose number no train dive has gets the ``count`` train dives that are nearest
    in degree of difficulty (:func:`baselines.splits.split_clips` refuses it where that is not wanted).
    """
    groups = by_dive_number(clips, train)
    rng = np.random.default_rng(seed)
    panels = {number: rng.permutation(groups[number]).tolist() for number in sorted(groups)}
    everyone = rng.permutation(list(train)).tolist()
    chosen = []
    for i in queries:
        drawn = [j for j in panels.get(dive_number(clips[i]), ()) if j != i]
        if not drawn:
            drawn = _nearest(clips, i, [j for j in everyone if j != i])
        elif voters == "each":
            drawn = rng.permutation(drawn).tolist()
        chosen.append(sorted(drawn[:count]))
    return chosen


def _nearest(clips: Sequence[Clip], query: int, drawn: Sequence[int]) -> list[int]:
    """The drawn clips with a degree of difficulty, the nearest to the query's first, equals in the order drawn."""
    known = {j: d for j in drawn if (d := clips[j].difficulty) is not None}
    wanted = clips[query].difficulty or 0.0
    return sorted(known, key=lambda j: round(abs(known[j] - wanted), 3))
