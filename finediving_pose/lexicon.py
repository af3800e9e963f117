"""The words of diving: dive numbers, sub-actions, degrees of difficulty, how awards count.

The tables are facts observed in the FineDiving labels (``data_manifest/sub_actions.csv``,
``data_manifest/difficulty.csv``); the grammar and the counting of awards follow the World
Aquatics competition regulations, part diving (designation of dives; judging).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from data_manifest import table
from finediving_pose.errors import LexiconError
from finediving_pose.numerals import halves

Direction = Literal["forward", "back", "reverse", "inward"]
Position = Literal["straight", "pike", "tuck", "free"]

_DIRECTIONS: tuple[Direction, ...] = ("forward", "back", "reverse", "inward")
_POSITIONS: dict[str, Position] = {"a": "straight", "b": "pike", "c": "tuck", "d": "free"}
_NUMBER = re.compile(r"(?:([1-4])([01])(\d)|5([1-4])(\d)([1-9])|6([1-3])(\d)([1-9])?)([abcd])", re.ASCII)
_HEIGHT = re.compile(r"(?<![\d.])(10|3)m")


@dataclass(frozen=True, slots=True)
class DiveNumber:
    """A dive as its number says it; ``str()`` gives the number back in lower case.

    Attributes
    ----------
    group : 1 to 4 as ``direction``, 5 twisting, 6 armstand
    direction : the way the diver rotates (and, but for armstand dives, faces at take-off)
    flying : the flying position is shown in the first half somersault
    half_somersaults, half_twists : counted in halves
    position : straight (a), pike (b), tuck (c) or free (d)
    """

    group: int
    direction: Direction
    flying: bool
    half_somersaults: int
    half_twists: int
    position: Position

    @property
    def armstand(self) -> bool:
        """Whether the dive starts from a handstand on the platform."""
        return self.group == 6

    def __str__(self) -> str:
        way, letter = _DIRECTIONS.index(self.direction) + 1, {v: k for k, v in _POSITIONS.items()}[self.position]
        if self.group <= 4:
            return f"{way}{int(self.flying)}{self.half_somersaults}{letter}"
        return f"{self.group}{way}{self.half_somersaults}{self.half_twists or ''}{letter}"

    def words(self) -> str:
        """The dive in words, e.g. ``back 2½ somersaults 1½ twists, pike``."""
        parts = ["armstand"] * self.armstand + [self.direction] + ["flying"] * self.flying
        parts.append(_counted(self.half_somersaults, "somersault") if self.half_somersaults else "jump")
        parts += [_counted(self.half_twists, "twist")] * bool(self.half_twists)
        return f"{' '.join(parts)}, {self.position}"


@cache
def parse_dive_number(text: str) -> DiveNumber:
    """Read a dive number such as ``5253b``; the letter may be a capital.

    Raises
    ------
    LexiconError
        It is not a dive number.
    """
    found = _NUMBER.fullmatch(text.strip().lower())
    if not found:
        raise LexiconError(
            f"{text!r} is no dive number; expected three digits (groups 1 to 4 and 6) or four (groups 5 and 6)"
            " and a position a, b, c or d, for example 107b, 5253b or 626c"
        )
    plain, flying, soms, twisting, twist_soms, twists, armstand, arm_soms, arm_twists, letter = found.groups()
    return DiveNumber(
        group=int(plain or (5 if twisting else 6)),
        direction=_DIRECTIONS[int(plain or twisting or armstand) - 1],
        flying=flying == "1",
        half_somersaults=int(soms or twist_soms or arm_soms),
        half_twists=int(twists or arm_twists or 0),
        position=_POSITIONS[letter],
    )


def is_dive_number(text: str) -> bool:
    """Whether the text follows the grammar of dive numbers."""
    return bool(_NUMBER.fullmatch(text.strip().lower()))


@dataclass(frozen=True, slots=True)
class SubAction:
    """One kind of stage: ``kind`` is direction, armstand, somersaults, twists or entry; ``halves`` its size."""

    id: int
    name: str
    kind: str
    halves: int
    position: str


def _sub_actions() -> dict[int, SubAction]:
    rows = table("sub_actions.csv")
    return {
        int(r["id"]): SubAction(int(r["id"]), r["name"], r["kind"], int(r["halves"] or 0), r["position"]) for r in rows
    }


_STAGES = _sub_actions()
SUB_ACTIONS: dict[int, str] = {s.id: s.name for s in _STAGES.values()}
"""Name of every sub-action id that the fine-grained labels use, spelled as there."""


def stage_of(sub_action: int) -> SubAction:
    """What a known sub-action id means. Raises KeyError for another."""
    return _STAGES[sub_action]


ENTRY = next(s.id for s in _STAGES.values() if s.kind == "entry")
"""Sub-action id of the entry, with which every dive ends."""


@cache
def expected_sub_actions(dive: DiveNumber) -> tuple[int, ...]:
    """The stages that the labels usually give to a dive, as sub-action ids.

    Take-off, then the somersaults, then the entry. Twists come before the somersaults, but in
    twisting dives that rotate forward they come between two stages of somersaults. Both of those
    carry the dive's whole count, as the labels have it. Free position is labelled pike, and half
    a somersault is pike whatever the position. Empty where the vocabulary lacks one of the stages.
    """
    position = "pike" if dive.position == "free" or dive.half_somersaults == 1 else dive.position
    wanted = [("armstand" if dive.armstand else "direction", 0, dive.direction)]
    somersaults, twists = ("somersaults", dive.half_somersaults, position), ("twists", dive.half_twists, "")
    if dive.half_twists:
        wanted += [somersaults, twists] if dive.group == 5 and dive.direction == "forward" else [twists]
    wanted += [somersaults, ("entry", 0, "")]
    ids = {(s.kind, s.halves, s.position): s.id for s in _STAGES.values()}
    return tuple(ids[w] for w in wanted) if all(w in ids for w in wanted) else ()


def known_sub_actions(labelled: Sequence[int], dive_number: str | None) -> tuple[int, ...]:
    """The labelled sub-action ids; without labels those that the dive number implies. Empty where it implies none."""
    if labelled or not dive_number:
        return tuple(labelled)
    try:
        return expected_sub_actions(parse_dive_number(dive_number))
    except LexiconError:
        return ()


@cache
def difficulties(dive_number: str, height_m: float | None) -> dict[float, int]:
    """Degrees of difficulty seen for a dive at a height, with how often, most frequent first.

    Where the height is unknown (None), all heights together. Empty for a dive that was not seen.
    """
    seen: dict[float, int] = {}
    for row in table("difficulty.csv"):
        if row["dive_number"] == dive_number.lower() and (height_m is None or row["height_m"] == f"{height_m:g}"):
            value = float(row["difficulty"])
            seen[value] = seen.get(value, 0) + int(row["count"])
    return dict(sorted(seen.items(), key=lambda item: (-item[1], item[0])))


def awards_total(judge_scores: Sequence[float], synchronised: bool | None) -> float | None:
    """Sum of the awards that count; times the difficulty it is the score of the dive.

    Three listed awards are those that count already. Of five, the highest and lowest are struck;
    in synchronised events five listed awards all count, times 0.6. Of seven, the two highest and
    the two lowest are struck. None for a panel of any other size.
    """
    awards = sorted(judge_scores)
    if len(awards) == 5:
        return 0.6 * sum(awards) if synchronised else sum(awards[1:4])
    return {3: sum(awards), 7: sum(awards[2:5])}.get(len(awards))


def seven_awards(judge_scores: Sequence[float], synchronised: bool | None) -> tuple[float, ...]:
    """Seven awards in rising order that count as much as those of a panel of three, five or seven.

    The middle three add up to :func:`awards_total`, since of seven the two highest and the two lowest are struck.
    Empty for a panel of any other size.
    """
    awards = tuple(sorted(judge_scores))
    if len(awards) == 3:
        return (awards[0],) * 2 + awards + (awards[2],) * 2
    if len(awards) == 5 and synchronised:
        mean = sum(awards) / 5
        return (awards[0], min(awards[1], mean), mean, mean, mean, max(awards[3], mean), awards[4])
    if len(awards) == 5:
        return (awards[0], *awards, awards[4])
    return awards if len(awards) == 7 else ()


def height_from_name(video: str) -> float | None:
    """Height of the board or platform in metres, 3 or 10, where a video's name says it."""
    found = _HEIGHT.search(video)
    return float(found[1]) if found else None


def synchronised_from_name(video: str) -> bool | None:
    """Whether two divers dive at once, by a video's name; None where the name is a bare number."""
    return None if video.isdecimal() else "synchro" in video.lower()


def _counted(count: int, noun: str) -> str:
    return f"{halves(count)} {noun}{'s' if count > 2 else ''}"
