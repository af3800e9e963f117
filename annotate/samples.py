"""Frames with joints placed by hand, as an estimator learns from them and is measured on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from annotate.crop import box_of_joints, hull, whole_frame
from annotate.locate import POINTS_FLIP, box_points
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.frames import FrameFolder, open_frames
from finediving_pose.poses import JointSource, Visibility, read_poses
from finediving_pose.skeleton import FLIP
from finediving_pose.workspace import Workspace

LEAST_JOINTS = 4
"""A frame teaches nothing about a body from fewer joints: mostly feet leaving the picture under water."""

FEWEST_CLIPS, FEWEST_FRAMES = 5, 30
"""Of fewer clips nothing is held out: every one of them teaches too much to be spared. Nor where what is held out would
be fewer frames: what is best on a handful is best by chance."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame with one diver.

    Attributes
    ----------
    frames, number : where the picture is
    keypoints : float32 (16, 2), pixels; 0 where the joint is not known
    known : bool (16,), joints that were placed by hand and are in the picture
    box : float32 (4,), x1 y1 x2 y2 of the diver
    together : float32 (4,), the box around all divers in the frame
    way : float32 (2,), pixels, from the middle of the box to that of the other diver's; 0 where there is no other
    """

    frames: FrameFolder
    number: int
    keypoints: np.ndarray
    known: np.ndarray
    box: np.ndarray
    together: np.ndarray
    way: np.ndarray


def hand_placed(workspace: Workspace, clips: Sequence[Clip]) -> dict[ClipKey, list[Sample]]:
    """Samples of every clip with merged poses, by clip; frames with fewer than :data:`LEAST_JOINTS` are left out.

    Raises
    ------
    PoseError
        No clip has joints placed by hand.
    """
    found: dict[ClipKey, list[Sample]] = {}
    for clip in clips:
        path = workspace.pose_file("merged", clip.key)
        if path.is_file() and (samples := _samples(workspace, clip.key)):
            found[clip.key] = samples
    if not found:
        raise PoseError(
            f"{workspace.poses / 'merged'}: no clip has joints placed by hand, training needs some;"
            " add them with: fdpose annotate --manual FILE, then: fdpose merge"
        )
    return found


def hold_out(
    samples: Mapping[ClipKey, list[Sample]], seed: int, synthetic: Collection[ClipKey] = (), share: float = 0.1
) -> tuple[list[Sample], list[Sample]]:
    """Training and held-out samples, whole clips apart: neighbouring frames of a dive are nearly the same picture.

    Of real clips where there are :data:`FEWEST_CLIPS` or more; where there are no real ones, of that many synthetic
    ones; else none: what is best on synthetic dives is not what has learned most from a few real ones. None either
    where that is fewer than :data:`FEWEST_FRAMES` frames.
    """
    real = [k for k in sorted(samples) if k not in synthetic]
    made = [k for k in sorted(samples) if k in synthetic]
    keys = real or made
    if len(keys) < FEWEST_CLIPS:
        keys = []
    order = np.random.default_rng(seed).permutation(len(keys))
    held = {keys[i] for i in order[: max(1, round(share * len(keys)))]} if keys else set()
    if sum(len(samples[k]) for k in held) < FEWEST_FRAMES:
        held = set()
    train = [s for k in sorted(samples) if k not in held for s in samples[k]]
    return train, [s for k in sorted(held) for s in samples[k]]


def draw_weights(samples: Sequence[Sample], synthetic: Collection[ClipKey] = ()) -> np.ndarray:
    """How often each sample is drawn: alike, but where there are both, every other one is real. (n,), sums to 1.

    A few real frames among thousands of synthetic ones are not drowned so, and what was learned from
    the synthetic ones is not forgotten.
    """
    made = np.array([s.frames.key in synthetic for s in samples])
    share = 0.5 if made.any() and not made.all() else 1.0
    return share / np.where(made, made.sum(), (~made).sum())


class PoseFrames:
    """A map-style data set for torch: a sample's picture and joints through an mmpose pipeline.

    ``boxes`` says what is cropped and learned: ``joints`` (the diver's box, 16 joints) or ``frame`` (all
    of the picture, the five points of the box around all divers in it).
    """

    def __init__(self, samples: Sequence[Sample], pipeline: list[dict[str, Any]], boxes: str) -> None:
        from mmengine.dataset import Compose
        from mmpose.registry import TRANSFORMS

        import annotate.augment
        import annotate.limbs  # noqa: F401  (both register our transforms)

        self.samples, self.boxes = samples, boxes
        self.pipeline = Compose([TRANSFORMS.build(step) for step in pipeline])

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Any:
        sample = self.samples[index]
        image = cv2.cvtColor(sample.frames.read(sample.number), cv2.COLOR_RGB2BGR)  # as mmpose reads pictures
        height, width = image.shape[:2]
        if self.boxes == "joints":
            box, points, known, flip = sample.box[None], sample.keypoints, sample.known, FLIP
        else:
            box, points, flip = whole_frame(width, height), box_points(sample.together[None])[0], POINTS_FLIP
            known = np.ones(len(points), bool)
        return self.pipeline(
            {
                "img": image,
                "img_shape": (height, width),
                "ori_shape": (height, width),
                "bbox": box.copy(),
                "way": sample.way,
                "keypoints": points[None].astype(np.float32),
                "keypoints_visible": known[None].astype(np.float32),
                "flip_indices": list(flip),
            }
        )


def _samples(workspace: Workspace, key: ClipKey) -> list[Sample]:
    poses, frames = read_poses(workspace.pose_file("merged", key)), open_frames(workspace, key)
    known = (poses.source == JointSource.MANUAL) & (poses.visibility != Visibility.ABSENT)
    known &= ~np.isnan(poses.keypoints[..., 0])
    boxes = box_of_joints(poses.keypoints)
    there = (known.sum(1) >= LEAST_JOINTS) & np.isin(poses.frame, frames.numbers)
    return [
        Sample(
            frames,
            int(n),
            np.nan_to_num(poses.keypoints[i]),
            known[i],
            boxes[i],
            hull(boxes[there & (poses.frame == n)]),
            _way(boxes[i], boxes[there & (poses.frame == n) & (poses.person != poses.person[i])]),
        )
        for i, n in enumerate(poses.frame)
        if there[i]
    ]


def _way(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """From the middle of a box (4,) to that of the first of ``others`` (n, 4); 0 where there is none."""
    middle = others[0] - box if len(others) else np.zeros(4, np.float32)
    return (middle[:2] + middle[2:]) / 2
