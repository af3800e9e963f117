"""Score dives with a trained network: direct methods clip by clip, comparative ones by the votes of train dives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from baselines.data.dives import Dives, unlabelled_batch
from baselines.data.exemplars import choose_voters, dive_number, group
from baselines.method import ComparativeNetwork, DirectNetwork, Encoded, Method, pick
from baselines.runs.config import Evaluation
from baselines.runs.metrics import interval_iou
from baselines.runs.predictions import MATCHED_BY, Prediction, Vote
from finediving_pose.errors import FdposeError

PAIRS_AT_ONCE = 256
"""Comparisons in one go; tokens of a pair are 60 kB in the shape of arXiv 2501.03674."""

CLIPS_AT_ONCE = 8


@dataclass(slots=True)
class Encodings:
    """Clips as a comparative network knows them now: each is encoded once, however often it is asked for."""

    network: ComparativeNetwork
    dives: Dives
    _known: Encoded = None
    _places: dict[int, int] = field(default_factory=dict)

    def of(self, clips: Iterable[int]) -> tuple[Encoded, dict[int, int]]:
        """All that was encoded so far, these clips among them, and the place of each clip in it."""
        new = sorted(set(clips) - self._places.keys())
        if new:
            found = encode_clips(self.network, self.dives, new)
            self._known = found if self._known is None else type(found)(*map(_joined, self._known, found))
            self._places |= {i: len(self._places) + n for n, i in enumerate(new)}
        return self._known, self._places


def _joined(known: Tensor, new: Tensor) -> Tensor:
    return torch.cat([known, new])


def predict_clips(
    network: nn.Module,
    method: Method,
    dives: Dives,
    queries: Sequence[int],
    train: Sequence[int],
    how: Evaluation | None = None,
    seed: int = 0,
    encodings: Encodings | None = None,
) -> list[Prediction]:
    """Score the queries in testing mode.

    A comparative method's score is the mean, over up to ``how.votes`` train dives of the query's group, of exemplar
    score + relative score. Every clip that takes part is encoded once, whatever the number of votes. The voters are
    drawn for direct methods too, whose predictions stand beside the mean of the exemplars' scores as well.
    ``encodings`` keeps what is encoded for other voters; the network must not have changed since.
    """
    how = how or Evaluation()
    was_training = network.training
    network.eval()
    clips, pairing = dives.packed.clips, dives.settings.pairing
    chosen = choose_voters(clips, queries, train, how.votes, seed, how.voters, pairing, how.pad)
    with torch.inference_mode():
        if method.comparative:
            encodings = encodings or Encodings(cast(ComparativeNetwork, network), dives)
            votes, cut = _cast_votes(encodings, queries, chosen)
            scores = {i: float(np.mean([v.score for v in votes[i]])) for i in queries}
        else:
            scores = _score_directly(network, dives, queries)
            votes, cut = dict.fromkeys(queries, ()), dict.fromkeys(queries, ())
    network.train(was_training)
    return [
        make_prediction(dives, i, scores[i], voters, votes[i], cut[i])
        for i, voters in zip(queries, chosen, strict=True)
    ]


def make_prediction(
    dives: Dives,
    i: int,
    score: float,
    voters: Sequence[int],
    votes: tuple[Vote, ...] = (),
    cut: tuple[int, ...] = (),
) -> Prediction:
    """A prediction beside the truth and the exemplars' mean; ``cut`` are predicted transitions among T frames."""
    clips, pairing = dives.packed.clips, dives.settings.pairing
    true = dives.transitions(i)
    same = all(group(clips[j], pairing) == group(clips[i], pairing) for j in voters)
    overlap = interval_iou([[true[0], true[-1]]], [[cut[0], cut[-1]]])[0] if true and cut else np.nan
    return Prediction(
        clips[i].key,
        dive_number(clips[i]),
        clips[i].difficulty,
        clips[i].dive_score or 0.0,
        round(score, 4),
        round(float(np.mean([_exemplar_score(dives, i, j) for j in voters])), 4) if voters else float("nan"),
        MATCHED_BY[pairing] if same else "difficulty",
        _in_clip(dives, i, true),
        _in_clip(dives, i, cut),
        tiou=round(float(overlap), 4),
        votes=votes,
    )


def encode_clips(
    network: ComparativeNetwork, dives: Dives, clips: Sequence[int], at_once: int = CLIPS_AT_ONCE
) -> Encoded:
    """Encode clips, so many at once; the result is on the CPU."""
    device = _device(network)
    parts = []
    for start in range(0, len(clips), at_once):
        batch = unlabelled_batch([dives.sample(i) for i in clips[start : start + at_once]])
        parts.append(network.encode(batch.to(device)))
    kind = type(parts[0])
    return kind(*(torch.cat([field.cpu() for field in column]) for column in zip(*parts, strict=True)))


