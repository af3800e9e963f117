"""Predictions of test dives from labels of the training dives, without a picture.

Each is a function of (training clips, test clips) and gives a score for every test clip, or None where it has nothing
to go by: the video mean of a video without training dives, other events where there is one alone. Clips have number,
difficulty and score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.events import event, round_of

TEN = 10
RIDGE = 1.0
"""Weight of the ridge's penalty, with which every coefficient costs as much as a dive; not chosen on any dives."""

Scores = NDArray[np.float64]
Predictor = Callable[[Sequence[Clip], Sequence[Clip], np.random.Generator], Scores | None]


@dataclass(frozen=True, slots=True)
class Blind:
    """A predictor and what it goes by."""

    title: str
    knows: str
    predict: Predictor


def exemplars_mean(train: Sequence[Clip], test: Sequence[Clip], _: np.random.Generator) -> Scores:
    """Mean score of all training dives with the dive's number; of those nearest in difficulty where none has it."""
    return np.array([float(np.mean(_scores(_alike(train, clip)))) for clip in test])


def ten_exemplars(train: Sequence[Clip], test: Sequence[Clip], rng: np.random.Generator) -> Scores:
    """Mean score of ten of them, drawn for every dive, as methods that compare dives draw their exemplars."""
    drawn = []
    for clip in test:
        alike = _alike(train, clip)
        chosen = rng.choice(len(alike), min(TEN, len(alike)), replace=False)
        drawn.append(float(np.mean([alike[i].dive_score or 0.0 for i in chosen])))
    return np.array(drawn)


def other_events_mean(train: Sequence[Clip], test: Sequence[Clip], _: np.random.Generator) -> Scores | None:
    """Mean score of the training dives with the dive's number that are of other events."""
    of_train, of_test = ([event(clip) for clip in clips] for clips in (train, test))
    others = [[c for c, there in zip(train, of_train, strict=True) if there != here] for here in of_test]
    if not all(others):
        return None
    return np.array([float(np.mean(_scores(_alike(there, clip)))) for there, clip in zip(others, test, strict=True)])


def video_mean(train: Sequence[Clip], test: Sequence[Clip], _: np.random.Generator) -> Scores | None:
    """Mean score of the training dives of the same video, whatever their number."""
    return _by_video(train, test, [c.dive_score or 0.0 for c in train])


def difficulty_times_video_award(train: Sequence[Clip], test: Sequence[Clip], _: np.random.Generator) -> Scores | None:
    """The dive's difficulty times the mean of score over difficulty of the training dives of the same video."""
    means = _by_video(train, test, [(c.dive_score or 0.0) / (c.difficulty or 1.0) for c in train])
    return None if means is None else means * np.array([c.difficulty or 0.0 for c in test])


def ridge(train: Sequence[Clip], test: Sequence[Clip], _: np.random.Generator) -> Scores:
    """Ridge regression of the score on dive number and video, one column each, and the place in the start order.

    A number or video without training dives has the mean's coefficient, zero.
    """
    columns = sorted({c.action_type or "" for c in train}), sorted({c.key.video for c in train})
    places = _places([*train, *test])
    known, asked = (_design(clips, *columns, places) for clips in (train, test))
    scores = np.array(_scores(train))
    weights = np.linalg.solve(known.T @ known + RIDGE * np.eye(known.shape[1]), known.T @ (scores - scores.mean()))
    return asked @ weights + scores.mean()


BLIND: tuple[Blind, ...] = (
    Blind("exemplars' mean", "the scores of all training dives of the number", exemplars_mean),
    Blind("ten exemplars", "the scores of ten of them", ten_exemplars),
    Blind("other events only", "the scores of the number in other events", other_events_mean),
    Blind("video mean", "the scores of the video's training dives", video_mean),
    Blind("difficulty x video's award", "the same, and the difficulty", difficulty_times_video_award),
    Blind("ridge", "number, video, place in the start order", ridge),
)


def _alike(train: Sequence[Clip], clip: Clip) -> list[Clip]:
    """Training dives with the clip's number, else those whose difficulty is nearest to its own."""
    same = [c for c in train if c.action_type == clip.action_type]
    if same:
        return same
    apart = [round(abs((c.difficulty or 0.0) - (clip.difficulty or 0.0)), 3) for c in train]
    nearest = min(apart)
    return [c for c, d in zip(train, apart, strict=True) if d == nearest]


def _by_video(train: Sequence[Clip], test: Sequence[Clip], values: Sequence[float]) -> Scores | None:
    """Mean of the training dives' values by the test dives' video; None where a video has none."""
    by_video: dict[str, list[float]] = {}
    for clip, value in zip(train, values, strict=True):
        by_video.setdefault(clip.key.video, []).append(value)
    if any(c.key.video not in by_video for c in test):
        return None
    return np.array([float(np.mean(by_video[c.key.video])) for c in test])


def _places(clips: Sequence[Clip]) -> dict[ClipKey, float]:
    """Place of every clip in its round, 0 the first and 1 the last; in its video where the round is not known.

    Later divers are better in semifinals and finals, which start in reverse order of the phase before.
    """
    indices: dict[str, list[int]] = {}
    for clip in clips:
        indices.setdefault(clip.key.video, []).append(clip.key.index)
    spans = {c.key: round_of(c) or (min(indices[c.key.video]), max(indices[c.key.video])) for c in clips}
    return {key: (key.index - first) / (last - first) if last > first else 0.5 for key, (first, last) in spans.items()}


def _design(
    clips: Sequence[Clip], numbers: Sequence[str], videos: Sequence[str], places: Mapping[ClipKey, float]
) -> Scores:
    """One row a clip, float64 (n, numbers + videos + 1): ones for number and video, and the place from -0.5 to 0.5."""
    rows = np.zeros((len(clips), len(numbers) + len(videos) + 1))
    number_at, video_at = ({name: i for i, name in enumerate(names)} for names in (numbers, videos))
    for row, clip in zip(rows, clips, strict=True):
        if (i := number_at.get(clip.action_type or "")) is not None:
            row[i] = 1
        if (i := video_at.get(clip.key.video)) is not None:
            row[len(numbers) + i] = 1
        row[-1] = places[clip.key] - 0.5
    return rows


def _scores(clips: Sequence[Clip]) -> list[float]:
    return [c.dive_score or 0.0 for c in clips]
