"""Which dives a dive is compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import numpy as np

from baselines.method import Needs
from finediving_pose.clip import Clip


def dive_number(clip: Clip) -> str:
    """The dive number that exemplars are matched by; clips without one were left out before."""
    return clip.action_type or ""


Pairing = Literal["number", "random", "rotation", "difficulty"]
"""Who is compared with whom. ``number``: dives of one dive number (w/ DN in the paper). ``random``: any dives
(w/o DN). ``rotation``: dives that rotate the same way, what the public code does for w/o DN. ``difficulty``: dives of
one degree of difficulty."""

PAIRING_NEEDS: dict[str, Needs] = {
    "number": Needs.NUMBER,
    "random": Needs.NOTHING,
    "rotation": Needs.NUMBER,
    "difficulty": Needs.DIFFICULTY,
}
"""What a clip must have to be paired so."""


def group(clip: Clip, pairing: Pairing = "number") -> str:
    """Name of the group that a clip finds its exemplars in.

    The rotation is the first figure of a dive number (forward, back, reverse, inward), for twisting dives and
    armstands with the second one, which says the direction (World Aquatics competition regulations, diving).
    """
    number = dive_number(clip)
    if pairing == "random":
        return ""
    if pairing == "difficulty":
        return f"{clip.difficulty:g}" if clip.difficulty else ""
    return number if pairing == "number" else number[: 2 if number[:1] in ("5", "6") else 1]


def groups_of(clips: Sequence[Clip], chosen: Sequence[int], pairing: Pairing = "number") -> dict[str, list[int]]:
    """Indices of the chosen clips under each group."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i in chosen:
        groups[group(clips[i], pairing)].append(i)
    return dict(groups)


Voters = Literal["panel", "each"]
"""``panel``: one draw for every group, the same train dives for all its queries.
``each``: a draw for every query, as in the public code."""


def draw_panels(
    clips: Sequence[Clip], train: Sequence[int], rng: np.random.Generator, pairing: Pairing = "number"
) -> dict[str, list[int]]:
    """The train dives of every group in the order in which they are called to vote."""
    groups = groups_of(clips, train, pairing)
    return {name: rng.permutation(groups[name]).tolist() for name in sorted(groups)}


def choose_voters(
    clips: Sequence[Clip],
    queries: Sequence[int],
    train: Sequence[int],
    count: int,
    seed: int,
    voters: Voters = "panel",
    pairing: Pairing = "number",
    pad: bool = False,
) -> list[list[int]]:
    """Up to ``count`` different train dives of each query's group, drawn from the seed.

    A panel judges all dives of a number by the same measure, and far fewer clips have to be
    encoded: on FineDiving's test split 355 train dives instead of some 2140.
    Where there are fewer than ``count`` they vote alone; with ``pad`` the first one drawn votes as often as it
    takes, as in the public code. A query that is itself in train does not vote.
    A query whose group no train dive is in gets the ``count`` train dives that are nearest
    in degree of difficulty (:func:`baselines.data.splits.split_clips` refuses it where that is not wanted).
    """
    rng = np.random.default_rng(seed)
    panels = draw_panels(clips, train, rng, pairing)
    everyone = rng.permutation(list(train)).tolist()
    chosen = []
    for i in queries:
        drawn = [j for j in panels.get(group(clips[i], pairing), ()) if j != i]
        if not drawn:
            drawn = _nearest(clips, i, [j for j in everyone if j != i])
        elif voters == "each":
            drawn = rng.permutation(drawn).tolist()
        repeats = [drawn[0]] * (count - len(drawn)) if pad else []
        chosen.append(sorted(drawn[:count] + repeats))
    return chosen


def _nearest(clips: Sequence[Clip], query: int, drawn: Sequence[int]) -> list[int]:
    """The drawn clips with a degree of difficulty, the nearest to the query's first, equals in the order drawn."""
    known = {j: d for j in drawn if (d := clips[j].difficulty) is not None}
    wanted = clips[query].difficulty or 0.0
    return sorted(known, key=lambda j: round(abs(known[j] - wanted), 3))
