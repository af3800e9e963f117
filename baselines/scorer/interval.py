"""How far off a scorer is, and intervals that hold the true score as often as they say: split conformal prediction.

Source: Lei et al., "Distribution-free predictive inference for regression", JASA 2018. The errors are those on the
test dives of the run, which the network did not learn from. Where they and a new dive might come in any order, the
interval of level a holds the new score with a probability of a or more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from baselines.runs.predictions import Prediction

LEVELS = (0.8, 0.9)
"""Probabilities of the intervals that are given; the last one is shown."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Errors of a scorer on dives whose scores are known, and that it did not learn from.

    Attributes
    ----------
    errors : absolute errors, ascending, of which intervals are made; points for a degree of difficulty of 1 where
        ``by_difficulty``, else points
    by_difficulty : whether errors grow with the degree of difficulty, as scores do
    selected : whether the epoch was chosen on the same dives, so that the intervals are somewhat too narrow
    mean_error : mean absolute error of the scores, points
    exemplars_error : the same of the exemplars' mean, the baseline
    """

    errors: tuple[float, ...]
    by_difficulty: bool
    selected: bool = False
    mean_error: float = math.inf
    exemplars_error: float = math.inf

    @property
    def beats_the_mean(self) -> bool:
        """Whether scores were nearer to the truth than the exemplars' mean."""
        return self.mean_error < self.exemplars_error

    def half_width(self, level: float, difficulty: float | None) -> float | None:
        """Half the width of the interval, points; None where there are too few errors for the level.

        ``difficulty`` is the dive's, and is needed where errors grow with it.
        """
        rank = math.ceil((len(self.errors) + 1) * level)
        if rank > len(self.errors) or (self.by_difficulty and not difficulty):
            return None
        return self.errors[rank - 1] * (difficulty or 1.0 if self.by_difficulty else 1.0)


def calibrate(predictions: Sequence[Prediction], selected: bool) -> Calibration:
    """Of predictions of dives whose scores are known."""
    by_difficulty = all(p.difficulty for p in predictions)
    errors = [abs(p.error) / (p.difficulty or 1.0 if by_difficulty else 1.0) for p in predictions]
    off = [abs(p.error) for p in predictions], [abs(p.exemplar_mean - p.true_score) for p in predictions]
    return Calibration(tuple(sorted(errors)), by_difficulty, selected, *(float(np.mean(errors)) for errors in off))
