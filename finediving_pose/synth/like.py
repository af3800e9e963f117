"""A competition of FineDiving's own shape: its videos with their names, heights, panels, numbers of dives and indices,
and its dive numbers as often as they are dived, dealt out by chance.

``data_manifest/videos.csv`` lists the videos; ``data_manifest/dives.csv`` the dive numbers. A name gets
``Synthetic`` before it, so that nobody takes the competition for the real one; the videos whose names are bare numbers
keep them, since that is what is special about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from typing import ClassVar

import numpy as np

from data_manifest import table
from finediving_pose.lexicon import expected_sub_actions, parse_dive_number, synchronised_from_name
from finediving_pose.synth.faults import dived
from finediving_pose.synth.performance import difficulty_of
from finediving_pose.synth.plan import Event, Plan

NAMES = ("finediving",)
"""Data sets whose shape is known."""
FIRST_PLACE = 1000
"""Of its events among those that start from a seed: other competitions of the seed have fewer events."""
COUNTING = 3
"""Awards of a dive in videos that list only those that count."""


Decks = Mapping[tuple[float, bool], Iterator[str]]
"""Dive numbers yet to be dealt, by height, and by whether two dive at once."""


@dataclass(frozen=True, slots=True)
class PlanLike(Plan):
    """The shape of a data set; ``dives`` of its dives, in whole videos as far as it goes, the last one cut short."""

    like: str = "finediving"

    with_errata: ClassVar = True

    def events(self) -> list[Event]:
        """The events in their order; with all dives, the videos and dive numbers are those of the data set."""
        rng = np.random.default_rng([self.seed, 2, 1_000_000])
        decks = {kind: deck_of(rng, *kind) for kind in ((h, s) for h in (3.0, 10.0) for s in (False, True))}
        rows = table("videos.csv")
        order = rng.permutation(len(rows)).tolist() if self.dives < total_dives() else range(len(rows))
        events: list[Event] = []
        left = self.dives
        for i in order:
            if not left:
                break
            event = _event(rows[i], (self.seed, FIRST_PLACE + i), decks, left)
            events.append(event)
            left -= len(event.dive_numbers)
        return sorted(events, key=lambda e: e.seed)


def total_dives() -> int:
    """How many dives the data set has."""
    return sum(int(row["dives"]) for row in table("videos.csv"))


def deck_of(rng: np.random.Generator, height: float, synchronised: bool) -> Iterator[str]:
    """Dive numbers from one height, alone or together, each as often as it is dived, in an order by chance; endless."""
    deck: list[str] = []
    for row in dived():
        number, pairs = row["dive_number"], int(row["synchronised"])
        if float(row["height_m"]) == height and _can_be_made(number, height, synchronised):
            deck += [number] * (pairs if synchronised else int(row["count"]) - pairs)
    return cycle([deck[i] for i in rng.permutation(len(deck))])


def _can_be_made(number: str, height: float, synchronised: bool) -> bool:
    dive = parse_dive_number(number)
    known = bool(expected_sub_actions(dive)) and difficulty_of(number, height, synchronised) is not None
    return known and not (synchronised and dive.armstand)


def _event(
    row: dict[str, str], seed: tuple[int, int], decks: dict[tuple[float, bool], Iterator[str]], most: int
) -> Event:
    name, height = row["video"], float(row["height_m"])
    synchronised = bool(synchronised_from_name(name))
    count = min(int(row["dives"]), most)
    missing = {int(i) for i in row["missing"].split()}
    first = int(row["first_index"])
    indices = [i for i in range(first, first + int(row["dives"]) + len(missing)) if i not in missing]
    return Event(
        name if name.isdecimal() else f"Synthetic{name}",
        height,
        "women" in name.lower(),
        tuple(islice(decks[height, synchronised], count)),
        seed,
        synchronised,
        tuple(indices[:count]),
        int(row["awards"]) == COUNTING,
    )
