"""DeepLabCut's tables: CSV as DeepLabCut or a spreadsheet saves it, and HDF5 as pandas keeps it.

Of HDF5 the "fixed" layout is read, plain arrays of numbers and text, as annotations are kept. What pandas keeps as
pickled objects is not read: unpickling a stranger's file may run its code.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.documents import Table, read_table
from finediving_pose.errors import PoseError
from finediving_pose.formats.hdf5_files import reading

_LEVELS = ("scorer", "individuals", "bodyparts", "coords")
_PICKLED = "keeps text as pickled objects, which are not read; save the table as CSV"


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds: ``coord`` (x, y or likelihood) of an individual's bodypart; "" in single-animal tables."""

    individual: str
    bodypart: str
    coord: str


@dataclass(frozen=True, slots=True)
class PointTable:
    """Points of a picture a row.

    Attributes
    ----------
    scorer : who labelled, or the model's name
    columns : see :class:`Column`
    images : the picture of each row, a path with slashes, or a frame's number in a video
    entries : where in the file each row is, in words
    values : float (rows, columns), NaN where empty
    """

    scorer: str
    columns: list[Column]
    images: list[str]
    entries: list[str]
    values: NDArray[np.float64]


def is_point_csv(path: Path) -> bool:
    """Whether a text file begins as DeepLabCut's do, whatever separates its cells."""
    with open(path, "rb") as f:
        raw = f.read(200)
    utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = raw.decode("utf-16" if utf16 else "utf-8-sig", errors="ignore")
    return text.lstrip().lstrip('"').startswith("scorer")


def read_point_csv(path: Path) -> PointTable:
    """The table of a CSV file. Raises PoseError where it is none of DeepLabCut's."""
    table = read_table(path, PoseError)
    levels = {row[0].strip().lower(): row for row in table.rows[:4] if row[0].strip().lower() in _LEVELS}
    if not {"bodyparts", "coords"} <= levels.keys():
        raise PoseError(f"{path}: no DeepLabCut table; expected header rows scorer, bodyparts, coords")
    coords = [cell.strip().lower() for cell in levels["coords"]]
    points = [i for i, coord in enumerate(coords) if coord in ("x", "y", "likelihood")]
    if not points:
        raise PoseError(f"{path}: no columns x and y in the header row coords; export it again")

    def cell(level: str, column: int) -> str:
        row = levels.get(level, [])
        return row[column].strip() if column < len(row) else ""

    columns = [Column(cell("individuals", c), cell("bodyparts", c), coords[c]) for c in points]
    images, entries, values = [], [], []
    for row, line in zip(table.rows[len(levels) :], table.lines[len(levels) :], strict=True):
        images.append("/".join(part.strip() for part in row[: points[0]] if part.strip()).replace("\\", "/"))
        entries.append(f"line {line}, image {images[-1]}")
        numbers = [_number(path, entries[-1], table, row, c, cell("bodyparts", c)) for c in points]
        values.append(numbers)
    array = np.array(values, float).reshape(len(values), len(points))
    return PointTable(cell("scorer", points[0]), columns, images, entries, array)


def _number(path: Path, entry: str, table: Table, row: list[str], column: int, bodypart: str) -> float:
    text = row[column].strip() if column < len(row) else ""
    try:
        return table.number(text) if text else np.nan
    except ValueError:
        raise PoseError(f"{path}: {entry}: {bodypart} is {text!r}, expected a number or nothing") from None


def is_point_hdf5(path: Path) -> bool:
    """Whether an HDF5 file holds a table of pandas."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return any("pandas_type" in group.attrs for group in file.values() if isinstance(group, h5py.Group))
    except OSError:
        return False


def read_point_hdf5(path: Path) -> PointTable:
    """The only table of an HDF5 file. Raises PoseError where pandas did not write it in its fixed layout."""
    import h5py

    with reading(path, "DeepLabCut"), h5py.File(path, "r") as file:
        groups: list[Any] = [g for g in file.values() if isinstance(g, h5py.Group) and "pandas_type" in g.attrs]
        if len(groups) != 1:
            raise PoseError(f"{path}: {len(groups)} tables of pandas in it, expected one; save the table as CSV")
        group = groups[0]
        if "table" in group:
            raise PoseError(f"{path}: {_PICKLED}, for videos with: deeplabcut.analyze_videos(..., save_as_csv=True)")
        labels, values = [], []
        for block in range(int(group.attrs["nblocks"])):
            labels += _labels(path, group, f"block{block}_items")
            data = group[f"block{block}_values"]
            values.append(data[...] if data.attrs.get("transposed", 1) else data[...].T)
        images = ["/".join(parts).replace("\\", "/") for parts in _labels(path, group, "axis1")]
        array = np.concatenate(values, axis=1).astype(float).reshape(len(images), len(labels))
        columns = [Column(label[1] if len(label) > 3 else "", label[-2], label[-1]) for label in labels]
        entries = [f"row {i}, image {image}" for i, image in enumerate(images)]
        return PointTable(labels[0][0], columns, images, entries, array)


def _labels(path: Path, group: Any, axis: str) -> list[tuple[str, ...]]:
    """The labels of a table's axis: each level's texts, and their numbers."""
    levels = int(group.attrs.get(f"{axis}_nlevels", 1))
    if f"{axis}_level0" not in group:
        return [(text,) for text in _texts(path, group[axis])]
    parts = []
    for level in range(levels):
        texts, numbers = _texts(path, group[f"{axis}_level{level}"]), group[f"{axis}_label{level}"][...]
        parts.append([texts[i] if i >= 0 else "" for i in numbers.tolist()])
    return list(zip(*parts, strict=True))


def _texts(path: Path, data: Any) -> list[str]:
    if data.dtype.kind in "iu":
        return [str(number) for number in data[...].tolist()]
    if data.dtype.kind != "S":
        raise PoseError(f"{path}: {_PICKLED}")
    return [text.decode("utf-8") for text in data[...].tolist()]
