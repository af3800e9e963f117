"""Predictions: what is said of each test dive, and the files that people read.

``predictions.csv`` has a row a test dive, ``votes.csv`` a row a comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.clip import ClipKey
from finediving_pose.documents import read_table
from finediving_pose.errors import FdposeError, UsageError
from finediving_pose.spreadsheet import unescaped, write_csv

PREDICTIONS, VOTES = "predictions.csv", "votes.csv"

MATCHED_BY = {"number": "dive number", "random": "chance", "rotation": "rotation", "difficulty": "same difficulty"}
"""What a dive and its exemplars have in common, by the pairing; ``difficulty`` where the fallback found them."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One comparison of a test dive with a train dive.

    Attributes
    ----------
    exemplar : the train dive
    exemplar_score : its true score, points; where scores over difficulty are compared, at the test dive's difficulty
    relative_score : points that the test dive is put above it
    stages : points of that by stage, weights applied; they add up to ``relative_score``. Empty without stages
    exemplar_transitions : frames at which its stages were cut, counted from its first frame
    """

    exemplar: ClipKey
    exemplar_score: float
    relative_score: float
    stages: tuple[float, ...]
    exemplar_transitions: tuple[int, ...]

    @property
    def score(self) -> float:
        """What the vote says that the test dive is worth, points."""
        return self.exemplar_score + self.relative_score


@dataclass(frozen=True, slots=True)
class Prediction:
    """One scored dive. Transitions are frames counted from the clip's first, -1 for a stage that it does not have.

    Without labelled stages there are no true transitions, without a prediction of them no predicted ones; ``tiou`` is
    NaN then. ``exemplar_mean`` is the mean score of the dive's exemplars, the baseline. ``matched_by`` says what the
    dive and its exemplars have in common, see :data:`MATCHED_BY`. A direct method casts no votes.
    """

    dive: ClipKey
    action_type: str
    difficulty: float | None
    true_score: float
    predicted_score: float
    exemplar_mean: float
    matched_by: str
    true_transitions: tuple[int, ...]
    predicted_transitions: tuple[int, ...]
    tiou: float
    votes: tuple[Vote, ...]

    @property
    def error(self) -> float:
        """Points that the prediction is above the truth."""
        return self.predicted_score - self.true_score

    @property
    def stages(self) -> tuple[float, ...]:
        """Points that each stage puts the dive above its exemplars, mean over the votes; empty without stages."""
        return (
            ()
            if not any(v.stages for v in self.votes)
            else tuple(np.mean([v.stages for v in self.votes], axis=0).tolist())
        )


def write_predictions(folder: Path, predictions: Sequence[Prediction]) -> None:
    """Write both files into a run folder. Transitions and stages are numbered columns, empty where a dive has fewer."""
    votes = [_vote_row(p, v) for p in predictions for v in p.votes]
    files = {VOTES: votes, PREDICTIONS: [_prediction_row(p) for p in predictions]}
    for name, rows in files.items():
        if not rows:
            continue  # a direct method casts no votes
        columns = list(dict.fromkeys(column for row in rows for column in row))
        write_csv(folder / name, columns, ([row.get(c, "") for c in columns] for row in rows))


def read_predictions(folder: Path) -> list[Prediction]:
    """What :func:`write_predictions` wrote. Raises UsageError where the folder has no finished run."""
    try:
        votes: dict[ClipKey, list[Vote]] = {}
        for row in _rows(folder / VOTES) if (folder / VOTES).is_file() else []:
            votes.setdefault(ClipKey(row["video"], int(row["index"])), []).append(_read_vote(row))
        return [_read_prediction(row, votes) for row in _rows(folder / PREDICTIONS)]
    except (FdposeError, KeyError, ValueError) as e:
        raise UsageError(f"{folder}: no finished run ({e}); train one with: fdpose benchmark METHOD") from e


def _prediction_row(p: Prediction) -> dict[str, Any]:
    return {
        "video": p.dive.video,
        "index": p.dive.index,
        "action_type": p.action_type,
        "difficulty": p.difficulty,
        "true_score": p.true_score,
        "predicted_score": p.predicted_score,
        "exemplar_mean": p.exemplar_mean,
        "matched_by": p.matched_by,
        "votes": len(p.votes),
        **_numbered("true_transition", p.true_transitions),
        **_numbered("predicted_transition", p.predicted_transitions),
        "tiou": p.tiou,
        **_numbered("stage", [round(s, 4) for s in p.stages]),
    }


def _vote_row(p: Prediction, v: Vote) -> dict[str, Any]:
    return {
        "video": p.dive.video,
        "index": p.dive.index,
        "exemplar_video": v.exemplar.video,
        "exemplar_index": v.exemplar.index,
        "exemplar_score": v.exemplar_score,
        "relative_score": v.relative_score,
        **_numbered("stage", v.stages),
        **_numbered("exemplar_transition", v.exemplar_transitions),
    }


def _read_prediction(row: Mapping[str, str], votes: Mapping[ClipKey, list[Vote]]) -> Prediction:
    dive = ClipKey(row["video"], int(row["index"]))
    true, predicted, mean, tiou = (float(row[k]) for k in ("true_score", "predicted_score", "exemplar_mean", "tiou"))
    cut = [tuple(int(t) for t in _of(row, f"{kind}_transition")) for kind in ("true", "predicted")]
    difficulty = float(row["difficulty"]) if row["difficulty"] else None
    return Prediction(
        dive, row["action_type"], difficulty, true, predicted, mean, row["matched_by"], *cut,
        tiou=tiou, votes=tuple(votes.get(dive, ())),
    )  # fmt: skip


def _read_vote(row: Mapping[str, str]) -> Vote:
    exemplar = ClipKey(row["exemplar_video"], int(row["exemplar_index"]))
    stages = tuple(float(s) for s in _of(row, "stage"))
    cut = tuple(int(t) for t in _of(row, "exemplar_transition"))
    return Vote(exemplar, float(row["exemplar_score"]), float(row["relative_score"]), stages, cut)


def _numbered(name: str, values: Iterable[Any]) -> dict[str, Any]:
    return {f"{name}_{n}": value for n, value in enumerate(values, 1)}


def _of(row: Mapping[str, str], name: str) -> Iterator[str]:
    """Values of the numbered columns of a name, as far as they are filled."""
    n = 1
    while row.get(f"{name}_{n}"):
        yield row[f"{name}_{n}"]
        n += 1


def _rows(path: Path) -> list[dict[str, str]]:
    columns, *rows = read_table(path, UsageError).rows or [[]]
    return [dict(zip(columns, map(unescaped, cells), strict=True)) for cells in rows]
