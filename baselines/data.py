"""Query and exemplar dives out of the packed file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from baselines.exemplars import Pairing, group, groups_of
from baselines.modules.stages import ABSENT, STAGES, Stages, number_of_slots
from baselines.transforms import (
    CropAndFlip,
    PoseNorm,
    fill_gaps,
    flip_pose,
    normalise_pose,
    sample_frames,
    sample_transitions,
)
from finediving_pose.packed.schema import TRAINING_HEIGHT, TRAINING_WIDTH
from finediving_pose.packed.snippets import Crop, snippet

if TYPE_CHECKING:
    from finediving_pose.packed.reader import PackedFile

Sample = dict[str, Any]
"""clip (index in the packed file), group (in which pairs are made), video float32 (3, T, size, size), pose float32
(2, T, 16, 1), transitions int64 (S - 1,), score float32 (), in units of the target; splash float32 () where read."""

Target = Literal["score", "score_over_difficulty"]
"""What is regressed: the final score, or what it is worth without the degree of difficulty."""


@dataclass(slots=True)
class Dives:
    """Samples of a packed file's clips, at the size that a model reads.

    Parameters
    ----------
    packed : the open file
    frames : T, frames sampled of a clip
    resize : width and height of the pictures before the crop; (200, 112) as published, smaller for small models,
        (112, 200) as the public code in truth had them
    crop : side of the square crop
    pose_norm : see :func:`baselines.transforms.normalise_pose`
    pose_noise : deviation of the noise added to every joint of a training sample, in the units of ``pose_norm``
    flip_pose : mirror the pose where the picture is mirrored; the public code does not
    in_memory : keep every clip's resized frames (T x W x H x 3 bytes) once they were read
    stages : see :class:`baselines.hpmcr.HPMCR`
    target : what ``score`` is
    pairing : what ``group`` is, see :data:`baselines.exemplars.Pairing`
    splash : size of the splash by ``video/index``, see :mod:`baselines.splash`
    """

    packed: PackedFile
    frames: int = 96
    resize: tuple[int, int] = (TRAINING_WIDTH, TRAINING_HEIGHT)
    crop: int = 112
    pose_norm: PoseNorm = "centre"
    pose_noise: float = 0.0
    flip_pose: bool = True
    in_memory: bool = False
    stages: Stages = STAGES
    target: Target = "score"
    pairing: Pairing = "number"
    splash: Mapping[str, float] | None = None
    _kept: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        width, height = self.resize
        self.resize = width, height  # a list where it comes from JSON

    def sample(self, i: int, rng: np.random.Generator | None = None) -> Sample:
        """Clip i, cropped in the centre, or with ``rng`` at a random place and mirrored every other time."""
        width, height = self.resize
        view = (
            CropAndFlip.random(height, width, self.crop, rng) if rng else CropAndFlip.centre(height, width, self.crop)
        )
        pictures, keypoints = self._read(i, view)
        clip = self.packed.clips[i]
        if view.flip and self.flip_pose:
            keypoints = flip_pose(keypoints, clip.image_width or 0)
        pose = normalise_pose(keypoints, self.pose_norm)
        if rng and self.pose_noise:
            pose = pose + rng.normal(0, self.pose_noise, pose.shape)
        sample = {
            "clip": i,
            "group": group(clip, self.pairing),
            "video": torch.from_numpy(view.normalised(pictures)),
            "pose": torch.from_numpy(pose.astype(np.float32)).permute(2, 0, 1).unsqueeze(-1),  # (2, T, 16, 1)
            "transitions": torch.tensor(self.transitions(i) or [ABSENT] * (number_of_slots(self.stages) - 1)),
            "score": torch.tensor((clip.dive_score or 0.0) / self.unit(i), dtype=torch.float32),
        }
        if self.splash is not None:
            sample["splash"] = torch.tensor(self.splash.get(str(clip.key), -1.0), dtype=torch.float32)
        return sample

    def transitions(self, i: int) -> tuple[int, ...]:
        """True transitions of clip i, indices among its T sampled frames; empty where its stages are not labelled."""
        starts = self.packed.clips[i].stage_starts
        if len(starts) < 2:
            return ()
        return sample_transitions(starts, self._positions(i), self.stages)

    def unit(self, i: int) -> float:
        """Points that 1 stands for in the target of clip i: 1, or its degree of difficulty."""
        return 1.0 if self.target == "score" else self.packed.clips[i].difficulty or 1.0

    def _positions(self, i: int) -> np.ndarray:
        return sample_frames(len(self.packed.frame_numbers(i)), self.frames)

    def _read(self, i: int, view: CropAndFlip) -> tuple[np.ndarray, np.ndarray]:
        """Pictures uint8 (T, crop, crop, 3), not yet mirrored; keypoints float32 (T, 16, 2) without gaps."""
        if self.in_memory or self.resize != (TRAINING_WIDTH, TRAINING_HEIGHT):
            pictures, keypoints = self._read_whole(i)
            return view.cropped(pictures), keypoints
        positions = self._positions(i)
        pictures = snippet(self.packed, i, positions, Crop(view.left, view.top, view.size))
        return pictures, self._keypoints(i, positions)

    def _keypoints(self, i: int, positions: np.ndarray) -> np.ndarray:
        """Joints (T, 16, 2) of the sampled frames; gaps are filled from all frames, since a dive turns fast."""
        return fill_gaps(self.packed.poses(i).keypoints[:, 0])[positions]

    def _read_whole(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """The same, pictures at the size of ``resize``; from memory where they are kept."""
        if i in self._kept:
            return self._kept[i]
        positions = self._positions(i)
        width, height = self.resize
        if width <= TRAINING_WIDTH and height <= TRAINING_HEIGHT:
            pictures = self.packed.training_frames(i, positions)
        else:
            pictures = self.packed.frames(i, positions)
        if pictures.shape[1:3] != (height, width):
            pictures = np.stack([cv2.resize(p, (width, height), interpolation=cv2.INTER_AREA) for p in pictures])
        read = pictures, self._keypoints(i, positions)
        if self.in_memory:
            self._kept[i] = read
        return read


class TrainingPairs(Dataset):
    """Each training dive as a query, with random exemplars of its group, both augmented.

    The exemplar is never the query itself unless the query is alone in its group.
    Item: the query's sample, then ``exemplars`` samples. What is drawn for it follows from the seed, the epoch and
    its number, whatever process draws it, and after whatever others.
    """

    def __init__(self, dives: Dives, train: Sequence[int], exemplars: int = 1, seed: int = 0) -> None:
        self.dives, self.train, self.exemplars, self.seed = dives, list(train), exemplars, seed
        self.epoch = 0
        self.peers = groups_of(dives.packed.clips, train, dives.pairing)

    def __len__(self) -> int:
        return len(self.train)

    def numbers_by_group(self) -> list[list[int]]:
        """Numbers of the items, each list those whose queries may be compared with each other."""
        number = {i: n for n, i in enumerate(self.train)}
        return [[number[i] for i in group] for group in self.peers.values()]

    def __getitem__(self, n: int) -> list[Sample]:
        query, rng = self.train[n], np.random.default_rng((self.seed, self.epoch, n))
        peers = self.peers[group(self.dives.packed.clips[query], self.dives.pairing)]
        others = [i for i in peers if i != query] or [query]
        chosen = rng.permutation(others)[: self.exemplars].tolist()
        return [self.dives.sample(i, rng) for i in (query, *chosen)]


def collate_pairs(items: Sequence[Sequence[Sample]], every_pair: bool = False) -> dict[str, Tensor]:
    """Pairs to one batch in which every clip stands once, however many pairs it is in.

    With ``every_pair`` all clips of the batch that share a group are compared,
    not only the drawn ones: encoding is what costs, a comparison is nearly free. Items
    may then come without exemplars; a batch of which no two share a group compares its first clip with itself.

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
        groups = [s["group"] for s in samples]
        same = [(q, e) for q, e in combinations(range(len(samples)), 2) if groups[q] == groups[e]]
        pairs = same or pairs or [(0, 0)]
    query, exemplar = torch.tensor(pairs).unbind(1)
    stacked = {k: torch.stack([s[k] for s in samples]) for k, v in samples[0].items() if isinstance(v, Tensor)}
    return {**stacked, "query": query, "exemplar": exemplar}
