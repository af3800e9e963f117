"""Degree of difficulty by the rules: what the tables list, else A + B + C + D + E of World Aquatics.

A somersaults, B flight position, C twists, D approach, E unnatural entry, by the height of the board. The summands are
data (``data_manifest/difficulty_components.csv``), each with what it rests on. Platform dives and the values of the
earlier season are listed dive by dive (``data_manifest/difficulty_listed.csv``) and come before the sum.
``data_manifest/README.md`` says where each comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from data_manifest import table
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LexiconError
from finediving_pose.lexicon import DiveNumber, parse_dive_number

SEASON, EARLIER_SEASON = "since 2017", "2009 to 2013"
SYNCHRONISED_ASSIGNED = 2.0
"""Difficulty of the first two rounds of a synchronised event, whatever the dive (World Aquatics, diving, rule 5)."""

Basis = Literal["listed", "scored", "published", "fitted", "assumed"]
"""What a difficulty rests on, the firmest first: the table of difficulties; dives of that season whose awards times it
are their score; the table of components; components fitted to the table of difficulties; components of the springboard
taken over for the platform."""
_BASES: tuple[Basis, ...] = ("listed", "scored", "published", "fitted", "assumed")

SURE_HEIGHT, OTHER_HEIGHT = 0.7, 0.5
"""Share of a video's dives that a height has to explain, and that the other may."""


@dataclass(frozen=True, slots=True)
class Component:
    """One summand of a degree of difficulty."""

    letter: str
    value: float
    basis: Basis


@dataclass(frozen=True, slots=True)
class Difficulty:
    """A degree of difficulty, the season that it is of, and what it rests on."""

    value: float
    season: str
    basis: Basis

    @property
    def is_published(self) -> bool:
        """Whether it comes from a published table, and is not put together from fitted or assumed components."""
        return self.basis in ("listed", "scored", "published")

    def words(self) -> str:
        """Where it comes from, e.g. ``table of difficulties, since 2017``."""
        told = {
            "listed": "table of difficulties",
            "scored": "awards and scores of the season",
            "published": "table of components",
            "fitted": "components, some fitted",
            "assumed": "components, some assumed",
        }
        return f"{told[self.basis]}, {self.season}"


def components(dive_number: str, height_m: float) -> tuple[Component, ...]:
    """The summands of a dive from a board, in order; only those that are not nothing by rule.

    Empty where the rules do not give the dive: armstand dives, five somersaults and more, positions
    that the dive can't be done in.

    Raises
    ------
    LexiconError
        It is not a dive number.
    """
    dive = parse_dive_number(dive_number)
    found = {c.letter: c for row in table("difficulty_components.csv") if (c := _component(row, dive, height_m))}
    fly = (
        [c for row in table("difficulty_components.csv") if (c := _component(row, dive, height_m, "flying"))]
        if dive.flying
        else []
    )
    needed = {"A", "B", "D"} | ({"C"} if dive.half_twists else set())
    if dive.armstand or not needed <= set(found) or (dive.flying and not fly):
        return ()
    return tuple(found[letter] for letter in sorted(found)) + tuple(fly)


def degree_of_difficulty(dive_number: str, height_m: float, season: str = SEASON) -> float | None:
    """Degree of difficulty in a season, None where neither the list nor the components give one.

    Raises
    ------
    LexiconError
        It is not a dive number.
    """
    found = difficulty(dive_number, height_m, season)
    return found.value if found else None


@cache
def difficulty(dive_number: str, height_m: float, season: str = SEASON) -> Difficulty | None:
    """As :func:`degree_of_difficulty`, with what it rests on.

    The components are those of the present season. A dive that the earlier season does not list has its present value.
    """
    for value, of, basis in _listed(dive_number.lower(), height_m):
        if of == season:
            return Difficulty(value, season, basis)
    if season != SEASON:
        return difficulty(dive_number, height_m)
    parts = components(dive_number, height_m)
    if not parts:
        return None
    weakest = _BASES[max(_BASES.index(c.basis) for c in parts)]
    return Difficulty(round(sum(c.value for c in parts), 1), season, weakest)


@cache
def admissible(
    dive_number: str, height_m: float | None, synchronised: bool | None = None, season: str | None = None
) -> tuple[float, ...]:
    """Every difficulty that the dive may have had, ascending: in the season, or in any where it is not known.

    Where the height is unknown, from 3 m and from 10 m. In synchronised events also 2.0, which the
    first two rounds have by rule. Empty for a dive that is not known.
    """
    values: set[float] = set()
    for height in (3.0, 10.0) if height_m is None else (height_m,):
        for of in (SEASON, EARLIER_SEASON) if season is None else (season,):
            try:
                value = degree_of_difficulty(dive_number, height, of)
            except LexiconError:
                return ()
            values |= {value} if value is not None else set()
    if values and synchronised:
        values.add(SYNCHRONISED_ASSIGNED)
    return tuple(sorted(values))


def likely_heights(clips: Sequence[Clip]) -> dict[ClipKey, float | None]:
    """Height of the board of every clip: as labelled, else as the difficulties of its whole video say.

    Seven of ten dives of the video must have a difficulty that the height allows, and at most half of them
    one that the other height allows; a video of both boards stays unknown.
    """
    found: dict[ClipKey, float | None] = {c.key: c.height_m for c in clips}
    for dives in _dives_of_unknown_height(clips):
        share = {
            h: sum(c.difficulty in admissible(c.action_type or "", h) for c in dives) / len(dives) for h in (3.0, 10.0)
        }
        for height, other in ((3, 10), (10, 3)):
            if share[height] >= SURE_HEIGHT and share[other] <= OTHER_HEIGHT:
                found |= {c.key: float(height) for c in dives}
    return found


def _dives_of_unknown_height(clips: Iterable[Clip]) -> Iterable[list[Clip]]:
    """By video."""
    videos: dict[str, list[Clip]] = {}
    for clip in clips:
        if clip.height_m is None:
            videos.setdefault(clip.key.video, []).append(clip)
    return videos.values()


def _component(row: dict[str, str], dive: DiveNumber, height_m: float, position: str = "") -> Component | None:
    """The row as a component of the dive, None where it does not apply."""
    fits = (
        f"{height_m:g}" in row["board_m"].split()
        and row["direction"] in ("", dive.direction)
        and row["position"] in (("",) if not row["position"] else (position or dive.position,))
        and (not position or row["component"] == "B")
        and _within(row, "half_somersaults", dive.half_somersaults)
        and _within(row, "half_twists", dive.half_twists)
    )
    return Component(row["component"], float(row["value"]), cast(Basis, row["basis"])) if fits else None


def _within(row: dict[str, str], count: str, value: int) -> bool:
    first, last = row[f"{count}_from"], row[f"{count}_to"]
    return not first or int(first) <= value <= int(last)


@cache
def _listed(dive_number: str, height_m: float) -> tuple[tuple[float, str, Basis], ...]:
    """(value, season, basis) of every listed difficulty of a dive from a height."""
    return tuple(
        (float(r["difficulty"]), r["season"], cast(Basis, r["basis"]))
        for r in table("difficulty_listed.csv")
        if r["dive_number"] == dive_number and r["board_m"] == f"{height_m:g}"
    )
