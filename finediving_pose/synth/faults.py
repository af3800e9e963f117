"""Faults of a dive and what they cost, by the published judging criteria.

A judge starts from ten and takes points off for what World Aquatics' competition regulations (part diving,
judging of the dive) name: the take-off's distance, the position in flight, the turning, the entry.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np

from data_manifest import table
from finediving_pose.lexicon import DiveNumber


class Price(NamedTuple):
    """How much of a fault costs one point, the most there is of it, and how often it is what went wrong."""

    unit: float
    most: float
    weight: float


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong in a dive. Every fault changes the motion or the picture.

    Attributes
    ----------
    rotation : rotation missing (negative) or too much (positive) at the entry, degrees
    knees : knees bent where they should be straight, degrees
    split : legs apart, degrees
    loose : tuck or pike not closed, degrees at the hips
    twist : twist missing (negative) or too much (positive) at the entry, degrees
    distance : how far beyond a good distance from the board the diver goes in, metres
    late : how long after the right moment the diver comes out of the position, seconds
    crooked : body bent at the hips and tilted at the entry, degrees
    splash : size of the splash beyond the smallest, 0 to 1
    """

    rotation: float = 0.0
    knees: float = 0.0
    split: float = 0.0
    loose: float = 0.0
    twist: float = 0.0
    distance: float = 0.0
    late: float = 0.0
    crooked: float = 0.0
    splash: float = 0.0

    def penalty(self) -> float:
        """Points lost."""
        return sum(abs(getattr(self, name)) / price.unit for name, price in COST.items())

    def quality(self) -> float:
        """True quality, 0 to 10."""
        return float(np.clip(10.0 - self.penalty(), 0.0, 10.0))

    def as_dict(self) -> dict[str, float]:
        """The faults by name, rounded for a file."""
        return {k: round(v, 3) for k, v in asdict(self).items()}


COST: dict[str, Price] = {
    "rotation": Price(11.0, 36.0, 4.0),
    "knees": Price(18.0, 54.0, 2.2),
    "split": Price(11.0, 32.0, 2.0),
    "loose": Price(18.0, 50.0, 2.2),
    "twist": Price(15.0, 45.0, 2.0),
    "distance": Price(0.5, 1.3, 1.6),
    "late": Price(0.06, 0.14, 1.6),
    "crooked": Price(15.0, 40.0, 2.4),
    "splash": Price(0.4, 1.0, 3.6),
}

UNITS = {name: {"distance": "m", "late": "s", "splash": "share"}.get(name, "deg") for name in COST}
"""The unit of each fault, as names of quantities end with it."""

FAILED = 2 / 3000
"""Share of failed dives: FineDiving has two among its 3000."""

EITHER_WAY = ("rotation", "twist")
"""Faults that have a sign."""


def possible(dive: DiveNumber) -> tuple[str, ...]:
    """Names of the faults that a dive can have: nothing to twist, nothing to close, no such fault."""
    absent = set() if dive.half_twists else {"twist"}
    if dive.position == "straight":
        absent |= {"loose", "late"}
    return tuple(name for name in COST if name not in absent)


def lost_points(dive: DiveNumber, height: float, rng: np.random.Generator) -> float:
    """Points that one dive loses, spread as the awards for dives of its number are in FineDiving.

    A gamma distribution: many dives a little worse than the best, a few much worse.
    """
    mean, sd = award_spread(str(dive), height)
    lost = 10.0 - mean
    return float(np.clip(rng.gamma((lost / sd) ** 2, sd**2 / lost), 0.3, 8.5))


def random_faults(rng: np.random.Generator, dive: DiveNumber, lost: float) -> Faults:
    """Faults of one dive that cost ``lost`` points together, as far as the faults go.

    The points are spread over the faults, so that faults go together as they do in people: a poor dive is a
    little poor in most things.
    """
    names = possible(dive)
    left = lost * rng.dirichlet([COST[name].weight for name in names])
    room = np.array([COST[name].most / COST[name].unit for name in names])
    for _ in range(len(names)):
        spill = np.maximum(left - room, 0).sum()
        left = np.minimum(left, room)
        if spill < 1e-9 or (left >= room).all():
            break
        left += spill * (room - left) / (room - left).sum()
    amounts = {name: float(points * COST[name].unit) for name, points in zip(names, left, strict=True)}
    for name in EITHER_WAY:
        if name in amounts:
            amounts[name] *= float(rng.choice([-1, 1]))
    return Faults(**amounts)


def failing(faults: Faults, rng: np.random.Generator) -> Faults:
    """A dive so far from turned that it goes in feet first instead of head first, or the other way: a failed dive.

    World Aquatics' competition regulations (part diving, judging) name other ways to fail; none of them is shown.
    """
    return replace(faults, rotation=-float(rng.uniform(100, 140)), splash=COST["splash"].most)


@cache
def award_spread(dive_number: str, height: float) -> tuple[float, float]:
    """Mean and standard deviation of a dive number's awards in FineDiving; of all dives where it is rare."""
    enough = 20
    rows = [r for r in dived() if r["award_sd"]]
    same = [r for r in rows if r["dive_number"] == dive_number]
    at = [r for r in same if float(r["height_m"]) == height and int(r["count"]) >= enough]
    chosen = at or (same if sum(int(r["count"]) for r in same) >= enough else rows)
    count = np.array([int(r["count"]) for r in chosen])
    mean, sd = (np.array([float(r[k]) for r in chosen]) for k in ("award_mean", "award_sd"))
    return float(np.average(mean, weights=count)), float(np.sqrt(np.average(sd**2, weights=count)))


def dived() -> tuple[dict[str, str], ...]:
    """Rows of ``data_manifest/dives.csv``: how often each number is dived from which height, and its awards."""
    return table("dives.csv")
