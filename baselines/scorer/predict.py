"""Score new dives with a scorer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from baselines.data.batch import Batch
from baselines.data.dives import Dives, unlabelled_batch
from baselines.data.exemplars import choose_voters, group
from baselines.data.settings import Target
from baselines.data.splits import Fallback
from baselines.method import ComparativeNetwork, DirectNetwork, Needs
from baselines.runs.predictions import MATCHED_BY, Vote
from baselines.runs.scoring import check_shape, compare_clips
from baselines.scorer.checks import check_dive
from baselines.scorer.file import Scorer
from baselines.scorer.interval import LEVELS
from baselines.scorer.numbers import check_number, with_difficulty
from baselines.scorer.unlike import describe_sample
from finediving_pose.clip import Clip
from finediving_pose.errors import CheckpointError, FdposeError, UsageError, first_line
from finediving_pose.packed.reader import PackedFile

MOST_AWARDS = 30.0
"""Of three judges, or of five at 0.6: no dive scores more than this times its degree of difficulty."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Points between which the true score lies with a probability of ``level``, for dives like the test dives."""

    level: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Unlike:
    """How far ``what`` (pictures or poses) of a dive is from what the scorer learned from, and the usual limit."""

    what: str
    distance: float
    limit: float


@dataclass(frozen=True, slots=True)
class Score:
    """What a scorer says of a dive.

    Attributes
    ----------
    clip : the dive, with the number and the difficulty that it was scored as
    points : the score
    intervals : by :data:`~baselines.scorer.interval.LEVELS`, without those for which the test dives were too few
    exemplars : the training dives that it is compared with
    exemplars_mean : the mean of their scores
    matched_by : what they and the dive have in common
    votes : comparisons with them; empty for a direct method
    transitions : first frames of the stages after the first, counted from the clip's first, -1 for a stage that the
        dive does not have; empty where the method predicts none
    faults : the network's own estimates, by names that end with their unit; NaN where not to be seen
    unlike : in what the dive is unlike those that the scorer learned from
    doubted : whether neither score nor interval is to be trusted: the dive is unlike those, they are all synthetic and
        it is not, or there are doubts
    remarks : what else is to be known, a sentence each
    doubts : what its poses say against its dive number, or its being filmed upright, a sentence each
    """

    clip: Clip
    points: float
    intervals: tuple[Interval, ...]
    exemplars: tuple[Clip, ...]
    exemplars_mean: float
    matched_by: str
    votes: tuple[Vote, ...]
    transitions: tuple[int, ...]
    faults: dict[str, float]
    unlike: tuple[Unlike, ...]
    doubted: bool
    remarks: tuple[str, ...]
    doubts: tuple[str, ...] = ()

    @property
    def stages(self) -> tuple[float, ...]:
        """Points that each stage puts the dive above its exemplars, mean of the votes; empty without stages."""
        if not any(v.stages for v in self.votes):
            return ()
        return tuple(np.mean([v.stages for v in self.votes], axis=0).tolist())

    @property
    def nearest(self) -> tuple[Vote, ...]:
        """The votes, those of the exemplars that the network tells least from the dive first."""
        return tuple(sorted(self.votes, key=lambda v: sum(map(abs, v.stages)) or abs(v.relative_score)))


