"""From the stored frames and poses of a clip to the tensors that the model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np

from baselines.modules.stages import ABSENT, STAGES, Stages, number_of_slots, stage_slots
from finediving_pose.skeleton import INDEX

PoseNorm = Literal["none", "centre"]

Sampling = Literal["clip", "video"]
"""Whether sampled frames are spread over the clip's own frame numbers, from 0, or over those of its video, as in the
public code; see :func:`finediving_pose.packed.views.sample_frames`."""

Boundary = Literal["first", "before"]
"""What a transition is: the first sampled frame of the new stage, or the last one before it. The public code has the
latter (``datasets/FineDiving_Pair.py``, commits 6bce799 and 712bca1)."""

Resample = Literal["area", "bilinear", "random"]

TrainCrop = Literal["random", "centre"]

_FILTERS = ("NEAREST", "BILINEAR", "BICUBIC", "LANCZOS")
"""Pillow's, among which the public code of USDL draws."""


def resized(
    picture: np.ndarray, width: int, height: int, how: Resample = "area", rng: np.random.Generator | None = None
) -> np.ndarray:
    """Resize uint8 (H, W, 3) to (height, width, 3), proportions not kept.

    ``area`` averages, as the cache's pictures are made; ``bilinear`` is Pillow's, with a triangle as wide as the
    reduction, as the public code of HP-MCoRe has it; ``random`` is one of four filters of Pillow's, drawn from ``rng``
    for every picture, as the public code of USDL has it.
    """
    if how == "area":
        return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    from PIL import Image

    name = "BILINEAR" if how == "bilinear" or rng is None else _FILTERS[rng.integers(len(_FILTERS))]
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling[name]))


def sample_transitions(stage_starts: Sequence[int], positions: np.ndarray, stages: Stages = STAGES) -> tuple[int, ...]:
    """First sampled frame of every stage but the first, as indices into ``positions``: S - 1 of them.

    With three stages a dive of four or five loses its middle boundaries, as in the public code. With ``native`` the
    slots of flights that the dive has not are :data:`~baselines.modules.stages.ABSENT`.
    The result rises, above 0 and below len(positions), even where a stage is too short to be sampled.
    """
    size = number_of_slots(stages)
    slots = [slot - 1 for slot in stage_slots(len(stage_starts) + 1, size)[1:]]
    starts = [*stage_starts[: len(slots) - 1], stage_starts[-1]]
    found, after = [ABSENT] * (size - 1), len(positions)
    for k in reversed(range(len(slots))):
        after = min(max(int(np.searchsorted(positions, starts[k])), k + 1), after - 1)
        found[slots[k]] = after
    return tuple(found)


def fill_gaps(keypoints: np.ndarray) -> np.ndarray:
    """Absent joints, interpolated along time: (T, 16, 2) with NaN -> without.

    Before the first and after the last frame in which a joint is, it stays where it was there: so the pose stands
    still where the diver is not in the picture yet, or under water.
    A joint that is never seen takes the middle of those that are; a clip without any joint is all zero.
    """
    filled = keypoints.astype(np.float32).copy()
    seen = np.isfinite(filled.sum(-1))  # (T, 16)
    times = np.arange(len(filled))
    middle = filled[seen].mean(0) if seen.any() else np.zeros(2, np.float32)
    for j in range(filled.shape[1]):
        known = seen[:, j]
        for axis in range(2):
            filled[:, j, axis] = np.interp(times, times[known], filled[known, j, axis]) if known.any() else middle[axis]
    return filled


def normalise_pose(keypoints: np.ndarray, how: PoseNorm) -> np.ndarray:
    """Coordinates as the network reads them: (T, 16, 2) -> (T, 16, 2).

    ``none`` keeps pixels, as the public code. ``centre`` puts the pelvis of every
    frame at the origin and divides by the clip's torso length (median distance from
    pelvis to thorax), so that neither the camera nor the diver's size matters.
    """
    if how == "none":
        return keypoints
    centred = keypoints - keypoints[:, INDEX["pelvis"], None]
    return centred / torso_length(keypoints)


def torso_length(keypoints: np.ndarray) -> float:
    """Median distance from pelvis to thorax in the frames (T, 16, 2) that have both, pixels; 1 at least."""
    length = np.linalg.norm(keypoints[:, INDEX["thorax"]] - keypoints[:, INDEX["pelvis"]], axis=-1)
    return max(float(np.nanmedian(length)) if np.isfinite(length).any() else 1.0, 1.0)
