"""A test dive beside dives that it was compared with: what the model saw in each stage, and the frames of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from baselines.modules.stages import STAGE_NAMES
from baselines.report.pictures import stage_pictures
from baselines.runs.predictions import Prediction, Vote
from finediving_pose.packed.reader import PackedFile

UNSEEN = 0.05
"""Points that do not show with one decimal."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An exemplar of a dive: why it is shown, and its pictures, one a stage."""

    why: str
    vote: Vote
    pictures: list[str]


@dataclass(frozen=True, slots=True)
class Comparisons:
    """A scored dive with its pictures, one a stage, and some of its exemplars."""

    dive: Prediction
    pictures: list[str]
    exemplars: list[Shown]

    @property
    def stages(self) -> list[int]:
        """Stages that the dive has, as places in its transitions and points."""
        cut = self.dive.predicted_transitions
        return [s for s in range(len(cut) + 1) if s == 0 or cut[s - 1] >= 0]

    @property
    def names(self) -> list[str]:
        """Names of all stages."""
        count = len(self.dive.predicted_transitions) + 1
        return ["whole dive"] if count == 1 else list(STAGE_NAMES[count])

    @property
    def most(self) -> int:
        """The stage in which the model sees the largest difference from all exemplars."""
        return self.most_of(self._mean)

    def most_of(self, vote: Vote) -> int:
        """The stage in which a vote sees the largest difference; -1 where it sees none, or tells no stages."""
        seen = max((abs(s) for s in vote.stages), default=0.0) >= UNSEEN
        return int(np.abs(vote.stages).argmax()) if seen else -1

    @property
    def wanted(self) -> float:
        """Points that the dive is above its exemplars in truth."""
        return self.dive.true_score - self.dive.exemplar_mean

    @property
    def seen(self) -> float:
        """Points that the model puts it above them."""
        return self.dive.predicted_score - self.dive.exemplar_mean

    @property
    def sees_nothing(self) -> bool:
        """Whether no stage shows a difference that one decimal would show."""
        return self.most < 0

    @property
    def hardly_differs(self) -> bool:
        """Whether no stage shows a quarter of the difference that the judges saw."""
        return max(abs(s) for s in self.dive.stages) < abs(self.wanted) / 4

    @property
    def largest(self) -> float:
        """What bars are drawn in the measure of, points.

        The largest difference of any stage in any comparison shown, or the one that the judges saw: where the model
        sees next to nothing, bars are short.
        """
        votes = (*(e.vote for e in self.exemplars), self._mean)
        return max(abs(self.wanted), *(abs(s) for v in votes for s in v.stages), UNSEEN)

    @property
    def _mean(self) -> Vote:
        return Vote(self.dive.dive, 0.0, self.seen, self.dive.stages, ())

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest score of all its exemplars."""
        scores = [v.exemplar_score for v in self.dive.votes]
        return min(scores), max(scores)


def compare_worst(packed: PackedFile | None, worst: Sequence[Prediction]) -> list[Comparisons]:
    """The dives with pictures of themselves and of the exemplars that :func:`choose_shown` picks; none without file."""

    def pictures(key: object, transitions: Sequence[int]) -> list[str]:
        return stage_pictures(packed, packed.index(str(key)), transitions) if packed else []

    return [
        Comparisons(
            p,
            pictures(p.dive, p.predicted_transitions),
            [Shown(why, v, pictures(v.exemplar, v.exemplar_transitions)) for why, v in choose_shown(p)],
        )
        for p in worst
    ]


def choose_shown(p: Prediction) -> list[tuple[str, Vote]]:
    """Up to three votes: the two that led furthest astray, and the one that came nearest to the truth."""
    by_error = sorted(p.votes, key=lambda v: -abs(v.score - p.true_score))
    astray = [("led furthest astray", v) for v in by_error[:1]] + [("next", v) for v in by_error[1:2]]
    return astray + [("came nearest", v) for v in by_error[2:][-1:]]