class Judge:
    """A scorer with its network, ready to score.

    Raises
    ------
    CheckpointError
        The weights are not those of the network.
    SetupError
        The method is not installed here.
    """

    def __init__(self, scorer: Scorer) -> None:
        self.scorer, self.method, self.network = scorer, scorer.method, scorer.build()

    def check(self, clip: Clip, fallback: Fallback | None = None) -> None:
        """Raise where a dive of these labels can't be scored, whatever is seen of it.

        Raises
        ------
        UsageError
            Its dive number is needed, and not known.
        FdposeError
            It has no exemplar.
        """
        check_number(with_difficulty(clip), self._others(clip), self.scorer.config.data.pairing, fallback)

    def score(self, packed: PackedFile, i: int, fallback: Fallback | None = None) -> Score:
        """Score clip i of a packed file.

        Raises
        ------
        UsageError
            Its dive number is needed, and not known.
        PoseError
            Nobody is seen in it, or nobody moves.
        FdposeError
            It has no exemplar, two divers, or too few frames.
        CheckpointError
            The exemplars are not of the network, or it can't score a dive.
        """
        clip, scorer = packed.clips[i], self.scorer
        data = scorer.config.data
        check_dive(packed, i, scorer.exemplars)
        others = self._others(clip)
        self.check(clip, fallback)
        dives = Dives(packed, data, self.method.needs_of(scorer.config) & ~(Needs.STAGES | Needs.AWARDS))
        sample = dives.sample(i)
        batch = unlabelled_batch([sample])
        chosen = self._voters(clip, others)
        voters = [scorer.exemplars[j] for j in chosen]
        unit = _unit(clip, voters, data.target)
        worth = [_worth(voter, unit, data.target) for voter in voters]
        with torch.no_grad(), _told_of_the_scorer():
            encoded: Any = cast(ComparativeNetwork, self.network).encode(batch) if self.method.comparative else None
            votes = () if encoded is None else self._votes(encoded, chosen, worth, unit)
            points = float(np.mean([v.score for v in votes])) if votes else self._direct(batch) * unit
            estimate = getattr(self.network, "faults", None)
            told = estimate(batch if encoded is None else encoded) if estimate else {}
            faults = {name: float(value[0]) for name, value in told.items()}
            predicted = getattr(encoded, "transitions", None)
            cut = () if predicted is None else predicted[0].tolist()
            if not np.isfinite([points, *(p for v in votes for p in v.stages)]).all():
                raise ArithmeticError("what it gives is not a number")
        unlike = tuple(_unlike(scorer, sample))
        same = all(group(c, data.pairing) == group(clip, data.pairing) for c in voters)
        return Score(
            clip,
            round(points, 4),
            self._intervals(points, clip, voters),
            tuple(voters),
            round(float(np.mean(worth)), 4),
            MATCHED_BY[data.pairing] if same else "difficulty",
            votes,
            tuple(int(dives.positions(i)[t]) if t >= 0 else -1 for t in cut),
            faults,
            unlike,
            bool(unlike) or _is_foreign(scorer, clip),
            tuple(_remarks(scorer, clip, voters, known=len(others) < len(scorer.exemplars), same=same)),
        )

    def _others(self, clip: Clip) -> list[Clip]:
        """The exemplars that are other dives than the clip."""
        return [c for c in self.scorer.exemplars if (c.key, c.dive_score) != (clip.key, clip.dive_score)]

    def _voters(self, clip: Clip, others: Sequence[Clip]) -> list[int]:
        """Places of the exemplars that the clip is compared with, some of those that are other dives."""
        config, exemplars = self.scorer.config, self.scorer.exemplars
        how, places = config.evaluation, [j for j, c in enumerate(exemplars) if c in others]
        everyone = [*exemplars, clip]
        (chosen,) = choose_voters(
            everyone, [len(exemplars)], places, how.votes, config.seed, "panel", config.data.pairing, how.pad
        )
        return chosen

    def _votes(self, query: Any, chosen: Sequence[int], worth: Sequence[float], unit: float) -> tuple[Vote, ...]:
        """Votes of the chosen exemplars, whose scores are ``worth`` points, on the encoded clip."""
        network = cast(ComparativeNetwork, self.network)
        known = self._exemplars_like(query)
        both = type(query)(*(torch.cat([q, known[name]]) for name, q in query._asdict().items()))
        pairs = [(0, 1 + j) for j in chosen]
        stages = compare_clips(network, both, pairs, torch.tensor(worth, dtype=torch.float32) / unit) * unit
        return tuple(
            Vote(
                self.scorer.exemplars[j].key,
                round(points, 4),
                round(float(above.sum()), 4),
                tuple(np.round(above, 4).tolist()) if above.size > 1 else (),
                (),
            )
            for j, points, above in zip(chosen, worth, stages, strict=True)
        )

    def _exemplars_like(self, query: Any) -> dict[str, Tensor]:
        """The encoded exemplars in the query's types. Raises CheckpointError where they are of another network.

        A field that holds no numbers is not in the file.
        """
        encoded, fields = self.scorer.encoded, query._asdict()
        wanted = {name: tuple(value.shape[1:]) for name, value in fields.items() if value.numel()}
        found = {name: tuple(value.shape[1:]) for name, value in encoded.items()}
        if found != wanted:
            raise CheckpointError(
                f"the scorer's exemplars are {found}, its network encodes dives as {wanted}; train again"
            )
        n = len(self.scorer.exemplars)
        return {
            name: encoded[name].to(value.dtype) if value.numel() else value.new_zeros(n, *value.shape[1:])
            for name, value in fields.items()
        }

    def _direct(self, batch: Batch) -> float:
        scores = cast(DirectNetwork, self.network).score(batch)
        check_shape("score()", scores, (1,))
        return float(scores[0])

    def _intervals(self, points: float, clip: Clip, voters: Sequence[Clip]) -> tuple[Interval, ...]:
        difficulties = [c.difficulty for c in voters if c.difficulty]
        difficulty = clip.difficulty or (float(np.median(difficulties)) if difficulties else None)
        highest = MOST_AWARDS * clip.difficulty if clip.difficulty else float("inf")
        widths = {level: self.scorer.calibration.half_width(level, difficulty) for level in LEVELS}
        return tuple(
            Interval(level, round(max(points - half, 0.0), 4), round(max(min(points + half, highest), points), 4))
            for level, half in widths.items()
            if half is not None
        )


