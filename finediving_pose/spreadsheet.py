"""CSV files that people open in spreadsheets: no cell of text may become a formula there.

A cell that begins with ``=``, ``+``, ``-``, ``@`` (wide ones, too), a tab or a line end gets an apostrophe before it,
which spreadsheets take for "this is text"; so does one that begins with an apostrophe, so that reading takes off
exactly what writing put there (OWASP, "CSV Injection"). Numbers stay as they are.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from finediving_pose.workspace import atomic_write

_FORMULA = (*"=+-@", *"\uff1d\uff0b\uff0d\uff20", "\t", "\r", "\n")
_MARK = "'"


def escaped(cell: Any) -> Any:
    """The cell, marked as text where a spreadsheet might run it; anything but text comes back as it is."""
    return (
        _MARK + cell if isinstance(cell, str) and cell.startswith((*_FORMULA, _MARK)) and not _is_number(cell) else cell
    )


def unescaped(cell: str) -> str:
    """The inverse of :func:`escaped`."""
    return cell[1:] if cell.startswith(_MARK) and cell[1:].startswith((*_FORMULA, _MARK)) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell == cell.strip()


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """Write a table for people, whole or not at all: UTF-8, commas, text escaped."""
    with atomic_write(path) as part, open(part, "w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([escaped(cell) for cell in row] for row in rows)
    return path
