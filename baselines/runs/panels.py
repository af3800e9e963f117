"""Test dives scored by a run's own voters, and by four more panels: how far figures depend on who votes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from torch import nn

from baselines.data.dives import Dives
from baselines.method import ComparativeNetwork, Method
from baselines.runs.config import Evaluation
from baselines.runs.figures import Figures, compute_figures
from baselines.runs.predictions import Prediction
from baselines.runs.scoring import Encodings, predict_clips

PANELS = 5
APART = 1000
"""Between the seeds of two panels, so that trainings whose seeds follow each other share none."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Test dives that were scored; ``seconds`` is what it took with one panel, ``panels`` are the figures of each."""

    predictions: list[Prediction]
    seconds: float
    panels: tuple[Figures, ...]


def score_with_panels(
    network: nn.Module,
    method: Method,
    dives: Dives,
    queries: Sequence[int],
    train: Sequence[int],
    how: Evaluation,
    seed: int,
) -> Scored:
    """Score the queries with the voters of ``seed``, and, where dives are compared, with those of four more seeds."""
    started = time.monotonic()
    encodings = Encodings(cast(ComparativeNetwork, network), dives)
    predictions = predict_clips(network, method, dives, queries, train, how, seed, encodings)
    seconds = time.monotonic() - started
    if not method.comparative:
        return Scored(predictions, seconds, ())
    others = (seed + APART * n for n in range(1, PANELS))
    drawn_anew = (predict_clips(network, method, dives, queries, train, how, other, encodings) for other in others)
    return Scored(predictions, seconds, tuple(map(compute_figures, (predictions, *drawn_anew))))