@contextmanager
def _told_of_the_scorer() -> Iterator[None]:
    """What goes wrong in a network is the fault of the scorer that describes it."""
    try:
        yield
    except FdposeError:
        raise
    except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, RuntimeError) as e:
        raise CheckpointError(f"its network can't score a dive ({first_line(e)}); train it again") from e


def _unit(clip: Clip, voters: Sequence[Clip], target: Target) -> float:
    """Points that 1 stands for in the target: 1, or the degree of difficulty; where not known, its exemplars'.

    Raises UsageError where these have none either.
    """
    if target == "score":
        return 1.0
    known = [c.difficulty for c in voters if c.difficulty]
    if not clip.difficulty and not known:
        raise UsageError(f"{clip.key}: its degree of difficulty is not known; give the board's height with --height")
    return clip.difficulty or float(np.median(known))


def _worth(exemplar: Clip, unit: float, target: Target) -> float:
    """Points of an exemplar; where scores over difficulty are compared, at the difficulty of the dive."""
    points = exemplar.dive_score or 0.0
    return points if target == "score" else points / (exemplar.difficulty or 1.0) * unit


def _unlike(scorer: Scorer, sample: dict[str, Any]) -> Iterator[Unlike]:
    for what, statistics in describe_sample(sample).items():
        usual = scorer.usual.get(what)
        if usual is None or len(usual.mean) != len(statistics):
            continue
        distance = usual.distance(statistics)
        if not distance <= usual.limit:
            yield Unlike(what, round(distance, 2), round(usual.limit, 2))


def _is_foreign(scorer: Scorer, clip: Clip) -> bool:
    """Whether the scorer knows synthetic dives only, and the clip is none."""
    return clip.source != "synthetic" and all(c.source == "synthetic" for c in scorer.exemplars)


def _remarks(scorer: Scorer, clip: Clip, voters: Sequence[Clip], *, known: bool, same: bool) -> Iterator[str]:
    if _is_foreign(scorer, clip):
        yield (
            "the scorer has seen computer-made dives only, so this score says nothing about a real dive; what is"
            " measured from the poses (angles, times, the faults marked ±) does not depend on the scorer"
        )
    off = scorer.calibration
    if not off.beats_the_mean:
        yield (
            f"on its test dives the scorer was off by {off.mean_error:.1f} points on average, the exemplars' mean by"
            f" {off.exemplars_error:.1f}: trust the mean more than the score"
        )
    if known:
        yield "the scorer learned from this very dive: its score tells nothing of how good the scorer is"
    if not same:
        numbers = sorted({c.action_type or "" for c in voters})
        yield (
            f"the scorer has seen no {clip.action_type}: the dive is compared with {', '.join(numbers)}, which are"
            " about as difficult"
        )
    listed = sorted({c.difficulty for c in voters if c.difficulty})
    if same and clip.difficulty and listed and clip.difficulty not in listed:
        there = " and ".join(f"{d:g}" for d in listed)
        height = f"from {clip.height_m:g} m " if clip.height_m else ""
        yield (
            f"{clip.action_type} {height}has a degree of difficulty of {clip.difficulty:g}, but the dives that it"
            f" is compared with have {there}: is the height right?"
        )
    if not clip.difficulty and (scorer.calibration.by_difficulty or scorer.config.data.target != "score"):
        yield "its degree of difficulty is not known; that of the dives that it is compared with is taken"