def compare_clips(
    network: ComparativeNetwork, encoded: Encoded, pairs: Sequence[tuple[int, int]], exemplar_scores: Tensor
) -> np.ndarray:
    """How far each query is above its exemplar by stage: (B, S), S = 1 where the method does not tell stages.

    ``pairs`` are places among the encoded clips; ``exemplar_scores`` (B,) in units of the target.
    """
    device = _device(network)
    parts = []
    at_once = zip(torch.tensor(pairs).split(PAIRS_AT_ONCE), exemplar_scores.split(PAIRS_AT_ONCE), strict=True)
    for places, scores in at_once:
        query, exemplar = (type(encoded)(*(f.to(device) for f in pick(encoded, p))) for p in places.unbind(1))
        above = network.compare(query, exemplar, scores.to(device)).cpu()
        check_shape("compare()", above, (len(places), *above.shape[1:2]))
        parts.append(above if above.ndim == 2 else above[:, None])
    return torch.cat(parts).double().numpy()


def _cast_votes(
    encodings: Encodings, queries: Sequence[int], chosen: Sequence[Sequence[int]]
) -> tuple[dict[int, tuple[Vote, ...]], dict[int, tuple[int, ...]]]:
    """Votes of each query, and predicted transitions of each query; none where the method predicts none."""
    net, dives = encodings.network, encodings.dives
    everyone = {*queries, *(j for voters in chosen for j in voters)}
    encoded, place = encodings.of(everyone)
    pairs = [(i, j) for i, voters in zip(queries, chosen, strict=True) for j in voters]
    known = torch.tensor([_true_score(dives, j) for _, j in pairs], dtype=torch.float32)
    by_stage = compare_clips(net, encoded, [(place[i], place[j]) for i, j in pairs], known)
    transitions: Any = getattr(encoded, "transitions", None)
    cut = {i: () if transitions is None else tuple(transitions[place[i]].tolist()) for i in everyone}
    votes: dict[int, list[Vote]] = {i: [] for i in queries}
    for (i, j), stages in zip(pairs, by_stage, strict=True):
        votes[i].append(_vote(dives, i, j, stages * dives.unit(i), cut[j]))
    return {i: tuple(v) for i, v in votes.items()}, cut


def _score_directly(network: nn.Module, dives: Dives, queries: Sequence[int]) -> dict[int, float]:
    """Scores in points."""
    net, device, found = cast(DirectNetwork, network), _device(network), {}
    for start in range(0, len(queries), CLIPS_AT_ONCE):
        some = queries[start : start + CLIPS_AT_ONCE]
        scores = net.score(unlabelled_batch([dives.sample(i) for i in some]).to(device))
        check_shape("score()", scores, (len(some),))
        found |= {i: score * dives.unit(i) for i, score in zip(some, scores.tolist(), strict=True)}
    return found


def check_shape(name: str, given: Tensor, wanted: tuple[int, ...]) -> None:
    """Raise FdposeError where a network gives a tensor of another shape than it is to give."""
    if tuple(given.shape) != wanted:
        raise FdposeError(f"{name} of the network gives {tuple(given.shape)}, expected {wanted}: see docs/own-model.md")


def _vote(dives: Dives, i: int, j: int, points: np.ndarray, cut: tuple[int, ...]) -> Vote:
    return Vote(
        dives.packed.clips[j].key,
        _exemplar_score(dives, i, j),
        round(float(points.sum()), 4),
        tuple(np.round(points, 4).tolist()) if points.size > 1 else (),
        _in_clip(dives, j, cut),
    )


def _true_score(dives: Dives, i: int) -> float:
    """In units of the target."""
    return (dives.packed.clips[i].dive_score or 0.0) / dives.unit(i)


def _exemplar_score(dives: Dives, i: int, j: int) -> float:
    """Points of exemplar j; where scores over difficulty are compared, at the difficulty of dive i."""
    return _true_score(dives, j) * dives.unit(i)


def _in_clip(dives: Dives, i: int, transitions: Sequence[int]) -> tuple[int, ...]:
    """Transitions among the T sampled frames as frames of the clip; -1 stays."""
    positions = dives.positions(i)
    return tuple(int(positions[t]) if t >= 0 else -1 for t in transitions)


def _device(network: Any) -> torch.device:
    return next((p.device for p in network.parameters()), torch.device("cpu"))
