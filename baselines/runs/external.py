"""Predictions that another program made, scored as ours are, and kept for the leaderboard where that is asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import field as default
from importlib.metadata import version
from pathlib import Path

from pydantic.dataclasses import dataclass

from baselines.data.dives import Dives
from baselines.data.exemplars import PAIRING_NEEDS, Pairing, choose_voters
from baselines.data.settings import DataSettings
from baselines.data.splits import Fallback, some, split_clips
from baselines.method import Needs
from baselines.runs.config import Evaluation
from baselines.runs.figures import Figures, Interval, Scores
from baselines.runs.outcome import OF_A_TEST_DIVE
from baselines.runs.predictions import Prediction, write_predictions
from baselines.runs.results import read_stored, write_stored
from baselines.runs.run import new_folder
from baselines.runs.scoring import make_prediction
from finediving_pose.clip import ClipKey
from finediving_pose.documents import Table, read_table
from finediving_pose.errors import FdposeError, UsageError
from finediving_pose.labels.errata import count_errata
from finediving_pose.packed.reader import PackedFile
from finediving_pose.spreadsheet import unescaped
from finediving_pose.workspace import Workspace

COLUMNS = ("video", "index", "predicted_score")
"""What a row must have; other columns are not read."""

EXTERNAL = "external.json"


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class ExternalMetrics:
    """What is kept of another program's predictions, beside ``predictions.csv``.

    Attributes
    ----------
    name : of the row in a leaderboard
    pairing : which dives the baseline is the mean of, and so the protocol that the predictions claim
    packed, digest : the packed file that they were scored on
    n_test : dives that were scored
    reads : what the program read of a test dive, as its user says, names of :class:`~baselines.method.Needs`, or None
    figures, intervals, exemplars_mean, matched_by_difficulty : see :class:`baselines.runs.figures.Scores`
    errata_applied, errata_left : known errors in the labels that are corrected in the packed file, and that are not
    version : of fdpose that scored them
    """

    name: str
    pairing: Pairing
    packed: str
    digest: str
    n_test: int
    figures: Figures
    intervals: dict[str, Interval]
    exemplars_mean: Figures
    matched_by_difficulty: int
    errata_applied: int
    errata_left: int
    reads: tuple[str, ...] | None = None
    version: str = default(default_factory=lambda: version("fdpose"))


def keep_predictions(
    workspace: Workspace,
    name: str,
    scored: Sequence[Prediction],
    scores: Scores,
    packed: PackedFile,
    pairing: Pairing,
    reads: Sequence[str] | None = None,
) -> Path:
    """Write scored predictions into a folder of their own under the data directory's runs; the folder.

    Raises
    ------
    UsageError
        The name can't be printed, or ``reads`` names something that can't be read of a test dive.
    """
    if not name.strip() or not name.isprintable():
        raise UsageError(f"--name {name!r}: a table can't print it; give a name of letters, digits and signs")
    known = [need.name for need in OF_A_TEST_DIVE]
    if odd := [what for what in reads or () if what not in known]:
        raise UsageError(f"{odd[0]!r} is not read of a test dive; there are {', '.join(map(str, known))}")
    applied, left = count_errata(c for c in packed.clips if c.split in ("train", "test"))
    metrics = ExternalMetrics(
        name=name,
        pairing=pairing,
        packed=str(packed.path.resolve()),
        digest=packed.digest,
        n_test=len(scored),
        figures=scores.figures,
        intervals=scores.intervals,
        exemplars_mean=scores.exemplars_mean,
        matched_by_difficulty=scores.matched_by_difficulty,
        errata_applied=applied,
        errata_left=left,
        reads=None if reads is None else tuple(need.name or "" for need in Needs if need.name in reads),
    )
    folder = new_folder(workspace, re.sub(r"[^\w.+-]+", "-", name).strip(".-") or "predictions")
    write_predictions(folder, scored)
    write_stored(folder / EXTERNAL, metrics)  # last: a folder that has it is whole
    return folder


def read_external(folder: Path) -> ExternalMetrics:
    """What :func:`keep_predictions` wrote. Raises UsageError where it can't be read."""
    missing = f"{folder}: no kept predictions; keep some with: fdpose evaluate FILE --keep"
    return read_stored(folder / EXTERNAL, ExternalMetrics, missing)


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
