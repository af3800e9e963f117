"""Frame ranges in a CSV file, for videos that nobody has labelled yet.

The first line names the columns: ``video,index,start_frame,end_frame`` and any other
field of :class:`~finediving_pose.clip.Clip`. Lists (judge_scores, stage_starts,
sub_actions) are written with spaces between their values. An empty cell is a missing value.
Cells may be separated by commas, semicolons or tabs, as spreadsheets save them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from finediving_pose.clip import Clip, ClipKey, Source, Split
from finediving_pose.documents import Table, read_table
from finediving_pose.errors import LabelError
from finediving_pose.spreadsheet import unescaped

MOST_WHOLE = 2**31 - 1
"""Frame numbers are stored in 32 bits."""

_REQUIRED = ("video", "index", "start_frame", "end_frame")


def read_ranges(path: Path) -> list[Clip]:
    """Clips of a CSV file, sorted by key; ``source`` is "unlabelled" unless a column says otherwise.

    Raises
    ------
    LabelError
        A column is missing or unknown, a cell does not parse, or a clip is there twice.
    """
    table = read_table(path, LabelError)
    columns = [c.strip() for c in table.rows[0]] if table.rows else []
    while columns and not columns[-1]:  # a spreadsheet saves a column that was emptied
        columns.pop()
    _check_columns(path, columns)
    clips: dict[ClipKey, Clip] = {}
    for cells, line in zip(table.rows[1:], table.lines[1:], strict=True):
        where = f"{path}, line {line}"
        if len(cells) < len(columns) or any(cell.strip() for cell in cells[len(columns) :]):
            raise LabelError(f"{where}: not as many cells as the first line has columns")
        clip = _clip(where, dict(zip(columns, cells, strict=False)), table)
        if clip.key in clips:
            raise LabelError(f"{where}: {clip.key} is there twice; give each dive of a video its own index")
        clips[clip.key] = clip
    if not clips:
        raise LabelError(f"{path}: no rows; write one line a dive: {','.join(_REQUIRED)}")
    return [clips[key] for key in sorted(clips)]


def _check_columns(path: Path, columns: Any) -> None:
    missing = [c for c in _REQUIRED if c not in columns]
    if missing:
        raise LabelError(
            f"{path}: no column {missing[0]!r}; the first line has to name the columns {','.join(_REQUIRED)},"
            f" found {','.join(columns) or 'nothing'}"
        )
    unknown = [c for c in columns if c not in _READ]
    if unknown:
        raise LabelError(f"{path}: unknown column {unknown[0]!r}; the columns can be {', '.join(_READ)}")


def _clip(where: str, row: dict[str, str], table: Table) -> Clip:
    values: dict[str, Any] = {}
    for column, cell in row.items():
        try:
            if cell.strip():
                values[column] = _READ[column][0](unescaped(cell).strip(), table)
            elif column in _REQUIRED:
                raise ValueError
        except ValueError:
            raise LabelError(f"{where}: {cell!r} is no value for {column}; expected {_READ[column][1]}") from None
    try:
        key = ClipKey(values.pop("video"), values.pop("index"))
        values.setdefault("n_frames", values["end_frame"] - values["start_frame"] + 1)
        return Clip(key=key, **values)
    except LabelError as e:
        raise LabelError(f"{where}: {e}") from None


def _text(text: str, _: Table) -> str:
    return text


def _number(text: str, table: Table) -> float:
    """A finite number."""
    value = table.number(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _whole(text: str, table: Table) -> int:
    """A whole number, 0 or more; a spreadsheet may write 5 as 5.0."""
    value = int(text) if text.isdecimal() else _number(text, table)
    if value < 0 or value != int(value) or value > MOST_WHOLE:
        raise ValueError
    return int(value)


def _one_of(*names: str) -> Callable[[str, Table], str]:
    return lambda text, _: names[names.index(text)]


def _yes_no(text: str, _: Table) -> bool:
    return ("no", "false", "0", "yes", "true", "1").index(text.lower()) > 2


def _list_of(read: Callable[[str, Table], Any]) -> Callable[[str, Table], tuple[Any, ...]]:
    return lambda text, table: tuple(read(t, table) for t in text.split())


_WHOLE = (_whole, "a whole number, 0 or more")
_NUMBER = (_number, "a number")
_READ: dict[str, tuple[Callable[[str, Table], Any], str]] = {
    "video": (_text, "a name"),
    "index": _WHOLE,
    "start_frame": _WHOLE,
    "end_frame": _WHOLE,
    "split": (_one_of(*get_args(Split)), f"one of {', '.join(get_args(Split))}"),
    "action_type": (lambda text, _: text.lower(), "a dive number"),
    "difficulty": _NUMBER,
    "dive_score": _NUMBER,
    "judge_scores": (_list_of(_number), "numbers with spaces between"),
    "n_frames": _WHOLE,
    "fps": _NUMBER,
    "height_m": _NUMBER,
    "synchronised": (_yes_no, "yes or no"),
    "stage_starts": (_list_of(_whole), "whole numbers with spaces between"),
    "sub_actions": (_list_of(_whole), "whole numbers with spaces between"),
    "source": (_one_of(*get_args(Source)), f"one of {', '.join(get_args(Source))}"),
}
"""For every column: how a cell is read, and what is expected in it."""
