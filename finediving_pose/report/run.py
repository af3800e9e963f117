"""A finished run, as ``fdpose benchmark`` leaves it: metrics.json and predictions.csv."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finediving_pose.errors import UsageError

METRICS = {
    "rho": "Spearman's rho",
    "r_l2_x100": "relative L2, x 100",
    "l2": "L2, points squared",
    "aiou_50": "AIoU at 0.5",
    "aiou_75": "AIoU at 0.75",
}
"""The paper's measures, by their key in metrics.json; rho and AIoU are better when higher, L2 when lower."""


@dataclass(frozen=True, slots=True)
class ScoredDive:
    """One test dive: the judges' score, the model's, and the mean score of the exemplars it was compared with."""

    dive: str
    action_type: str
    true_score: float
    predicted_score: float
    exemplar_mean: float

    @property
    def error(self) -> float:
        return self.predicted_score - self.true_score


@dataclass(frozen=True, slots=True)
class Run:
    """What a run folder says. ``metrics`` is metrics.json as it is."""

    folder: Path
    metrics: dict[str, Any]
    dives: list[ScoredDive]

    @property
    def measures(self) -> list[tuple[str, float, float | None]]:
        """(words, the model's value, the value of predicting the exemplars' mean) of every measure there is."""
        baseline = self.metrics.get("exemplar_mean") or {}
        known = {k: words for k, words in METRICS.items() if self.metrics.get(k) is not None}
        return [(words, self.metrics[k], baseline.get(k)) for k, words in known.items()]

    @property
    def facts(self) -> dict[str, Any]:
        """How the run came about, by words; only what is known."""
        keys = {
            "model": "model", "preset": "preset", "seed": "seed", "batch size": "batch_size",
            "epochs": "epochs", "training dives": "n_train", "test dives": "n_test",
            "weights chosen": "selection",
        }  # fmt: skip
        facts = {words: self.metrics.get(key) for words, key in keys.items()}
        if self.metrics.get("seconds") is not None:
            facts["time"] = f"{self.metrics['seconds']:,.0f} s"
        return {words: value for words, value in facts.items() if value is not None}

    @property
    def mean_error(self) -> float | None:
        """Mean absolute error in points; None where no dive was scored."""
        return sum(abs(d.error) for d in self.dives) / len(self.dives) if self.dives else None

    def worst(self, n: int) -> list[ScoredDive]:
        """The dives with the largest errors, largest first."""
        return sorted(self.dives, key=lambda d: -abs(d.error))[:n]


def read_run(folder: Path) -> Run:
    """Read a run folder. Raises UsageError where it is not a finished run."""
    try:
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        with open(folder / "predictions.csv", encoding="utf-8", newline="") as f:
            dives = [_dive(row) for row in csv.DictReader(f)]
        if not isinstance(metrics, dict):
            raise ValueError("metrics.json holds no object")
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise UsageError(
            f"{folder}: not a finished run ({e}); train one with: fdpose benchmark hpmcr, and give its folder"
        ) from e
    return Run(folder, metrics, dives)


def _dive(row: dict[str, str]) -> ScoredDive:
    true, predicted, mean = (float(row[k]) for k in ("true_score", "predicted_score", "exemplar_mean"))
    return ScoredDive(f"{row['video']}/{row['index']}", row["action_type"], true, predicted, mean)
