"""Frame ranges in a CSV file, for videos that nobody has labelled yet.

The first line names the columns: ``video,index,start_frame,end_frame`` and any other
field of :class:`~finediving_pose.clip.Clip`. Lists (judge_scores, stage_starts,
sub_actions) are written with spaces between their values. An empty cell is a missing value.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from finediving_pose.clip import Clip, ClipKey, Source, Split
from finediving_pose.errors import LabelError

_REQUIRED = ("video", "index", "start_frame", "end_frame")


def read_ranges(path: Path) -> list[Clip]:
    """Clips of a CSV file, sorted by key; ``source`` is "unlabelled" unless a column says otherwise.

    Raises
    ------
    LabelError
        A column is missing or unknown, a cell does not parse, or a clip is there twice.
    """
    clips: dict[ClipKey, Clip] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as f:
            reader = csv.DictReader(f, skipinitialspace=True)
            _check_columns(path, reader.fieldnames or [])
            for row in reader:
                where = f"{path}, line {reader.line_num}"
                clip = _clip(where, row)
                if clip.key in clips:
                    raise LabelError(f"{where}: {clip.key} is there twice; give each dive of a video its own index")
                clips[clip.key] = clip
    except OSError as e:
        raise LabelError(f"{path}: can't be read ({e.strerror}); check the path given to --labels") from e
    except (UnicodeDecodeError, csv.Error) as e:
        raise LabelError(f"{path}: not a CSV file in UTF-8 ({e}); save it as CSV again") from e
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


def _clip(where: str, row: dict[str, Any]) -> Clip:
    values: dict[str, Any] = {}
    if None in row or None in row.values():
        raise LabelError(f"{where}: not as many cells as the first line has columns")
    for column, cell in row.items():
        try:
            if cell.strip():
                values[column] = _READ[column][0](cell.strip())
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


def _whole(text: str) -> int:
    if int(text) < 0:
        raise ValueError
    return int(text)


def _one_of(*names: str) -> Callable[[str], str]:
    return lambda text: names[names.index(text)]


def _yes_no(text: str) -> bool:
    return ("no", "false", "0", "yes", "true", "1").index(text.lower()) > 2


def _wholes(text: str) -> tuple[int, ...]:
    return tuple(_whole(t) for t in text.split())


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(t) for t in text.split())


_WHOLE = (_whole, "a whole number, 0 or more")
_NUMBER = (float, "a number")
_READ: dict[str, tuple[Callable[[str], Any], str]] = {
    "video": (str, "a name"),
    "index": _WHOLE,
    "start_frame": _WHOLE,
    "end_frame": _WHOLE,
    "split": (_one_of(*get_args(Split)), f"one of {', '.join(get_args(Split))}"),
    "action_type": (str.lower, "a dive number"),
    "difficulty": _NUMBER,
    "dive_score": _NUMBER,
    "judge_scores": (_numbers, "numbers with spaces between"),
    "n_frames": _WHOLE,
    "fps": _NUMBER,
    "height_m": _NUMBER,
    "synchronised": (_yes_no, "yes or no"),
    "stage_starts": (_wholes, "whole numbers with spaces between"),
    "sub_actions": (_wholes, "whole numbers with spaces between"),
    "source": (_one_of(*get_args(Source)), f"one of {', '.join(get_args(Source))}"),
}
"""For every column: how a cell is read, and what is expected in it."""
