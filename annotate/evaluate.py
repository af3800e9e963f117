"""A layer of poses against a file of true ones: how often the diver was found, and every joint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotate.agreement import joint_hits
from annotate.crop import box_of_joints, iou
from annotate.manual import FrameIndex
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.formats.official import read_official
from finediving_pose.poses import read_poses
from finediving_pose.skeleton import JOINTS
from finediving_pose.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How near a layer of poses is to the truth.

    Attributes
    ----------
    frames : frames compared
    pckh : share of joints within half a head length of the truth (see :mod:`annotate.agreement`)
    box_found : share of frames whose box overlaps the true one by an intersection over union of 0.5 or more
    by_joint : ``pckh`` of each joint
    """

    frames: int
    pckh: float
    box_found: float
    by_joint: dict[str, float]


def against_truth(workspace: Workspace, clips: Sequence[Clip], truth: Path, layer: str = "auto") -> Accuracy:
    """Compare a layer with a FineDiving-Pose JSON; frames that only one of the two has don't count.

    Raises
    ------
    PoseError
        ``truth`` can't be read, names a frame that does not exist, or shares no frame with the layer.
    """
    index = FrameIndex(workspace, clips)
    true: dict[ClipKey, dict[int, np.ndarray]] = defaultdict(dict)
    for i, entry in enumerate(read_official(truth)):
        key, number = index.find(entry.image, f"{truth}: entry {i}, image {entry.image}")
        true[key][number] = entry.keypoints
    pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for key, by_frame in true.items():
        path = workspace.pose_file(layer, key)
        if not path.is_file():
            continue
        poses = read_poses(path)
        rows = [(poses.keypoints[r], poses.box[r], k) for n, k in by_frame.items() if (r := poses.row(n)) is not None]
        pairs += rows
    if not pairs:
        raise PoseError(f"{truth}: none of its {len(true)} clips has poses in {layer}; run: fdpose annotate --auto")
    found, boxes, wanted = (np.stack(column) for column in zip(*pairs, strict=True))
    right, counted = joint_hits(found, wanted, 0.5)
    per_joint = right.sum(0) / np.maximum(counted.sum(0), 1)
    return Accuracy(
        frames=len(pairs),
        pckh=float(right.sum() / max(counted.sum(), 1)),
        box_found=float((iou(boxes, box_of_joints(wanted)) >= 0.5).mean()),
        by_joint={name: float(share) for name, share in zip(JOINTS, per_joint, strict=True)},
    )
