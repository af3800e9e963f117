"""What judges make of a dive: seven of them, or the panel of a synchronised event.

Awards run from 0 to 10 in half points. Of seven, the two highest and the two lowest are struck and the sum of
the three that remain is multiplied by the degree of difficulty. Of a synchronised event's panel the five awards
that are left after striking are listed, one for each diver's execution and three for synchronisation, and
all count, times 0.6 (World Aquatics competition rules, diving, judging).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finediving_pose.lexicon import awards_total

N_JUDGES = 7
N_EXECUTION, N_SYNCHRONISATION = 3, 5

SPREAD = (0.50, 0.50, 0.51, 0.41, 0.35, 0.31, 0.29)
SPREAD_AT = (0.0, 4.0, 5.5, 6.5, 7.5, 8.5, 9.5)
"""Standard deviation of the seven awards for one dive by the award, root mean square over FineDiving's 1369 dives
with seven awards but for two with an award that is 3 points off; below 4 points the next value is held."""

NOTHING = (0.0,) * N_JUDGES
"""The awards of a failed dive, whatever else was good about it."""

GRID = 0.5
BIAS = 0.06
"""Standard deviation of what one judge gives more than the others in one event, from the same labels."""

SHARED = 0.35
"""Standard deviation of what a whole panel sees otherwise than another panel would, in points. An assumption, as the
labels of one panel can't show it: as much as one of its judges differs from the others at the usual award."""

TOGETHER = 0.05
"""Seconds between two synchronised divers that cost a point of synchronisation."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Seven judges, each with a bias of their own in points."""

    bias: tuple[float, ...]
    shared: float = SHARED

    def awards(self, quality: float, rng: np.random.Generator) -> tuple[float, ...]:
        """Seven awards for one dive, each a multiple of a half between 0 and 10."""
        return _given(quality + self._common(rng) + np.array(self.bias), quality, rng)

    def synchronised_awards(
        self, execution: tuple[float, float], together: float, rng: np.random.Generator
    ) -> tuple[float, ...]:
        """Five awards: the middle one of three for each diver's execution, the middle three of five for the rest."""
        common = self._common(rng)
        listed: list[float] = []
        for quality in execution:
            listed += sorted(_given(np.full(N_EXECUTION, quality + common), quality, rng))[1:2]
        return (*listed, *sorted(_given(np.full(N_SYNCHRONISATION, together + common), together, rng))[1:4])

    def _common(self, rng: np.random.Generator) -> float:
        return float(rng.normal(0, self.shared))


def random_panel(rng: np.random.Generator) -> Panel:
    """The judges of one event."""
    return Panel(tuple(float(b) for b in rng.normal(0, BIAS, N_JUDGES)))


def synchronisation(execution: tuple[float, float], offset: float) -> float:
    """True quality of synchronisation, 0 to 10: how far apart in time the divers are, and how unlike they dive."""
    unlike = 0.3 * abs(execution[0] - execution[1])
    return float(np.clip(min(10.0, np.mean(execution) + 1.2) - unlike - abs(offset) / TOGETHER, 0, 10))


def dive_score(awards: Sequence[float], difficulty: float) -> float:
    """Score in points: seven awards of one diver, or five of two, times the degree of difficulty."""
    total = awards_total(awards, len(awards) == 5)
    assert total is not None
    return round(total * difficulty, 2)


def counting(awards: Sequence[float]) -> tuple[float, ...]:
    """Of seven awards the three in the middle, which count."""
    return tuple(sorted(awards)[2:5])


def noise_ceiling(qualities: Sequence[float], difficulties: Sequence[float], scores: Sequence[float]) -> float | None:
    """Spearman's rho that a scorer who sees the true quality would reach; None below three dives."""
    from scipy.stats import spearmanr

    if len(scores) < 3:
        return None
    result: Any = spearmanr(np.asarray(qualities) * np.asarray(difficulties), scores)
    return None if np.isnan(result.statistic) else round(float(result.statistic), 4)


def _given(seen: np.ndarray, quality: float, rng: np.random.Generator) -> tuple[float, ...]:
    """Awards for what judges see: each errs, the more the worse the dive, and rounds to half points."""
    spread = np.interp(quality, SPREAD_AT, SPREAD)
    error = np.sqrt(max(spread**2 - BIAS**2 - GRID**2 / 12, 0.01))
    errs = seen + rng.normal(0, error, len(seen))
    return tuple(float(a) for a in np.clip(np.round(errs / GRID) * GRID, 0, 10))
