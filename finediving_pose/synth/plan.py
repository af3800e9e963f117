"""What a synthetic competition will be: its events, their dive numbers, and what their random numbers start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, ClassVar

from finediving_pose.errors import LexiconError, UsageError
from finediving_pose.lexicon import expected_sub_actions, parse_dive_number
from finediving_pose.synth.faults import dived
from finediving_pose.synth.performance import difficulty_of

DIVE_NUMBERS = (
    "107b", "205b", "407c", "305b", "5253b", "5152b", "6243d", "5154b", "307c", "405b", "207c", "109c",
    "301b", "5255b", "207b", "201b", "305c", "626c", "5156b", "103b", "401b", "6245d", "5353b", "626b",
    "403b", "5337d", "101b", "405c", "205c", "107c", "5231d", "6142d", "5132d", "5251b", "407b", "5235d",
    "409c", "105b", "6241b", "636c", "612b", "5331d", "614b", "5355b", "5233d", "5172b", "5237d", "5335d",
    "303c", "201c", "201a", "109b",
)  # fmt: skip
"""All dive numbers of FineDiving, about as often dived; a small competition has the first of them."""

VERSION = 6
"""Of the picture, the motion and the files; a competition is made to its end by one version."""

DIVES_PER_EVENT = 8
SYNCHRONISED_EVERY = 5
"""A fifth of FineDiving's dives are synchronised; armstand dives never are."""

DIVES_PER_NUMBER = 8
"""In a competition that chooses its dive numbers: as many of each, so that dives can be compared."""


@dataclass(frozen=True, slots=True)
class Event:
    """One video to be made: its dives in order, and what its random numbers start from.

    ``indices`` are those of the dives in the labels, 0, 1, ... where it is empty. With ``counting`` the labels list
    only the awards of a single diver that count.
    """

    video: str
    height: float
    woman: bool
    dive_numbers: tuple[str, ...]
    seed: tuple[int, ...]
    synchronised: bool = False
    indices: tuple[int, ...] = ()
    counting: bool = False

    def index(self, place: int) -> int:
        """In the labels, of the dive at this place of the video."""
        return self.indices[place] if self.indices else place

    def __str__(self) -> str:
        return self.video


@dataclass(frozen=True, slots=True)
class Plan:
    """A competition before anything of it is made: what was asked for decides every byte of it.

    Without ``dive_numbers`` there are as many numbers, up to FineDiving's 52, as leave about eight dives of each,
    and some of the dives are synchronised.
    """

    dives: int
    seed: int
    dive_numbers: tuple[str, ...] = ()
    version: int = VERSION

    with_errata: ClassVar = False
    """Whether some of the labels are wrong, as in the released ones."""

    def events(self) -> list[Event]:
        """The events in their order.

        Raises
        ------
        UsageError
            Fewer than one dive, or a dive number that is not one or that nobody can dive here.
        """
        chosen = self.dive_numbers or DIVE_NUMBERS[: max(2, self.dives // DIVES_PER_NUMBER)]
        return deal(self.dives, self.seed, chosen, pairs=not self.dive_numbers)

    def as_dict(self) -> dict[str, Any]:
        """As it is written down."""
        return asdict(self) | {"dive_numbers": list(self.dive_numbers)}


def deal(dives: int, seed: int, dive_numbers: Sequence[str], pairs: bool = False) -> list[Event]:
    """Deal the dive numbers out to events, each number from the height where it is dived most.

    With ``pairs``, a fifth of the dives is put into synchronised events. Raises UsageError as :meth:`Plan.events`.
    """
    if dives < 1:
        raise UsageError(f"--dives {dives}: a competition has at least one dive")
    heights = {number: usual_height(number) for number in dict.fromkeys(n.lower() for n in dive_numbers)}
    numbers = list(heights)
    order = [numbers[i % len(numbers)] for i in range(dives)]
    events: list[Event] = []
    for height in (10.0, 3.0):
        mine = [n for n in order if heights[n] == height]
        together, alone = _in_pairs(mine) if pairs else ([], mine)
        for synchronised, dealt in ((False, alone), (True, together)):
            for k, start in enumerate(range(0, len(dealt), DIVES_PER_EVENT)):
                woman, kind = k % 2 == 1, "Synchronised" * synchronised
                name = f"Synthetic2026{'Women' if woman else 'Men'}{height:.0f}m{kind}_final_r{k // 2 + 1}"
                block = tuple(dealt[start : start + DIVES_PER_EVENT])
                events.append(Event(name, height, woman, block, (seed, len(events)), synchronised))
    return events


def _in_pairs(numbers: list[str]) -> tuple[list[str], list[str]]:
    """The dives that two divers do at once, every fifth but for armstands, and the others."""
    feet = [i for i, n in enumerate(numbers) if not parse_dive_number(n).armstand]
    chosen = set(feet[SYNCHRONISED_EVERY - 1 :: SYNCHRONISED_EVERY])
    return [numbers[i] for i in sorted(chosen)], [n for i, n in enumerate(numbers) if i not in chosen]


@cache
def usual_height(number: str) -> float:
    """The height from which FineDiving's divers dive the number most."""
    try:
        dive = parse_dive_number(number)
    except LexiconError as e:
        raise UsageError(f"--dive-number {number}: {e}") from None
    seen = {float(r["height_m"]): int(r["count"]) for r in dived() if r["dive_number"] == str(dive)}
    if not seen:
        raise UsageError(
            f"--dive-number {number}: no degree of difficulty is known for it from 3 m or 10 m; leave it out"
        )
    if not expected_sub_actions(dive):
        raise UsageError(f"--dive-number {number}: the labels have no names for its stages; leave it out")
    return max(seen, key=lambda h: seen[h] * (difficulty_of(str(dive), h, False) is not None))
