"""Whether a dive looks like those that a network learned from: its pictures, and its poses.

A few statistics describe what the network reads of a dive. A dive is unlike the others where it lies farther from
their mean, in units of their spread, than 99 of 100 of them: each measured against the dives of other videos, since
those of one video look alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from finediving_pose.skeleton import FLIP, INDEX, LIMBS

SHARE = 0.99
"""Of the training dives that are nearer than the limit."""
FEWEST = 20
"""Dives below which nothing can be said of what is usual."""
FOLDS = 10
_LEAST = 1e-3
"""Added before a logarithm is taken: a picture without texture, a pose that stands still."""


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """What is usual among n dives.

    Attributes
    ----------
    mean : float64 (d,)
    precision : float64 (d, d), inverse of the covariance
    limit : the distance that 99 of 100 training dives are within
    """

    mean: NDArray[np.float64]
    precision: NDArray[np.float64]
    limit: float

    def distance(self, statistics: NDArray[np.float64]) -> float:
        """How far a dive (d,) lies from the mean: about 1 for a usual one."""
        away = statistics - self.mean
        return math.sqrt(max(float(away @ self.precision @ away), 0.0) / len(away))


def find_usual(statistics: NDArray[np.float64], videos: Sequence[str]) -> Usual | None:
    """What is usual among dives (n, d) of these n videos; None for fewer than :data:`FEWEST`."""
    n = len(statistics)
    if n < FEWEST:
        return None
    distances = np.empty(n)
    folds = _folds(videos)
    for fold in np.unique(folds):
        others = _fitted(statistics[folds != fold], math.inf)
        for i in np.flatnonzero(folds == fold):
            distances[i] = others.distance(statistics[i])
    rank = min(math.ceil((n + 1) * SHARE), n)
    return _fitted(statistics, float(np.sort(distances)[rank - 1]))


def _folds(videos: Sequence[str]) -> NDArray[np.int64]:
    """A number (n,) for every dive: whole videos together, but for dives that are all of one video."""
    names = sorted(set(videos))
    if len(names) == 1:
        return np.arange(len(videos)) % FOLDS
    place = {name: i % FOLDS for i, name in enumerate(names)}
    return np.array([place[v] for v in videos])


def _fitted(statistics: NDArray[np.float64], limit: float) -> Usual:
    """Mean and precision; the covariance is shrunk towards its diagonal where there are few dives."""
    n, d = statistics.shape
    covariance = np.atleast_2d(np.cov(statistics, rowvar=False))
    share = d / (n + d)
    diagonal = np.diag(np.diag(covariance) + 1e-6)
    return Usual(statistics.mean(0), np.linalg.inv((1 - share) * covariance + share * diagonal), limit)


def describe_sample(sample: Mapping[str, object]) -> dict[str, NDArray[np.float64]]:
    """Statistics of a dive, by what they are of: ``pictures`` and ``poses``, as far as the network reads them.

    ``sample`` is one of :meth:`baselines.data.dives.Dives.sample`.
    """
    found = {}
    if isinstance(video := sample.get("video"), Tensor):
        found["pictures"] = describe_pictures(video)
    if isinstance(pose := sample.get("pose"), Tensor):
        found["poses"] = describe_poses(pose)
    return found


def describe_pictures(video: Tensor) -> NDArray[np.float64]:
    """Colours, light, texture and motion of pictures (3, T, H, W), normalised RGB: (15,)."""
    red, green, blue = video
    grey = video.mean(0)  # (T, H, W)
    across, down = grey.diff(dim=2), grey.diff(dim=1)
    spread = [c.std() for c in (red - green, (red + green) / 2 - blue)]
    texture = [d.abs().mean() for d in (across, down, across.diff(dim=2), down.diff(dim=1))]
    motion = [grey.diff(dim=0).abs().mean()] if len(grey) > 1 else [grey.new_zeros(())]
    plain = [*video.mean((1, 2, 3)), *video.std((1, 2, 3))]
    logs = [*spread, *texture, *motion, grey.mean((1, 2)).std(correction=0), grey.std((1, 2)).std(correction=0)]
    return torch.stack([*plain, *((value + _LEAST).log() for value in logs)]).double().numpy()


_LENGTHS = [(a, b) for a, b in LIMBS if (a, b) != (INDEX["pelvis"], INDEX["thorax"])]
_SIDES = sorted({min((a, b), (min(FLIP[a], FLIP[b]), max(FLIP[a], FLIP[b]))) for a, b in map(sorted, _LENGTHS)})
"""Limbs of one side of the body, and those in its middle, but the trunk, whose length is the unit."""


def describe_poses(pose: Tensor) -> NDArray[np.float64]:
    """Proportions and motion of a body over time: joints (2, T, 16, 1) -> (d,).

    Whatever the unit of the joints. Frames in which the pose stands still are left out: they are gaps that were filled.
    """
    joints = pose.squeeze(-1).permute(1, 2, 0).double().numpy()  # (T, 16, 2)
    joints = joints - joints[:, INDEX["pelvis"], None]
    moves = np.append(False, np.abs(np.diff(joints, axis=0)).max((1, 2)) > 0)
    moves = moves if moves.any() else ~moves
    trunk = float(np.median(np.linalg.norm(joints[moves, INDEX["thorax"]], axis=-1)))
    joints = joints / max(trunk, _LEAST)
    seen, steps = joints[moves], np.diff(joints, axis=0)  # (T - 1, 16, 2)
    lengths = [np.median(np.concatenate([_length(seen, a, b), _length(seen, FLIP[a], FLIP[b])])) for a, b in _SIDES]
    pace = np.linalg.norm(steps[moves[1:]], axis=-1) if moves[1:].any() else np.zeros((1, 1))
    turns = np.linalg.norm(np.diff(joints[moves], 2, axis=0), axis=-1) if moves.sum() > 2 else np.zeros((1, 1))
    spread = [_length(seen, INDEX["head_top"], foot) for foot in (INDEX["right_ankle"], INDEX["left_ankle"])]
    motion = [np.median(pace), np.percentile(pace, 90), np.median(turns), np.median(spread)]
    return np.log(np.array([*lengths, *motion]) + _LEAST)


def _length(joints: NDArray[np.float64], a: int, b: int) -> NDArray[np.float64]:
    return np.linalg.norm(joints[:, a] - joints[:, b], axis=-1)
