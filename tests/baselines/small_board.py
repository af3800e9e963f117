"""Entries of a leaderboard with predictions as far from the truth as wanted, without training anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from baselines.runs.entries import Entry
from baselines.runs.figures import Figures, compute_figures
from baselines.runs.predictions import Prediction
from baselines.runs.results import SELECTIONS
from finediving_pose.clip import ClipKey

DIVES = 80


def entry(folder: Path, name: str, seed: int | None, noise: float, dives: int = DIVES, **fields: Any) -> Entry:
    """A training whose predictions are the truth and noise, so much points."""
    rng = np.random.default_rng([len(name), seed or 0, ord(name[0])])
    truth = np.random.default_rng(1).normal(70, 10, DIVES)[:dives]
    predictions = [
        Prediction(
            ClipKey("test", n), "107b", 3.0, float(t), float(t + noise * rng.normal()), 70.0, "dive number", (), (),
            float("nan"), (),
        )
        for n, t in enumerate(truth)
    ]  # fmt: skip
    place = folder / f"{name}-{seed}-{fields.get('digest', 'd')}-{fields.get('pairing', 'number')}"
    place.mkdir(exist_ok=True)
    (place / "predictions.csv").touch()
    known: dict[str, Any] = {
        "key": name + fields.get("digest", "") + fields.get("pairing", ""),
        "external": False, "packed": "a.h5", "digest": "d" * 64, "pairing": "number", "multiplies": False,
        "reads": ("PICTURES",), "exemplars_mean": Figures(rho=0.5), "epochs": 10, "selection": SELECTIONS[None],
        "version": "1",
    }  # fmt: skip
    figures = compute_figures(predictions)
    return Entry(folder=place, name=name, seed=seed, figures=figures, predictions=predictions, **(known | fields))
