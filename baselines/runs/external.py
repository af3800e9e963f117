"""Predictions that another program made, scored as ours are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from baselines.data.dives import Dives
from baselines.data.exemplars import PAIRING_NEEDS, Pairing, choose_voters
from baselines.data.settings import DataSettings
from baselines.data.splits import Fallback, some, split_clips
from baselines.runs.config import Evaluation
from baselines.runs.predictions import Prediction
from baselines.runs.scoring import make_prediction
from finediving_pose.clip import ClipKey
from finediving_pose.documents import Table, read_table
from finediving_pose.errors import FdposeError, UsageError
from finediving_pose.packed.reader import PackedFile
from finediving_pose.spreadsheet import unescaped

COLUMNS = ("video", "index", "predicted_score")
"""What a row must have; other columns are not read."""


def score_file(
    path: Path,
    packed: PackedFile,
    *,
    pairing: Pairing = "number",
    seed: int = 0,
    fallback: Fallback | None = None,
    partial: bool = False,
) -> list[Prediction]:
    """Predictions of a CSV file beside the true scores and the exemplars' mean.

    Parameters
    ----------
    path : a row for each test clip of ``packed`` that has a score, see :data:`COLUMNS`; scores in points
    pairing, seed, fallback : which exemplars the mean is of, as in ``fdpose benchmark``
    partial : allow test clips without a prediction

    Raises
    ------
    UsageError
        The file is missing, is not CSV, lacks a column or holds no rows.
    FdposeError
        A row is not a finite score of a test dive, a dive is there twice, or a test dive is missing.
    """
    given = read_scores(path)
    split = split_clips(packed, PAIRING_NEEDS[pairing], fallback=fallback, pairing=pairing)
    place = {packed.clips[i].key: i for i in split.test}
    if unknown := [str(key) for key in given if key not in place]:
        raise FdposeError(
            f"{path}: {len(unknown)} of {len(given)} clips are not scored test dives of {packed.path}:"
            f" {some(unknown)}; video and index are those of the clips table"
        )
    missing = [str(key) for key in place if key not in given]
    if missing and not partial:
        raise FdposeError(
            f"{path}: {len(missing)} of {len(place)} test dives have no prediction: {some(missing)}; figures of a part"
            " can't be compared with figures of the whole split; score it all the same with: --partial"
        )
    dives = Dives(packed, DataSettings(pairing=pairing))
    queries = [i for key, i in place.items() if key in given]
    voters = choose_voters(packed.clips, queries, split.train, Evaluation().votes, seed, pairing=pairing)
    return [
        make_prediction(dives, i, given[packed.clips[i].key], chosen) for i, chosen in zip(queries, voters, strict=True)
    ]


def read_scores(path: Path) -> dict[ClipKey, float]:
    """Predicted scores by clip, points. Raises UsageError and FdposeError as :func:`score_file`."""
    try:
        table = read_table(path, UsageError)
    except UsageError as e:
        raise UsageError(f"{e}; it can't be read as CSV, needed are the columns {', '.join(COLUMNS)}") from None
    header, *rows = table.rows or [[]]
    header = [name.strip() for name in header]
    while header and not header[-1]:  # a spreadsheet saves a column that was emptied
        header.pop()
    if not set(COLUMNS) & set(header):
        raise UsageError(
            f"{path}: can't be read as CSV with the columns {', '.join(COLUMNS)}; its first line has"
            f" {', '.join(header)[:120] or 'nothing'}; see docs/csv.md"
        )
    for column in COLUMNS:
        if header.count(column) != 1:
            fault = f"has the column {column!r} twice" if column in header else f"has no column {column!r}"
            raise UsageError(f"{path}: {fault}; it has {', '.join(header) or 'none'}; see docs/csv.md")
    if table.separator != "," and any(len(row) == 1 and "," in row[0] for row in rows):
        raise UsageError(f"{path}: {table.separator!r} in the first line, commas below; separate the cells by commas")
    if not rows:
        raise UsageError(f"{path}: holds no predictions; write a row for each test dive")
    found: dict[ClipKey, float] = {}
    for line, row in zip(table.lines[1:], rows, strict=True):
        key, score = _read_row(f"{path}: line {line}", header, row, table)
        if key in found:
            raise FdposeError(f"{path}: line {line}: {key} is there a second time; keep one prediction a dive")
        found[key] = score
    return found


def _read_row(where: str, header: Sequence[str], row: Sequence[str], table: Table) -> tuple[ClipKey, float]:
    if len(row) < len(header) or any(cell.strip() for cell in row[len(header) :]):
        raise FdposeError(f"{where}: {len(row)} cells, the header has {len(header)}; decimals have a point, no comma")
    video, index, text = (unescaped(row[header.index(column)]).strip() for column in COLUMNS)
    if not index.isdecimal():
        raise FdposeError(f"{where}: index is {index!r}; expected a whole number, such as 4")
    try:
        key = ClipKey(video, int(index))
    except FdposeError as e:
        raise FdposeError(f"{where}: {e}") from e
    try:
        score = table.number(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise FdposeError(f"{where}: predicted_score of {key} is {text!r}; expected points, such as 71.35")
    return key, score
