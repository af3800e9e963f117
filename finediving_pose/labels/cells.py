"""The cells of a clips table, checked when they are read and before they are written: tables are edited by hand.

What is found is said with the clip and the column. What a number may mean in a sport, such as an award of 11, is for
``fdpose validate``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from finediving_pose.clip import Clip, ClipKey, Source, Split
from finediving_pose.errors import LabelError

MOST = 2**31 - 1
"""The largest whole number: frame numbers have 32 bits in the packed file."""

LONGEST_LIST = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def clip_of_cells(cells: Mapping[str, Any]) -> Clip:
    """The clip of a row that has every column.

    Raises LabelError naming the clip, the column, what is in it and what is expected.
    """
    name = f"{cells['video']}/{cells['index']}"
    values = {column: _checked(name, column, value) for column, value in cells.items()}
    return Clip(key=ClipKey(values.pop("video"), values.pop("index")), **values)


def check_columns(columns: Sequence[str]) -> None:
    """Raise LabelError where one is missing, unknown or there twice. The index that pandas adds may be there."""
    known = [c for c in columns if c != "__index_level_0__"]
    missing = [c for c in COLUMNS if c not in known]
    if missing:
        raise LabelError(f"no column {missing[0]!r}; add it, with empty cells where nothing is known")
    unknown = [c for c in known if c not in COLUMNS] or [c for c in COLUMNS if known.count(c) > 1]
    if unknown:
        raise LabelError(f"the column {unknown[0]!r} is unknown or there twice; the columns are {', '.join(COLUMNS)}")


def _checked(clip: str, column: str, value: Any) -> Any:
    read, expected = COLUMNS[column]
    try:
        if value is None and column in _NEEDED:
            raise ValueError
        return None if value is None and column not in _LISTS else read(value)
    except (ValueError, TypeError, OverflowError):
        raise LabelError(f"{clip}: {column} is {_shown(value)}, not {expected}; mend the table") from None


def _shown(value: Any) -> str:
    text = "missing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _text(value: Any) -> str:
    if not isinstance(value, str) or _CONTROL.search(value):
        raise ValueError
    value.encode()  # a lone surrogate is no text
    return value


def _one_of(names: Sequence[str]) -> Callable[[Any], str]:
    return lambda value: names[names.index(value)]


def _whole(value: Any) -> int:
    if isinstance(value, bool) or value != int(value) or not 0 <= value <= MOST:
        raise ValueError
    return int(value)


def _real(value: Any) -> float:
    if isinstance(value, (bool, str)) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _flag(value: Any) -> bool:
    if value not in (True, False):
        raise ValueError
    return bool(value)


def _list_of(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def read_list(value: Any) -> tuple[Any, ...]:
        if isinstance(value, (str, bytes, Mapping)) or len(value or ()) > LONGEST_LIST:
            raise ValueError
        return tuple(map(read, value or ()))

    return read_list


_WHOLE = (_whole, "a whole number, 0 or more")
_REAL = (_real, "a finite number; leave a missing value empty")
_LISTS = {"judge_scores", "stage_starts", "sub_actions"}
_NEEDED = {"video", "index", "split", "source"}

COLUMNS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "video": (_text, "a name"),
    "index": _WHOLE,
    "split": (_one_of(get_args(Split)), f"a split: {', '.join(get_args(Split))}"),
    "action_type": (_text, "text"),
    "difficulty": _REAL,
    "dive_score": _REAL,
    "judge_scores": (_list_of(_real), "a list of finite numbers"),
    "start_frame": _WHOLE,
    "end_frame": _WHOLE,
    "n_frames": _WHOLE,
    "fps": _REAL,
    "height_m": _REAL,
    "synchronised": (_flag, "true or false"),
    "stage_starts": (_list_of(_whole), "a list of whole numbers, 0 or more"),
    "sub_actions": (_list_of(_whole), "a list of whole numbers, 0 or more"),
    "source": (_one_of(get_args(Source)), f"a data set: {', '.join(get_args(Source))}"),
    "image_width": _WHOLE,
    "image_height": _WHOLE,
}
"""Every field of Clip in its order, the key first: how a cell is read, and what is expected in it."""
