"""Query and exemplar dives out of the packed file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from baselines.transforms import (
    CropAndFlip,
    PoseNorm,
    fill_gaps,
    flip_pose,
    normalise_pose,
    sample_frames,
    sample_transitions,
)
from finediving_pose.clip import Clip
from finediving_pose.errors import PackedError

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


def dive_number(clip: Clip) -> str:
    """The dive number that exemplars are matched by; clips without one were left out before."""
    return clip.action_type or ""


def by_dive_number(clips: Sequence[Clip], chosen: Sequence[int]) -> dict[str, list[int]]:
    """Indices of the chosen clips under each dive number."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i in chosen:
        groups[dive_number(clips[i])].append(i)
    return dict(groups)


@dataclass(frozen=True, slots=True)
class Split:
    """Which clips of a packed file take part.

    Attributes
    ----------
    train, validation, test : indices of clips
    left_out : how many clips of the train and test split can't take part, by reason
    """

    train: tuple[int, ...]
    test: tuple[int, ...]
    validation: tuple[int, ...]
    left_out: dict[str, int]


def split_clips(packed: PackedFile, validation_share: float = 0.0) -> Split:
    """The clips with everything the model needs, by their split.

    Parameters
    ----------
    validation_share : share of the training videos, whole ones, held out for choosing the epoch

    Raises
    ------
    PackedError
        Nothing to train on, fewer than 2 test clips, or a test dive without an exemplar.
    """
    usable: dict[str, list[int]] = {"train": [], "test": []}
    left_out: Counter[str] = Counter()
    for i, clip in enumerate(packed.clips):
        if clip.split not in usable:
            continue
        missing = what_is_missing(packed, i)
        if missing:
            left_out[missing] += 1
        else:
            usable[clip.split].append(i)
    train, test = usable["train"], usable["test"]
    _check_enough(packed, train, test, left_out)
    validation = _hold_out(packed.clips, train, validation_share)
    kept = [i for i in train if i not in validation]
    _check_exemplars(packed, kept, test)
    return Split(tuple(kept), tuple(test), tuple(sorted(validation)), dict(left_out))


MENDS = {
    "no score": "fdpose extract with a label file that has scores",
    "no dive number": "fdpose extract with a label file that has dive numbers",
    "no stages": "fdpose extract with a label file that has stages (three or more a dive)",
    "no poses": "fdpose annotate --auto, fdpose merge, then fdpose pack",
}
"""What a clip may lack, and what to type then."""


def what_is_missing(packed: PackedFile, i: int) -> str | None:
    """The first thing that keeps clip i out of training and testing, a key of :data:`MENDS`."""
    clip = packed.clips[i]
    if clip.dive_score is None:
        return "no score"
    if not clip.action_type:
        return "no dive number"
    if len(clip.stage_starts) < 2:
        return "no stages"
    if np.isnan(packed.poses(i).keypoints[:, 0]).all():
        return "no poses"
    return None


def _check_enough(packed: PackedFile, train: list[int], test: list[int], left_out: Counter[str]) -> None:
    labelled = sum(c.split in ("train", "test") for c in packed.clips)
    if not labelled:
        raise PackedError(
            f"{packed.path}: none of its {len(packed.clips)} clips is in the train or test split;"
            " a benchmark needs labelled dives: fdpose extract --labels DIR, then fdpose pack"
        )
    for name, clips, least in (("train", train, 2), ("test", test, 2)):
        if len(clips) < least:
            reason, count = left_out.most_common(1)[0] if left_out else ("", 0)
            why = f"; {count} of {labelled} have {reason}: {MENDS[reason]}" if reason else ""
            raise PackedError(f"{packed.path}: {len(clips)} usable {name} clips, at least {least} are needed{why}")


def _check_exemplars(packed: PackedFile, train: list[int], test: list[int]) -> None:
    known = by_dive_number(packed.clips, train)
    for i in test:
        if dive_number(packed.clips[i]) not in known:
            raise PackedError(
                f"{packed.path}: test dive {packed.clips[i].key} has dive number {dive_number(packed.clips[i])},"
                " which no train dive has, so it has no exemplar; move a dive of that number to the train split"
            )


def _hold_out(clips: Sequence[Clip], train: list[int], share: float) -> set[int]:
    """Whole videos, spread over the sorted names, keeping an exemplar of every number in train."""
    videos = sorted({clips[i].key.video for i in train})
    wanted = share * len(train)
    held: set[int] = set()
    step = max(round(1 / share), 1) if share else len(videos) + 1
    for video in videos[step // 2 :: step]:
        candidate = held | {i for i in train if clips[i].key.video == video}
        left = {dive_number(clips[i]) for i in train if i not in candidate}
        if len(candidate) <= max(wanted, 1) * 1.5 and left >= {dive_number(clips[i]) for i in train}:
            held = candidate
    return held


def choose_voters(
    clips: Sequence[Clip], queries: Sequence[int], train: Sequence[int], count: int, seed: int
) -> list[list[int]]:
    """Up to ``count`` different train dives of each query's dive number, drawn once from the seed.

    The public code repeats the first exemplar where there are fewer than ``count``;
    here the distinct ones vote alone. A query that is itself in train does not vote.
    """
    groups = by_dive_number(clips, train)
    rng = np.random.default_rng(seed)
    chosen = []
    for i in queries:
        others = [j for j in groups[dive_number(clips[i])] if j != i]
        chosen.append(sorted(rng.permutation(others)[:count].tolist()))
    return chosen
