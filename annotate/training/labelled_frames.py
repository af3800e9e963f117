"""Frames with joints placed by hand, as an estimator learns from them and is measured on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotate.crop import box_of_joints, hull
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.frames import FrameFolder, open_frames
from finediving_pose.poses import ClipPoses, JointSource, Visibility, read_poses
from finediving_pose.workspace import Workspace

LEAST_JOINTS = 4
"""Frames with fewer joints are left out: mostly feet that leave the picture under water."""

FEWEST_CLIPS, FEWEST_FRAMES = 5, 30
"""With fewer clips nothing is held out, since training needs all of them; nor where the held-out clips would have fewer
frames, since the best weights on a handful of frames are the best by chance."""


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """One frame with one diver.

    Attributes
    ----------
    folder, number : where the picture is
    keypoints : float32 (16, 2), pixels; 0 where the joint is not known
    known : bool (16,), joints that were placed by hand and are in the picture
    box : float32 (4,), x1 y1 x2 y2 of the diver
    together : float32 (4,), the box around all divers in the frame
    way : float32 (2,), pixels, from the middle of the box to that of the other diver's; 0 where there is no other
    """

    folder: FrameFolder
    number: int
    keypoints: np.ndarray
    known: np.ndarray
    box: np.ndarray
    together: np.ndarray
    way: np.ndarray


def read_labelled_frames(workspace: Workspace, clips: Sequence[Clip]) -> dict[ClipKey, list[LabelledFrame]]:
    """Labelled frames of every clip with merged poses, those with fewer than :data:`LEAST_JOINTS` joints left out.

    Raises
    ------
    PoseError
        No clip has joints placed by hand.
    """
    found: dict[ClipKey, list[LabelledFrame]] = {}
    for clip in clips:
        path = workspace.pose_file("merged", clip.key)
        if path.is_file() and (labelled := _placed_by_hand(workspace, clip.key)):
            found[clip.key] = labelled
    if not found:
        raise PoseError(
            f"{workspace.poses / 'merged'}: no clip has joints placed by hand, training needs some;"
            " add them with: fdpose annotate --manual FILE, then: fdpose merge"
        )
    return found


def hold_out(
    frames: Mapping[ClipKey, list[LabelledFrame]], seed: int, synthetic: Collection[ClipKey] = (), share: float = 0.1
) -> tuple[list[LabelledFrame], list[LabelledFrame]]:
    """Training and held-out frames, split by clip: neighbouring frames of a dive are nearly the same picture.

    Real clips are held out where there are :data:`FEWEST_CLIPS` or more; synthetic ones only where there are no real
    ones, since figures on synthetic dives do not show what was learned from a few real ones. Nothing is held out where
    that would be fewer than :data:`FEWEST_FRAMES` frames.
    """
    real = [k for k in sorted(frames) if k not in synthetic]
    made = [k for k in sorted(frames) if k in synthetic]
    keys = real or made
    if len(keys) < FEWEST_CLIPS:
        keys = []
    order = np.random.default_rng(seed).permutation(len(keys))
    held = {keys[i] for i in order[: max(1, round(share * len(keys)))]} if keys else set()
    if sum(len(frames[k]) for k in held) < FEWEST_FRAMES:
        held = set()
    train = [f for k in sorted(frames) if k not in held for f in frames[k]]
    return train, [f for k in sorted(held) for f in frames[k]]


def draw_weights(frames: Sequence[LabelledFrame], synthetic: Collection[ClipKey] = ()) -> np.ndarray:
    """How often each frame is drawn: float (n,), sums to 1.

    All alike; but where there are real and synthetic frames, half of the draws are real. So a few real frames among
    thousands of synthetic ones count, and what was learned from the synthetic ones is not forgotten.
    """
    made = np.array([f.folder.key in synthetic for f in frames])
    share = 0.5 if made.any() and not made.all() else 1.0
    return share / np.where(made, made.sum(), (~made).sum())


def _placed_by_hand(workspace: Workspace, key: ClipKey) -> list[LabelledFrame]:
    poses, folder = read_poses(workspace.pose_file("merged", key)), open_frames(workspace, key)
    known = (poses.source == JointSource.MANUAL) & (poses.visibility != Visibility.ABSENT)
    return labelled_frames(folder, poses, known)


def labelled_frames(folder: FrameFolder, poses: ClipPoses, known: np.ndarray) -> list[LabelledFrame]:
    """The frames of a clip whose joints ``known`` (n, 16) are labels, where there are enough of them."""
    known = known & ~np.isnan(poses.keypoints[..., 0])
    boxes = box_of_joints(poses.keypoints)
    there = (known.sum(1) >= LEAST_JOINTS) & np.isin(poses.frame, folder.numbers)
    return [
        LabelledFrame(
            folder,
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
