"""Known errors of the released labels, and their correction when reading, for those who ask for it.

``data_manifest/errata.csv`` has every warning and error that ``fdpose validate`` finds in FineDiving's and
MTL-AQA's label files, one row each, and is made by that command. ``docs/errata.md`` explains its classes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from finediving_pose.clip import Clip
from finediving_pose.documents import read_table
from finediving_pose.errors import LabelError, UsageError
from finediving_pose.spreadsheet import unescaped

BUNDLED = "errata"
"""What ``--baseline`` calls the list that comes with the package."""

_FIELD = re.compile(r"(\w+)(?:\[(\d+)\])?")
_CLIP_FIELDS = frozenset(f.name for f in fields(Clip))


@dataclass(frozen=True, slots=True)
class Erratum:
    """One row of the list, every value as text.

    Attributes
    ----------
    dataset : ``finediving`` or ``mtl_aqa``
    video, index : the dive; empty for a whole file
    rule, severity : of ``fdpose validate``
    field : what is wrong: a field of Clip, perhaps with a position (``judge_scores[3]``), or one of a label file
    found, expected : what the labels say and what they should
    certain : ``yes`` where ``expected`` can take the place of ``found``
    message : in words
    """

    dataset: str
    video: str
    index: str
    rule: str
    severity: str
    field: str
    found: str
    expected: str
    certain: str
    message: str

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes it the same finding again, whatever its wording."""
        return (self.dataset, self.video, self.index, self.rule, self.field, self.found)


COLUMNS = tuple(f.name for f in fields(Erratum))


def read_errata(path: Path | None = None) -> list[Erratum]:
    """Rows of a list of findings; of the bundled one where no path is given.

    Raises
    ------
    UsageError
        The file is missing or no such list.
    """
    with as_file(files("data_manifest") / "errata.csv") as bundled:
        try:
            table = read_table(path or bundled, UsageError)
        except UsageError as e:
            said = str(e).removeprefix(f"{path}: ")
            raise UsageError(
                f"{path}: can't be read as a list of findings ({said}); make one with: fdpose validate --csv"
            ) from None
    columns, *rows = table.rows or [[]]
    missing = [c for c in COLUMNS if c not in columns]
    if missing:
        raise UsageError(
            f"{path}: no column {missing[0]!r}; expected what fdpose validate --csv writes: {','.join(COLUMNS)}"
        )
    given = (dict(zip(columns, map(unescaped, cells), strict=False)) for cells in rows)
    return [Erratum(**{c: row.get(c, "") for c in COLUMNS}) for row in given]


def apply_errata(clips: Sequence[Clip]) -> tuple[list[Clip], list[Erratum]]:
    """The clips with every certain correction of the bundled list made, and the corrections that were.

    A correction is made only where the clip still says what the list says it does, so a later release
    or a mended file is left as it is. Corrections of what only the label files hold change nothing.

    Raises
    ------
    LabelError
        A correction makes a clip impossible, or two corrections contradict each other.
    """
    corrections = _by_clip()
    made: list[Erratum] = []
    corrected = []
    for clip in clips:
        for erratum in corrections.get((clip.source, clip.key.video, str(clip.key.index)), ()):
            changed = _corrected(clip, erratum)
            if changed is not None:
                clip = changed
                made.append(erratum)
        corrected.append(clip)
    return corrected, made


def count_errata(clips: Iterable[Clip]) -> tuple[int, int]:
    """How many certain corrections of the bundled list these clips have, and how many they still lack."""
    corrections = _by_clip()
    applied = left = 0
    for clip in clips:
        for erratum in corrections.get((clip.source, clip.key.video, str(clip.key.index)), ()):
            says = _said(clip, erratum)
            applied += says == erratum.expected
            left += says == erratum.found
    return applied, left


@cache
def _by_clip() -> dict[tuple[str, str, str], list[Erratum]]:
    """Certain corrections of clip fields, one a field."""
    found: dict[tuple[str, str, str], dict[str, Erratum]] = defaultdict(dict)
    for e in read_errata():
        if e.certain == "yes" and _parsed(e.field)[0] in _CLIP_FIELDS:
            first = found[e.dataset, e.video, e.index].setdefault(e.field, e)
            if first.expected != e.expected:
                raise LabelError(
                    f"errata.csv: {e.video}/{e.index}: {e.field} should be {first.expected} by {first.rule} and"
                    f" {e.expected} by {e.rule}; make the list again with: fdpose validate --csv"
                )
    return {key: list(by_field.values()) for key, by_field in found.items()}


def _corrected(clip: Clip, erratum: Erratum) -> Clip | None:
    """The clip with one correction, None where it does not say what the list says."""
    if _said(clip, erratum) != erratum.found:
        return None
    name, position = _parsed(erratum.field)
    now: Any = getattr(clip, name)
    if position is None:
        return replace(clip, **{name: _like(now, erratum.expected)})
    return replace(clip, **{name: (*now[:position], _like(now[position], erratum.expected), *now[position + 1 :])})


def _said(clip: Clip, erratum: Erratum) -> str | None:
    """What a clip says where the list found an error, None where it has no such place."""
    name, position = _parsed(erratum.field)
    value: Any = getattr(clip, name)
    if position is None:
        return _text(value)
    return _text(value[position]) if position < len(value) else None


def _parsed(field: str) -> tuple[str, int | None]:
    match = _FIELD.fullmatch(field)
    if not match:
        return "", None
    return match[1], int(match[2]) if match[2] else None


def _like(value: Any, text: str) -> Any:
    return type(value)(text)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
