"""Degree of difficulty by the rules: A + B + C + D + E of World Aquatics, and what the sum does not give.

A somersaults, B flight position, C twists, D approach, E unnatural entry, by the height of the board.
The values are data (``data_manifest/difficulty_components.csv``, season 2017, which held in 2019 and
2021); armstand dives and the values of earlier seasons are listed dive by dive
(``data_manifest/difficulty_listed.csv``). ``data_manifest/README.md`` says where each comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from data_manifest import table
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LexiconError
from finediving_pose.lexicon import DiveNumber, parse_dive_number

SEASON = "2017"
SYNCHRONISED_ASSIGNED = 2.0
"""Difficulty of the first two rounds of a synchronised event, whatever the dive (World Aquatics, diving, rule 5)."""

SURE_HEIGHT, OTHER_HEIGHT = 0.7, 0.5
"""Share of a video's dives that a height has to explain, and that the other may."""


@dataclass(frozen=True, slots=True)
class Component:
    """One summand of a degree of difficulty; ``basis`` is ``published``, or ``fitted`` to dives that were scored."""

    letter: str
    value: float
    basis: str


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


def degree_of_difficulty(dive_number: str, height_m: float) -> float | None:
    """Degree of difficulty of season 2017, None where neither the components nor the list give one.

    Raises
    ------
    LexiconError
        It is not a dive number.
    """
    parts = components(dive_number, height_m)
    if parts:
        return round(sum(c.value for c in parts), 1)
    return next((d for season, d in _listed(dive_number.lower(), height_m) if season == SEASON), None)


@cache
def admissible(dive_number: str, height_m: float | None, synchronised: bool | None = None) -> tuple[float, ...]:
    """Every difficulty that the dive may have had: this season's and earlier ones, ascending.

    Where the height is unknown, from 3 m and from 10 m. In synchronised events also 2.0, which the
    first two rounds have by rule. Empty for a dive that is not known.
    """
    values: set[float] = set()
    for height in (3.0, 10.0) if height_m is None else (height_m,):
        try:
            now = degree_of_difficulty(dive_number, height)
        except LexiconError:
            return ()
        values |= {now} if now is not None else set()
        values |= {d for _, d in _listed(dive_number.lower(), height)}
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
            h: sum(c.difficulty in admissible(c.action_type or "", h) for c in dives) / len(dives) for h in (3, 10)
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
        row["board_m"] in ("", f"{height_m:g}")
        and row["direction"] in ("", dive.direction)
        and row["position"] in (("",) if not row["position"] else (position or dive.position,))
        and (not position or row["component"] == "B")
        and _within(row, "half_somersaults", dive.half_somersaults)
        and _within(row, "half_twists", dive.half_twists)
    )
    return Component(row["component"], float(row["value"]), row["basis"]) if fits else None


def _within(row: dict[str, str], count: str, value: int) -> bool:
    first, last = row[f"{count}_from"], row[f"{count}_to"]
    return not first or int(first) <= value <= int(last)


@cache
def _listed(dive_number: str, height_m: float) -> tuple[tuple[str, float], ...]:
    rows = table("difficulty_listed.csv")
    return tuple(
        (r["season"], float(r["difficulty"]))
        for r in rows
        if r["dive_number"] == dive_number and r["board_m"] == f"{height_m:g}"
    )
