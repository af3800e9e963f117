"""A person's layer of poses, joint by joint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finediving_pose.boxes import box_of_joints
from finediving_pose.clip import ClipKey
from finediving_pose.formats.registry import ImagePose
from finediving_pose.poses import ClipPoses, JointSource, Visibility, concatenate, read_poses, take_rows, write_poses
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.workspace import Workspace, remove_part_files


@dataclass(frozen=True, slots=True, eq=False)
class HandPose:
    """What a person placed of one diver in one frame.

    Attributes
    ----------
    person : 0 or 1
    pose : the whole pose, as the file says it
    placed : bool (16,), joints that the person placed, or deleted
    part : the other joints are as exported, so what the person had placed before stays; else the frame is new
    before : float32 (16, 2), the joints as they were exported; None where they were not
    """

    person: int
    pose: ImagePose
    placed: NDArray[np.bool_]
    part: bool
    before: NDArray[np.float32] | None = None


def update_layer(
    workspace: Workspace, annotator: str, key: ClipKey, frames: Mapping[int, Sequence[HandPose]], time: str
) -> int:
    """Write the frames into the annotator's layer of a clip; returns how many frames of it were replaced whole.

    The layer is read anew: call it while :func:`~finediving_pose.writing.writing` holds the layer's folder.
    A frame that was never exported is replaced whole; of others, only what the person placed.
    A joint that the person deleted has the source "manual" and is absent.
    """
    path = workspace.pose_file(f"manual/{annotator}", key)
    remove_part_files(path)
    old = read_poses(path) if path.is_file() else None
    rows: list[ClipPoses] = []
    frames_replaced = 0
    replaced = np.zeros(0 if old is None else len(old), bool)
    for number, hands in frames.items():
        whole = not any(hand.part for hand in hands)
        if old is not None and whole:
            replaced |= old.frame == number
            frames_replaced += bool((old.frame == number).any())
        for hand in hands:
            if not hand.placed.any():
                continue
            at = old.row(number, hand.person) if old is not None and not whole else None
            before = take_rows(old, np.array([at])) if old is not None and at is not None else None
            if at is not None:
                replaced[at] = True
            rows.append(_row(number, hand, annotator, time, before))
    kept = [] if old is None else [take_rows(old, np.flatnonzero(~replaced))]
    write_poses(path, concatenate([*kept, *rows]))
    return frames_replaced


def _row(number: int, hand: HandPose, annotator: str, time: str, before: ClipPoses | None) -> ClipPoses:
    """A table of one row: the joints that were placed now, over those of ``before``."""
    pose, placed = hand.pose, hand.placed
    present = placed & (pose.visibility > Visibility.ABSENT)
    confidence = present.astype(np.float32)
    if pose.confidence is not None:
        confidence = np.where(present, np.clip(pose.confidence, 0, 1), 0)
    keypoints = np.where(present[:, None], pose.keypoints, np.nan)
    visibility = np.where(present, pose.visibility, Visibility.ABSENT)
    source = np.where(placed, JointSource.MANUAL, JointSource.NONE)
    if before is not None:  # what the person placed before, and the file has as it was exported, stays
        keypoints = np.where(placed[:, None], keypoints, before.keypoints[0])
        visibility = np.where(placed, visibility, before.visibility[0])
        confidence = np.where(placed, confidence, before.confidence[0])
        source = np.where(placed, source, before.source[0])
    # a moved joint may have left the box that was exported
    box = pose.box if pose.box is not None and not hand.part else box_of_joints(pose.keypoints[None])[0]
    return ClipPoses(
        frame=np.array([number]),
        person=np.array([hand.person]),
        box=box[None],
        keypoints=keypoints.reshape(1, N_JOINTS, 2),
        visibility=visibility[None],
        confidence=confidence[None],
        source=source[None],
        author=[annotator],
        time=[time],
    )
