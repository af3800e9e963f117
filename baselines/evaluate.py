"""Score test dives by the votes of train dives, each clip encoded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import ArrayLike

from baselines.data import Dives
from baselines.exemplars import Pairing, Voters, choose_voters, dive_number, group
from baselines.hpmcr import HPMCR, Encoded
from baselines.metrics import average_iou, interval, interval_iou, l2, pairs_in_order, relative_l2, spearman
from baselines.transforms import sample_frames
from finediving_pose.clip import ClipKey

PAIRS_AT_ONCE = 256
"""Comparisons in one go; tokens of a pair are 60 kB in the paper's shape."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One comparison of a test dive with a train dive.

    Attributes
    ----------
    exemplar : the train dive
    exemplar_score : its true score, points; where scores over difficulty are compared, at the test dive's difficulty
    relative_score : points that the test dive is put above it
    stages : points of that by stage, weights applied; they add up to ``relative_score``
    exemplar_transitions : frames at which its stages were cut, counted from its first frame
    """

    exemplar: ClipKey
    exemplar_score: float
    relative_score: float
    stages: tuple[float, ...]
    exemplar_transitions: tuple[int, ...]

    @property
    def score(self) -> float:
        """What the vote says that the test dive is worth, points."""
        return self.exemplar_score + self.relative_score


@dataclass(frozen=True, slots=True)
class Prediction:
    """One scored dive. Transitions are frames counted from the clip's first frame, -1 where a stage is not dived.

    Without labelled stages there are no true transitions, and ``tiou`` is NaN. ``matched_by`` says what the dive
    and its exemplars have in common, see :data:`MATCHED_BY`.
    """

    dive: ClipKey
    action_type: str
    difficulty: float | None
    true_score: float
    predicted_score: float
    exemplar_mean: float
    matched_by: str
    true_transitions: tuple[int, ...]
    predicted_transitions: tuple[int, ...]
    tiou: float
    votes: tuple[Vote, ...]

    @property
    def error(self) -> float:
        """Points that the prediction is above the truth."""
        return self.predicted_score - self.true_score

    @property
    def stages(self) -> tuple[float, ...]:
        """Points that each stage puts the dive above its exemplars, mean over the votes."""
        return tuple(np.mean([v.stages for v in self.votes], axis=0).tolist())


def encode_clips(model: HPMCR, dives: Dives, clips: Sequence[int], batch_size: int = 8) -> Encoded:
    """Encode clips, stages cut at the predicted transitions; the result is on the CPU."""
    device = next(model.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, len(clips), batch_size):
            samples = [dives.sample(i) for i in clips[start : start + batch_size]]
            video, pose = (torch.stack([s[k] for s in samples]).to(device) for k in ("video", "pose"))
            parts.append([field.cpu() for field in model.encode(video, pose)])
    return Encoded(*(torch.cat(field) for field in zip(*parts, strict=True)))


def compare_clips(model: HPMCR, encoded: Encoded, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """How far each query is above its exemplar by stage, (B, S); pairs are places among the encoded clips."""
    device = next(model.parameters()).device
    parts = []
    with torch.inference_mode():
        for places in torch.tensor(pairs).split(PAIRS_AT_ONCE):
            query, exemplar = (Encoded(*(f.to(device) for f in encoded.pick(p))) for p in places.unbind(1))
            parts.append(model.compare_stages(query, exemplar).cpu())
    return torch.cat(parts).double().numpy()


def predict_clips(
    model: HPMCR,
    dives: Dives,
    queries: Sequence[int],
    train: Sequence[int],
    votes: int = 10,
    seed: int = 0,
    voters: Voters = "panel",
    pairing: Pairing = "number",
    pad: bool = False,
) -> list[Prediction]:
    """Score each query by up to ``votes`` train dives of its group: the mean of exemplar score + relative score.

    Every clip that takes part is encoded once, whatever the number of votes.
    ``voters``, ``pairing`` and ``pad`` say which dives vote, see :func:`baselines.exemplars.choose_voters`.
    """
    was_training = model.training
    model.eval()
    chosen = choose_voters(dives.packed.clips, queries, train, votes, seed, voters, pairing, pad)
    everyone = sorted({*queries, *(j for some in chosen for j in some)})
    place = {i: n for n, i in enumerate(everyone)}
    encoded = encode_clips(model, dives, everyone)
    pairs = [(i, j) for i, some in zip(queries, chosen, strict=True) for j in some]
    by_stage = compare_clips(model, encoded, [(place[i], place[j]) for i, j in pairs])
    model.train(was_training)
    cut = {i: tuple(encoded.transitions[place[i]].tolist()) for i in everyone}
    cast: dict[int, list[Vote]] = {i: [] for i in queries}
    for (i, j), stages in zip(pairs, by_stage, strict=True):
        cast[i].append(_vote(dives, i, j, stages, cut[j]))
    return [_prediction(dives, i, tuple(cast[i]), cut[i], pairing) for i in queries]


def _vote(dives: Dives, i: int, j: int, stages: np.ndarray, cut: tuple[int, ...]) -> Vote:
    clip = dives.packed.clips[j]
    stages = stages * dives.unit(i)  # in points
    return Vote(
        clip.key,
        (clip.dive_score or 0.0) / dives.unit(j) * dives.unit(i),
        round(float(stages.sum()), 4),
        tuple(np.round(stages, 4).tolist()),
        _in_clip(dives, j, cut),
    )


MATCHED_BY = {"number": "dive number", "random": "chance", "rotation": "rotation"}
"""What a dive and its exemplars have in common, by the pairing; ``difficulty`` where the fallback found them."""


def _prediction(dives: Dives, i: int, votes: tuple[Vote, ...], cut: tuple[int, ...], pairing: Pairing) -> Prediction:
    clips = dives.packed.clips
    true = dives.transitions(i)
    exemplars = [clips[dives.packed.index(v.exemplar)] for v in votes]
    same = all(group(e, pairing) == group(clips[i], pairing) for e in exemplars)
    return Prediction(
        clips[i].key,
        dive_number(clips[i]),
        clips[i].difficulty,
        clips[i].dive_score or 0.0,
        round(float(np.mean([v.score for v in votes])), 4),
        round(float(np.mean([v.exemplar_score for v in votes])), 4),
        MATCHED_BY[pairing] if same else "difficulty",
        _in_clip(dives, i, true),
        _in_clip(dives, i, cut),
        tiou=round(float(interval_iou([[true[0], true[-1]]], [[cut[0], cut[-1]]])[0]), 4) if true else float("nan"),
        votes=votes,
    )


def _in_clip(dives: Dives, i: int, transitions: Sequence[int]) -> tuple[int, ...]:
    """Transitions among the T sampled frames as frames of the clip; -1 stays."""
    positions = sample_frames(len(dives.packed.frame_numbers(i)), dives.frames)
    return tuple(int(positions[t]) if t >= 0 else -1 for t in transitions)


def summarise(predictions: Sequence[Prediction]) -> dict[str, object]:
    """All metrics of scored dives, and beside them those of the naive predictor: the mean of the exemplars' scores.

    ``<metric>_95`` are their intervals by the bootstrap over dives.
    ``same_number_in_order`` is the share of pairs of test dives with the same dive
    number that are put in the right order (one half by chance); it shows what is
    known beyond the dive number.
    """
    truth = [p.true_score for p in predictions]
    predicted = [p.predicted_score for p in predictions]
    naive = [p.exemplar_mean for p in predictions]
    _, number = np.unique([p.action_type for p in predictions], return_inverse=True)
    tiou = [p.tiou for p in predictions if p.true_transitions]
    measured: dict[str, tuple[Callable[..., float], tuple[ArrayLike, ...]]] = {
        "rho": (spearman, (truth, predicted)),
        "r_l2_x100": (relative_l2, (truth, predicted)),
        "l2": (l2, (truth, predicted)),
        "same_number_in_order": (pairs_in_order, (truth, predicted, number)),
        "aiou_50": (partial(average_iou, threshold=0.5), (tiou,)),
        "aiou_75": (partial(average_iou, threshold=0.75), (tiou,)),
    }
    return {
        **{name: metric(*columns) for name, (metric, columns) in measured.items()},
        **{f"{name}_95": interval(metric, *columns) for name, (metric, columns) in measured.items()},
        "exemplar_mean": {
            "rho": spearman(truth, naive),
            "r_l2_x100": relative_l2(truth, naive),
            "l2": l2(truth, naive),
            "same_number_in_order": pairs_in_order(truth, naive, number),
        },
        "matched_by_difficulty": sum(p.matched_by == "difficulty" for p in predictions),
    }
