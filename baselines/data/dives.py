"""Samples of dives out of the packed file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from baselines.data.batch import Batch
from baselines.data.exemplars import dive_number, group
from baselines.data.settings import DataSettings
from baselines.data.transforms import fill_gaps, normalise_pose, resized, sample_transitions, torso_length
from baselines.method import Needs
from baselines.modules.stages import ABSENT, number_of_slots
from finediving_pose.lexicon import known_sub_actions
from finediving_pose.packed.schema import TRAINING_HEIGHT, TRAINING_WIDTH
from finediving_pose.packed.snippets import mirrored, normalised, snippet
from finediving_pose.packed.views import View, mirror_joints, sample_frames

if TYPE_CHECKING:
    from baselines.features.store import Features
    from finediving_pose.packed.reader import PackedFile

Sample = dict[str, Any]
"""``clip`` (index in the packed file), ``group`` (in which pairs are made), and the fields of
:class:`~baselines.data.batch.Batch` for one clip, without the first axis."""

AWARDS = 7
"""The most judges that a dive has."""
SUB_ACTIONS = 5
"""The most stages that a dive has."""
NO_SUB_ACTION = -1


@dataclass(slots=True)
class Dives:
    """Samples of a packed file's clips, at the size that a network reads.

    Parameters
    ----------
    packed : the open file
    settings : frames, sizes, normalisation, target
    needs : what is read; pictures and poses that no method reads are not decoded
    splash : size of the splash by ``video/index``, see :mod:`baselines.data.splash`
    features : kept features, read in the place of pictures
    """

    packed: PackedFile
    settings: DataSettings = field(default_factory=DataSettings)
    needs: Needs = Needs.PICTURES | Needs.POSES | Needs.STAGES
    splash: Mapping[str, float] | None = None
    features: Features | None = None
    _pictures_kept: dict[int, np.ndarray] = field(default_factory=dict, repr=False)
    _joints_kept: dict[int, np.ndarray] = field(default_factory=dict, repr=False)

    def sample(self, i: int, rng: np.random.Generator | None = None) -> Sample:
        """Clip i, cropped in the centre, or with ``rng`` at a random place and mirrored every other time."""
        view = self._view(rng)
        clip = self.packed.clips[i]
        sample: Sample = {"clip": i, "group": group(clip, self.settings.pairing), "number": dive_number(clip)}
        if Needs.PICTURES in self.needs and self.features is not None:
            sample["features"] = self.features.of(i, view.mirrored)
        elif Needs.PICTURES in self.needs:
            pictures = self._pictures(i, view, rng)
            sample["video"] = torch.from_numpy(normalised(mirrored(pictures) if view.mirrored else pictures))
        if Needs.POSES in self.needs:
            sample["pose"] = self._pose(i, view, rng)
            sample["scale"] = torch.tensor(self._scale(i), dtype=torch.float32)
        if Needs.STAGES in self.needs:
            slots = number_of_slots(self.settings.stages)
            sample["transitions"] = torch.tensor(self.transitions(i) or [ABSENT] * (slots - 1))
        if Needs.SUB_ACTIONS in self.needs:
            found = known_sub_actions(clip.sub_actions, clip.action_type)[:SUB_ACTIONS]
            sample["sub_actions"] = torch.tensor([*found, *[NO_SUB_ACTION] * (SUB_ACTIONS - len(found))])
        if Needs.AWARDS in self.needs:
            awards = np.full(AWARDS, np.nan, np.float32)
            awards[: len(clip.judge_scores)] = clip.judge_scores[:AWARDS]
            sample |= {"awards": torch.from_numpy(awards), "synchronised": torch.tensor(bool(clip.synchronised))}
        known = {"score": (clip.dive_score or 0.0) / self.unit(i), "difficulty": clip.difficulty or np.nan}
        if self.splash is not None:
            known["splash"] = self.splash.get(str(clip.key), -1.0)
        return sample | {name: torch.tensor(value, dtype=torch.float32) for name, value in known.items()}

    def transitions(self, i: int) -> tuple[int, ...]:
        """True transitions of clip i, indices among its T sampled frames; empty where its stages are not labelled."""
        starts = self.packed.clips[i].stage_starts
        if len(starts) < 2:
            return ()
        found = sample_transitions(starts, self.positions(i), self.settings.stages)
        early = int(self.settings.boundary == "before")
        return tuple(t if t == ABSENT else max(t - early, 0) for t in found)

    def unit(self, i: int) -> float:
        """Points that 1 stands for in the target of clip i: 1, or its degree of difficulty."""
        return 1.0 if self.settings.target == "score" else self.packed.clips[i].difficulty or 1.0

    def positions(self, i: int) -> np.ndarray:
        """The T sampled frames of clip i, counted from its first: int64 (T,)."""
        numbers = self.packed.frame_numbers(i)
        first = int(numbers[0]) if self.settings.sampling == "video" else 0
        return sample_frames(len(numbers), self.settings.frames, first)

    def _view(self, rng: np.random.Generator | None) -> View:
        size, crop = self.settings.resize, self.settings.crop
        centre = View.centre(crop, size)
        if rng is None:
            return centre
        drawn = View.random(crop, rng, size)
        return drawn if self.settings.train_crop == "random" else replace(centre, mirrored=drawn.mirrored)

    def _pose(self, i: int, view: View, rng: np.random.Generator | None) -> Tensor:
        """Joints of the sampled frames, mirrored as the pictures are: float32 (2, T, 16, 1)."""
        settings, keypoints = self.settings, self._joints(i)
        if view.mirrored and settings.flip_pose:
            keypoints = mirror_joints(keypoints, self.packed.clips[i].image_width or 0)
        pose = normalise_pose(keypoints, settings.pose_norm)
        if rng and settings.pose_noise:
            pose = pose + rng.normal(0, settings.pose_noise, pose.shape)
        return torch.from_numpy(pose.astype(np.float32)).permute(2, 0, 1).unsqueeze(-1)

    def _scale(self, i: int) -> float:
        height = self.packed.clips[i].image_height
        return torso_length(self._joints(i)) / height if height else np.nan

    def _joints(self, i: int) -> np.ndarray:
        """Joints (T, 16, 2) of the sampled frames; gaps are filled from all frames, since a dive turns fast."""
        if i in self._joints_kept:
            return self._joints_kept[i]
        joints = fill_gaps(self.packed.poses(i).keypoints[:, 0])[self.positions(i)]
        if self.settings.in_memory:
            self._joints_kept[i] = joints
        return joints

    def _pictures(self, i: int, view: View, rng: np.random.Generator | None) -> np.ndarray:
        """Pictures uint8 (T, crop, crop, 3), not yet mirrored."""
        settings = self.settings
        stored = settings.resize == (TRAINING_WIDTH, TRAINING_HEIGHT) and settings.resample == "area"
        if settings.in_memory or not stored:
            return np.ascontiguousarray(view.crop(self._whole_pictures(i, rng)))
        return snippet(self.packed, i, self.positions(i), view)

    def _whole_pictures(self, i: int, rng: np.random.Generator | None) -> np.ndarray:
        """The same before the crop, at the size of ``resize``; from memory where they are kept.

        Filters that are drawn follow from the clip where there is no ``rng``, so that a test can be repeated.
        """
        if i in self._pictures_kept:
            return self._pictures_kept[i]
        positions = self.positions(i)
        width, height = self.settings.resize
        if self.settings.resample == "area" and width <= TRAINING_WIDTH and height <= TRAINING_HEIGHT:
            pictures = self.packed.training_frames(i, positions)
        else:
            pictures = self.packed.frames(i, positions)
        if pictures.shape[1:3] != (height, width):
            rng = rng or np.random.default_rng(i)
            pictures = np.stack([resized(p, width, height, self.settings.resample, rng) for p in pictures])
        if self.settings.in_memory:
            self._pictures_kept[i] = pictures
        return pictures


LABELS = ("score", "transitions", "awards", "splash")
"""Fields of a batch that are not known of a dive that is to be scored."""


def stack(samples: Sequence[Sample]) -> dict[str, Any]:
    """Samples to the fields of a :class:`~baselines.data.batch.Batch`."""
    stacked = {k: torch.stack([s[k] for s in samples]) for k, v in samples[0].items() if isinstance(v, Tensor)}
    return {**stacked, "number": tuple(s["number"] for s in samples)}


def unlabelled_batch(samples: Sequence[Sample]) -> Batch:
    """Clips that are to be scored, without what their labels say."""
    return Batch(**{name: value for name, value in stack(samples).items() if name not in LABELS})
