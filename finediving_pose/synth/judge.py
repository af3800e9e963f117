"""Faults of a dive, its true quality, and what seven judges make of it.

Awards run from 0 to 10 in half points; the two highest and the two lowest are struck and the sum of the
three that remain is multiplied by the degree of difficulty (World Aquatics competition rules, diving, judging).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

N_JUDGES = 7


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong in a dive. Every fault changes the motion or the picture.

    Attributes
    ----------
    rotation : rotation missing (negative) or too much (positive) at the entry, degrees
    knees : knees bent where they should be straight, degrees
    split : legs apart, degrees
    loose : tuck or pike not closed, degrees at the hips
    crooked : body bent at the hips and tilted at the entry, degrees
    splash : size of the splash beyond the smallest, 0 to 1
    """

    rotation: float = 0.0
    knees: float = 0.0
    split: float = 0.0
    loose: float = 0.0
    crooked: float = 0.0
    splash: float = 0.0

    def penalty(self) -> float:
        """Points lost."""
        return sum(abs(getattr(self, name)) / unit for name, (unit, _) in COST.items())

    def quality(self) -> float:
        """True quality, 0 to 10."""
        return float(np.clip(10.0 - self.penalty(), 0.0, 10.0))

    def as_dict(self) -> dict[str, float]:
        """The faults by name, rounded for a file."""
        return {k: round(v, 3) for k, v in asdict(self).items()}


COST: dict[str, tuple[float, float]] = {
    "rotation": (11.0, 36.0),
    "knees": (18.0, 50.0),
    "split": (11.0, 30.0),
    "loose": (18.0, 50.0),
    "crooked": (15.0, 40.0),
    "splash": (0.4, 1.0),
}
"""Of each fault: how much of it costs one point, and the most there is."""


def random_faults(rng: np.random.Generator, skill: float = 0.0) -> Faults:
    """Faults of one dive. ``skill`` (points) lifts a good diver's dives.

    The points to be lost are drawn first, wide, and then spread over the faults, so that faults go
    together as they do in people: a poor dive is a little poor in most things.
    """
    lost = float(np.clip(rng.uniform(0.7, 6.8) + rng.normal(0, 0.3) - skill, 0.4, 7.2))
    left = lost * rng.dirichlet([4.0, 2.4, 2.4, 2.4, 2.7, 3.6])
    amounts: dict[str, float] = {}
    spill = 0.0
    for field, points in zip(fields(Faults), left, strict=True):
        unit, most = COST[field.name]
        amounts[field.name] = float(min((points + spill) * unit, most))
        spill = points + spill - amounts[field.name] / unit
    amounts["rotation"] *= float(rng.choice([-1, 1]))
    return Faults(**amounts)


@dataclass(frozen=True, slots=True)
class Panel:
    """Seven judges, each with a bias of their own in points."""

    bias: tuple[float, ...]
    noise: float = 0.3

    def awards(self, quality: float, rng: np.random.Generator) -> tuple[float, ...]:
        """Seven awards for one dive, each a multiple of a half between 0 and 10."""
        seen = quality + np.array(self.bias) + rng.normal(0, self.noise, N_JUDGES)
        return tuple(float(a) for a in np.clip(np.round(seen * 2) / 2, 0, 10))


def random_panel(rng: np.random.Generator) -> Panel:
    """The judges of one event."""
    return Panel(tuple(float(b) for b in rng.normal(0, 0.2, N_JUDGES)))


def dive_score(awards: Sequence[float], difficulty: float) -> float:
    """Score in points from seven awards: the middle three times the degree of difficulty."""
    return round(sum(sorted(awards)[2:5]) * difficulty, 2)


def noise_ceiling(qualities: Sequence[float], difficulties: Sequence[float], scores: Sequence[float]) -> float | None:
    """Spearman's rho that a scorer who sees the true quality would reach; None below three dives."""
    from scipy.stats import spearmanr

    if len(scores) < 3:
        return None
    result: Any = spearmanr(np.asarray(qualities) * np.asarray(difficulties), scores)
    return None if np.isnan(result.statistic) else round(float(result.statistic), 4)
