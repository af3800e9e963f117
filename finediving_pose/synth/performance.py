"""One dive of an event before anybody films it: who dives, with which faults, and what the judges say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from finediving_pose.difficulty import SYNCHRONISED_ASSIGNED, degree_of_difficulty
from finediving_pose.lexicon import parse_dive_number
from finediving_pose.synth import judge
from finediving_pose.synth.body import Build, random_build
from finediving_pose.synth.dive import FPS, Motion, make_motion
from finediving_pose.synth.faults import FAILED, Faults, failing, lost_points, random_faults
from finediving_pose.synth.judge import Panel

LANES = {10.0: (-0.65, 0.65), 3.0: (-0.9, 0.9)}
"""Where two synchronised divers stand, metres from the middle: on one platform, or on two boards."""

EASY = 2.4
"""Up to this difficulty a synchronised dive is one of the first two rounds, which are all counted as 2.0."""

ALIKE = 0.6
"""Correlation of the points that two partners lose: they train together."""


@dataclass(frozen=True, slots=True)
class Performance:
    """A dive and its judgement. ``quality`` is what the awards' mean would be without judges' errors.

    ``motions`` and ``faults`` have one entry for each diver; ``offset`` is how many seconds the second dives later.
    """

    motions: tuple[Motion, ...]
    faults: tuple[Faults, ...]
    offset: float
    difficulty: float
    quality: float
    awards: tuple[float, ...]

    @property
    def score(self) -> float:
        return judge.dive_score(self.awards, self.difficulty)

    def row(self) -> dict[str, Any]:
        """What the truth file says of the dive."""
        first = self.motions[0]
        told: dict[str, Any] = {
            "difficulty": self.difficulty, "judge_scores": self.awards, "dive_score": self.score,
            "quality": round(self.quality, 3), "faults": self.faults[0].as_dict(), "stages": first.stages,
            "take_off_frame": round(first.take_off * FPS), "touch_frame": round(first.touch * FPS),
        }  # fmt: skip
        if len(self.motions) > 1:
            told |= {"synchronised": True, "offset_s": round(self.offset, 3)}
            told["faults_partner"] = self.faults[1].as_dict()
        return told


def difficulty_of(number: str, height: float, synchronised: bool) -> float | None:
    """Degree of difficulty in an event; None where the dive has none from that height."""
    value = degree_of_difficulty(number, height)
    return SYNCHRONISED_ASSIGNED if synchronised and value is not None and value <= EASY else value


def perform(
    number: str, height: float, builds: tuple[Build, ...], panel: Panel, skill: float, rng: np.random.Generator
) -> Performance:
    """One diver's dive, or two divers' at once, with their faults and awards; a single diver's may fail.

    ``skill`` is in points that good divers do not lose. The number has a difficulty from that height.
    """
    dive = parse_dive_number(number)
    lost = [max(lost_points(dive, height, rng) - skill, 0.3) for _ in builds]
    if len(lost) > 1:
        lost[1] = ALIKE * lost[0] + (1 - ALIKE) * lost[1]
    faults = tuple(random_faults(rng, dive, points) for points in lost)
    chance = rng.spawn(1)[0]  # of its own, so that the dives that do not fail stay as they are
    failed = len(builds) == 1 and chance.random() < FAILED
    if failed:
        faults = tuple(failing(f, chance) for f in faults)
    difficulty = difficulty_of(number, height, len(builds) > 1)
    assert difficulty is not None
    rehearsed = int(rng.integers(2**32))
    motions = [
        make_motion(dive, height, build, wrong, np.random.default_rng(rehearsed))
        for build, wrong in zip(builds, faults, strict=True)
    ]
    if len(builds) == 1:
        quality = faults[0].quality()
        awards = judge.NOTHING if failed else panel.awards(quality, rng)
        return Performance(tuple(motions), faults, 0.0, difficulty, quality, awards)
    offset = float(np.clip(rng.normal(0, 0.045), -0.14, 0.14))
    execution = (faults[0].quality(), faults[1].quality())
    together = judge.synchronisation(execution, offset)
    side_by_side = _side_by_side(motions[0], motions[1], offset, height)
    awards = panel.synchronised_awards(execution, together, rng)
    return Performance(side_by_side, faults, offset, difficulty, (sum(execution) + 3 * together) / 5, awards)


def random_builds(rng: np.random.Generator, woman: bool, synchronised: bool) -> tuple[Build, ...]:
    """One diver, or two who were paired because they are alike."""
    build = random_build(rng, woman)
    if not synchronised:
        return (build,)
    other = random_build(rng, woman)
    return build, Build(*(0.7 * a + 0.3 * b for a, b in zip(build.proportions, other.proportions, strict=True)))


def _side_by_side(first: Motion, second: Motion, offset: float, height: float) -> tuple[Motion, Motion]:
    """Two dives in one clip: the second leaves the board ``offset`` seconds after the first."""
    lanes = LANES[height]
    delay = first.take_off + offset - second.take_off
    return first.later(0.0, lanes[0], first.end), second.later(delay, lanes[1], first.end)
