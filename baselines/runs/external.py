"""Predictions that another program made, scored as ours are."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from baselines.data.dives import Dives
from baselines.data.exemplars import Pairing, choose_voters
from baselines.data.settings import DataSettings
from baselines.data.splits import Fallback, some, split_clips
from baselines.method import Needs
from baselines.runs.config import Evaluation
from baselines.runs.predictions import Prediction
from baselines.runs.scoring import make_prediction
from finediving_pose.clip import ClipKey
from finediving_pose.errors import FdposeError, UsageError
from finediving_pose.packed.reader import PackedFile

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
        The file is missing, or lacks a column.
    FdposeError
        A row is not a finite score of a test clip, a clip stands twice, or a test clip is missing.
    """
    given = read_scores(path)
    needs = Needs.NUMBER if pairing != "random" else Needs.NOTHING
    split = split_clips(packed, needs, fallback=fallback, pairing=pairing)
    place = {packed.clips[i].key: i for i in split.test}
    if unknown := [str(key) for key in given if key not in place]:
        raise FdposeError(
            f"{path}: {len(unknown)} of {len(given)} clips are not test clips with a score in {packed.path}:"
            f" {some(unknown)}; list them with: fdpose info {packed.path}"
        )
    missing = [str(key) for key in place if key not in given]
    if missing and not partial:
        raise FdposeError(
            f"{path}: {len(missing)} of {len(place)} test clips have no prediction: {some(missing)}; figures of a part"
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
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns, rows = reader.fieldnames or [], list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise UsageError(
            f"{path}: can't be read as CSV ({e}); give a file with the columns {', '.join(COLUMNS)}"
        ) from e
    if absent := [c for c in COLUMNS if c not in columns]:
        raise UsageError(
            f"{path}: has no column {absent[0]!r}; it has {', '.join(map(str, columns)) or 'none'};"
            f" needed are {', '.join(COLUMNS)}"
        )
    if not rows:
        raise FdposeError(f"{path}: holds no predictions; write a row for each test clip")
    return _unique(path, [_read_row(path, n, row) for n, row in enumerate(rows, 2)])


def _read_row(path: Path, line: int, row: dict[str, str | None]) -> tuple[ClipKey, float]:
    video, index, text = ((row[c] or "").strip() for c in COLUMNS)
    try:
        key = ClipKey.parse(f"{video}/{index}")
        score = float(text)
    except (ValueError, FdposeError) as e:
        raise FdposeError(f"{path}: line {line}: {e}; expected a video, its index and a score in points") from e
    if not math.isfinite(score):
        raise FdposeError(f"{path}: line {line}: the score of {key} is {text!r}; expected a finite number of points")
    return key, score


def _unique(path: Path, scores: Sequence[tuple[ClipKey, float]]) -> dict[ClipKey, float]:
    found: dict[ClipKey, float] = {}
    for line, (key, score) in enumerate(scores, 2):
        if key in found:
            raise FdposeError(f"{path}: line {line}: {key} stands here a second time; keep one prediction a clip")
        found[key] = score
    return found
