"""Score test dives by the votes of train dives, each clip encoded once."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch

from baselines.data import Dives, choose_voters, dive_number
from baselines.hpmcr import HPMCR, Encoded
from baselines.metrics import average_iou, interval, interval_iou, l2, pairs_in_order, relative_l2, spearman
from baselines.transforms import sample_frames
from finediving_pose.workspace import atomic_write


@dataclass(frozen=True, slots=True)
class Prediction:
    """One scored dive, a row of ``predictions.csv``. Transitions are frames counted from the clip's first frame."""

    video: str
    index: int
    action_type: str
    difficulty: float | None
    true_score: float
    predicted_score: float
    exemplar_mean: float
    true_transition_1: int
    true_transition_2: int
    predicted_transition_1: int
    predicted_transition_2: int
    tiou: float


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


def predict_clips(
    model: HPMCR, dives: Dives, queries: Sequence[int], train: Sequence[int], votes: int = 10, seed: int = 0
) -> list[Prediction]:
    """Score each query by up to ``votes`` train dives of its dive number: the mean of exemplar score + relative score.

    Every clip that takes part is encoded once, whatever the number of votes.
    """
    clips = dives.packed.clips
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    voters = choose_voters(clips, queries, train, votes, seed)
    everyone = sorted({*queries, *(j for chosen in voters for j in chosen)})
    place = {i: n for n, i in enumerate(everyone)}
    encoded = encode_clips(model, dives, everyone)
    predictions = []
    with torch.inference_mode():
        for i, chosen in zip(queries, voters, strict=True):
            known = np.array([clips[j].dive_score for j in chosen], float)
            query = Encoded(*(f.to(device) for f in encoded.pick(torch.tensor([place[i]] * len(chosen)))))
            exemplar = Encoded(*(f.to(device) for f in encoded.pick(torch.tensor([place[j] for j in chosen]))))
            score = float(np.mean(known + model.compare(query, exemplar).cpu().numpy()))
            transitions = encoded.transitions[place[i]].numpy()
            predictions.append(_prediction(dives, i, score, float(known.mean()), transitions))
    model.train(was_training)
    return predictions


def _prediction(dives: Dives, i: int, score: float, exemplar_mean: float, transitions: np.ndarray) -> Prediction:
    clip = dives.packed.clips[i]
    true = dives.transitions(i)
    positions = sample_frames(len(dives.packed.frame_numbers(i)), dives.frames)
    return Prediction(
        clip.key.video,
        clip.key.index,
        dive_number(clip),
        clip.difficulty,
        clip.dive_score or 0.0,
        round(score, 4),
        round(exemplar_mean, 4),
        *(int(positions[t]) for t in (*true, *transitions)),
        tiou=round(float(interval_iou([true], [transitions])[0]), 4),
    )


def summarise(predictions: Sequence[Prediction]) -> dict[str, object]:
    """All metrics of scored dives, and beside them those of the naive predictor: the mean of the exemplars' scores.

    ``rho_95`` and ``r_l2_x100_95`` are their intervals by the bootstrap over dives.
    ``same_number_in_order`` is the share of pairs of test dives with the same dive
    number that are put in the right order (one half by chance); it shows what is
    known beyond the dive number.
    """
    truth = [p.true_score for p in predictions]
    numbers = [p.action_type for p in predictions]

    def scores(predicted: list[float]) -> dict[str, float]:
        return {
            "rho": spearman(truth, predicted),
            "r_l2_x100": relative_l2(truth, predicted),
            "l2": l2(truth, predicted),
            "same_number_in_order": pairs_in_order(truth, predicted, numbers),
        }

    tiou = np.array([p.tiou for p in predictions])
    predicted = [p.predicted_score for p in predictions]
    return {
        **scores(predicted),
        "rho_95": interval(spearman, truth, predicted),
        "r_l2_x100_95": interval(relative_l2, truth, predicted),
        "aiou_50": average_iou(tiou, 0.5),
        "aiou_75": average_iou(tiou, 0.75),
        "exemplar_mean": scores([p.exemplar_mean for p in predictions]),
    }


def write_predictions(path: Path, predictions: Sequence[Prediction]) -> None:
    """Write ``predictions.csv``, one row a dive."""
    with atomic_write(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Prediction)])
        writer.writeheader()
        writer.writerows(asdict(p) for p in predictions)
