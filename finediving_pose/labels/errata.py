"""Known errors of the released labels, and their correction when reading, for those who ask for it.

Three tables in ``data_manifest`` say what is wrong with FineDiving's and MTL-AQA's label files: ``errata_labels.csv``
(a row a dive and field), ``errata_omissions.csv`` (dives that were left out) and ``errata_protocol.csv`` (splits and
failed dives). ``fdpose errata --labels`` makes them again; ``docs/errata.md`` explains them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Literal, get_args

from data_manifest import table
from finediving_pose.clip import Clip
from finediving_pose.labels.levels import LEVELS
from finediving_pose.lexicon import SUB_ACTIONS
from finediving_pose.spreadsheet import unescaped

ErrataTable = Literal["labels", "omissions", "protocol"]
TABLES: tuple[ErrataTable, ...] = get_args(ErrataTable)
Upto = Literal["certain", "likely"]
"""Down to which level corrections are made."""

_FIELD = re.compile(r"(\w+)(?:\[(\d+)\])?")
_SUB_ACTION_IDS = {name: i for i, name in SUB_ACTIONS.items()}


@dataclass(frozen=True, slots=True)
class Erratum:
    """One row of a table, every value as text.

    Attributes
    ----------
    dataset : ``finediving`` or ``mtl_aqa``
    video, index : the dive
    field : what is wrong: a field of Clip, perhaps with a position (``judge_scores[3]``), or ``<table>: <field>`` of a
        label file
    found, expected : what the labels say and what they should; ``expected`` may be words where no value is known
    level : how sure it is (:mod:`finediving_pose.labels.levels`)
    evidence : what makes it so
    rules : of ``fdpose validate`` that find it, separated by spaces
    """

    dataset: str
    video: str
    index: str
    field: str
    found: str
    expected: str
    level: str
    evidence: str
    rules: str

    @property
    def clip(self) -> str:
        """The dive as ``video/index``."""
        return f"{self.video}/{self.index}"


COLUMNS = tuple(f.name for f in fields(Erratum))


def read_errata(name: ErrataTable) -> list[Erratum]:
    """Rows of one of the tables that come with the package."""
    return [Erratum(**{k: unescaped(v) for k, v in row.items()}) for row in table(f"errata_{name}.csv")]


def known_identities() -> set[tuple[str, ...]]:
    """(dataset, video, index, rule, field, found) of everything in the tables."""
    return {
        (e.dataset, e.video, e.index, rule, e.field, e.found)
        for name in TABLES
        for e in read_errata(name)
        for rule in e.rules.split()
    }


def corrections(rows: Iterable[Erratum], upto: Upto = "certain") -> list[Erratum]:
    """The rows that name a correction at the level or above."""
    levels = LEVELS[: LEVELS.index(upto) + 1]
    return [e for e in rows if e.level in levels and e.expected]


def apply_errata(clips: Sequence[Clip], upto: Upto = "certain") -> tuple[list[Clip], list[Erratum]]:
    """The clips with the corrections of the table of label errors made, and the corrections that were.

    A correction is made only where the clip still says what the table says it does, so a later release
    or a mended file is left as it is. Corrections of what only the label files hold change nothing.

    Parameters
    ----------
    upto : ``certain`` makes certain corrections only, ``likely`` the likely ones, too

    Raises
    ------
    LabelError
        A correction makes a clip impossible.
    """
    by_clip = _by_clip(upto)
    made: list[Erratum] = []
    corrected = []
    for clip in clips:
        for erratum in by_clip.get((clip.source, str(clip.key)), ()):
            changed = _corrected(clip, erratum)
            if changed is not None:
                clip = changed
                made.append(erratum)
        corrected.append(clip)
    return corrected, made


def count_errata(clips: Iterable[Clip]) -> tuple[int, int]:
    """How many certain corrections of the bundled list these clips have, and how many they still lack."""
    by_clip = _by_clip("certain")
    applied = left = 0
    for clip in clips:
        for erratum in by_clip.get((clip.source, str(clip.key)), ()):
            applied += _said(clip, erratum) == erratum.expected
            left += _corrected(clip, erratum) is not None
    return applied, left


@cache
def _by_clip(upto: Upto) -> dict[tuple[str, str], list[Erratum]]:
    """Corrections of clip fields."""
    found: dict[tuple[str, str], list[Erratum]] = defaultdict(list)
    clip_fields = {f.name for f in fields(Clip)}
    for e in corrections(read_errata("labels"), upto):
        if parsed_field(e.field)[0] in clip_fields:
            found[e.dataset, e.clip].append(e)
    return found


def _corrected(clip: Clip, erratum: Erratum) -> Clip | None:
    """The clip with one correction; None where it does not say what the table says, or no value is expected."""
    if _said(clip, erratum) != erratum.found:
        return None
    name, position = parsed_field(erratum.field)
    now: Any = getattr(clip, name)
    one = now if position is None else now[position]
    try:
        right = from_text(name, erratum.expected, one)
    except ValueError:
        return None
    if position is not None:
        right = (*now[:position], right, *now[position + 1 :])
    return replace(clip, **{name: right})


def _said(clip: Clip, erratum: Erratum) -> str | None:
    """What a clip says where the table has a row, as the table would write it; None where it has no such place."""
    name, position = parsed_field(erratum.field)
    now: Any = getattr(clip, name)
    if position is None:
        return as_text(name, now)
    return as_text(name, now[position]) if position < len(now) else None


def parsed_field(field: str) -> tuple[str, int | None]:
    """Name and position of a clip's field, ``("judge_scores", 3)``; an empty name for another field."""
    match = _FIELD.fullmatch(field)
    if not match:
        return "", None
    return match[1], int(match[2]) if match[2] else None


def as_text(name: str, value: Any) -> str:
    """A field's value, or one of its values, as the tables write it."""
    if isinstance(value, tuple):
        return (" > " if name == "sub_actions" else " ").join(as_text(name, v) for v in value)
    if name == "sub_actions":
        return SUB_ACTIONS.get(value, str(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def from_text(name: str, text: str, like: Any) -> Any:
    """The value that a table writes, of the type of another. Raises ValueError where the text is no such value."""
    if isinstance(like, tuple):
        parts = text.split(" > " if name == "sub_actions" else None)
        if len(parts) != len(like):
            raise ValueError(f"{text!r} has not {len(like)} values")
        return tuple(from_text(name, part, like[0]) for part in parts)
    if name == "sub_actions":
        if text not in _SUB_ACTION_IDS:
            raise ValueError(f"{text!r} is no sub-action")
        return _SUB_ACTION_IDS[text]
    return type(like)(text)
