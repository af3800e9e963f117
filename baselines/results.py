"""What a run leaves for people: predictions.csv, a row a test dive, and votes.csv, a row a comparison."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from baselines.evaluate import Prediction, Vote
from finediving_pose.clip import ClipKey
from finediving_pose.errors import UsageError
from finediving_pose.workspace import atomic_write

PREDICTIONS, VOTES = "predictions.csv", "votes.csv"


def write_predictions(folder: Path, predictions: Sequence[Prediction]) -> None:
    """Write both files into a run folder. Transitions and stages are numbered columns, empty where a dive has fewer."""
    votes = [_vote_row(p, v) for p in predictions for v in p.votes]
    for name, rows in ((VOTES, votes), (PREDICTIONS, [_prediction_row(p) for p in predictions])):
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with atomic_write(folder / name) as part, open(part, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)


def read_predictions(folder: Path) -> list[Prediction]:
    """What :func:`write_predictions` wrote. Raises UsageError where the folder has no finished run."""
    try:
        votes: dict[ClipKey, list[Vote]] = {}
        for row in _rows(folder / VOTES):
            votes.setdefault(ClipKey(row["video"], int(row["index"])), []).append(_read_vote(row))
        return [_read_prediction(row, votes) for row in _rows(folder / PREDICTIONS)]
    except (OSError, KeyError, ValueError) as e:
        raise UsageError(f"{folder}: no finished run ({e}); train one with: fdpose benchmark hpmcr") from e


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
        tiou=tiou, votes=tuple(votes[dive]),
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
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
