"""Query and exemplar dives out of the packed file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from baselines.exemplars import by_dive_number, dive_number
from baselines.transforms import (
    CropAndFlip,
    PoseNorm,
    fill_gaps,
    flip_pose,
    normalise_pose,
    sample_frames,
    sample_transitions,
)

if TYPE_CHECKING:
    from finediving_pose.packed.reader import PackedFile

Sample = dict[str, Any]
"""clip (index in the packed file), dive_number, video float32 (3, T, size, size), pose float32 (2, T, 16, 1),
transitions int64 (2,), score float32 ()."""


@dataclass(slots=True)
class Dives:
    """Samples of a packed file's clips, at the size that a model reads.

    Parameters
    ----------
    packed : the open file
    frames : T, frames sampled of a clip
    resize : width and height of the pictures before the crop; (200, 112) as published, smaller for small models
    crop : side of the square crop
    pose_norm : see :func:`baselines.transforms.normalise_pose`
    pose_noise : deviation of the noise added to every joint of a training sample, in the units of ``pose_norm``
    in_memory : keep every clip's resized frames (T x W x H x 3 bytes) once they were read
    """

    packed: PackedFile
    frames: int = 96
    resize: tuple[int, int] = (200, 112)
    crop: int = 112
    pose_norm: PoseNorm = "centre"
    pose_noise: float = 0.0
    in_memory: bool = False
    _kept: dict[int, tuple[np.ndarray, np.ndarray, tuple[int, int]]] = field(default_factory=dict, repr=False)

    def sample(self, i: int, augment: bool = False) -> Sample:
        """Clip i, cropped in the centre, or with ``augment`` at a random place and mirrored every other time."""
        pictures, keypoints, transitions = self._read(i)
        height, width = pictures.shape[1:3]
        # torch's generator is the one that the training loop seeds, in every worker
        rng = np.random.default_rng(int(torch.randint(2**31, ()))) if augment else None
        view = (
            CropAndFlip.random(height, width, self.crop, rng) if rng else CropAndFlip.centre(height, width, self.crop)
        )
        clip = self.packed.clips[i]
        if view.flip:
            keypoints = flip_pose(keypoints, clip.image_width or 0)
        pose = normalise_pose(keypoints, self.pose_norm)
        if rng and self.pose_noise:
            pose = pose + rng.normal(0, self.pose_noise, pose.shape)
        return {
            "clip": i,
            "dive_number": dive_number(clip),
            "video": torch.from_numpy(view.pictures(pictures)),
            "pose": torch.from_numpy(pose.astype(np.float32)).permute(2, 0, 1).unsqueeze(-1),  # (2, T, 16, 1)
            "transitions": torch.tensor(transitions),
            "score": torch.tensor(clip.dive_score or 0.0, dtype=torch.float32),
        }

    def transitions(self, i: int) -> tuple[int, int]:
        """True transitions of clip i, indices among its T sampled frames."""
        positions = sample_frames(len(self.packed.frame_numbers(i)), self.frames)
        return sample_transitions(self.packed.clips[i].stage_starts, positions)

    def _read(self, i: int) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
        """Pictures uint8 (T, H, W, 3), keypoints float32 (T, 16, 2) without gaps, the two transitions."""
        if i in self._kept:
            return self._kept[i]
        positions = sample_frames(len(self.packed.frame_numbers(i)), self.frames)
        pictures = self.packed.training_frames(i, positions)  # 200 wide, 112 high
        keypoints = fill_gaps(self.packed.poses(i).keypoints[positions, 0])
        read = self._shrink(pictures), keypoints, self.transitions(i)
        if self.in_memory:
            self._kept[i] = read
        return read

    def _shrink(self, pictures: np.ndarray) -> np.ndarray:
        width, height = self.resize
        if pictures.shape[1:3] == (height, width):
            return pictures
        return np.stack([cv2.resize(p, (width, height), interpolation=cv2.INTER_AREA) for p in pictures])


class TrainingPairs(Dataset):
    """Each training dive as a query, with random exemplars of the same dive number, both augmented.

    The exemplar is never the query itself unless the query is alone with its number.
    Item: the query's sample, then ``exemplars`` samples.
    """

    def __init__(self, dives: Dives, train: Sequence[int], exemplars: int = 1) -> None:
        self.dives, self.train, self.exemplars = dives, list(train), exemplars
        self.peers = by_dive_number(dives.packed.clips, train)

    def __len__(self) -> int:
        return len(self.train)

    def __getitem__(self, n: int) -> list[Sample]:
        query = self.train[n]
        others = [i for i in self.peers[dive_number(self.dives.packed.clips[query])] if i != query] or [query]
        chosen = [others[k] for k in torch.randperm(len(others))[: self.exemplars].tolist()]
        return [self.dives.sample(i, augment=True) for i in (query, *chosen)]


def collate_pairs(items: Sequence[Sequence[Sample]], every_pair: bool = False) -> dict[str, Tensor]:
    """Pairs to one batch in which every clip stands once, however many pairs it is in.

    With ``every_pair`` all clips of the batch that share a dive number are compared,
    not only the drawn ones: encoding is what costs, a comparison is nearly free.

    Returns the stacked samples of the N different clips, and ``query`` and
    ``exemplar``, int64 (B,), indices among them.
    """
    place: dict[int, int] = {}
    samples: list[Sample] = []
    for sample in (s for item in items for s in item):
        if sample["clip"] not in place:
            place[sample["clip"]] = len(samples)
            samples.append(sample)
    pairs = [(place[item[0]["clip"]], place[e["clip"]]) for item in items for e in item[1:]]
    if every_pair:
        numbers = [s["dive_number"] for s in samples]
        same = [(q, e) for q, e in combinations(range(len(samples)), 2) if numbers[q] == numbers[e]]
        pairs = same or pairs
    query, exemplar = torch.tensor(pairs).unbind(1)
    stacked = {k: torch.stack([s[k] for s in samples]) for k in ("video", "pose", "transitions", "score")}
    return {**stacked, "query": query, "exemplar": exemplar}
