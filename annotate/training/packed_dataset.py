"""mmpose's view of a packed file: one item a person and frame, for mmpose's own training and evaluation.

In an mmpose config::

    custom_imports = dict(imports=["annotate.training.packed_dataset"])
    dataset = dict(type="PackedPoseDataset", packed="finediving_pose.h5", split="train", pipeline=[...])

The pipeline starts with ``LoadImage``, as always: the picture is in the item already.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from annotate.crop import box_of_joints
from annotate.training.labelled_frames import LEAST_JOINTS
from finediving_pose.clip import Split
from finediving_pose.errors import PackedError
from finediving_pose.formats.coco import mmpose_metainfo
from finediving_pose.packed.reader import open_packed
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.skeleton import HEAD

# isort: off
import annotate.estimators.mmpose_compat  # noqa: F401  (before mmpose)
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS
# isort: on


@DATASETS.register_module()
class PackedPoseDataset(BaseCocoStyleDataset):
    """Poses of a packed file, top-down: the picture, the person's box, 16 joints.

    Parameters
    ----------
    packed : path of the packed file
    split : only clips of this split; all with None
    by_hand : only poses with a joint that a person placed
    pipeline, test_mode : as mmpose's data sets have them

    Items are dicts as mmpose's transforms expect them: ``img`` uint8 (height, width, 3), BGR; ``bbox`` (1, 4) xyxy
    and ``bbox_score`` (1,); ``keypoints`` (1, 16, 2) pixels, ``keypoints_visible`` (1, 16); ``head_size`` (1,), upper
    neck to head top in pixels, for PCKh (0, not counted, where either is absent); ``id``, ``img_id``.

    Raises
    ------
    PackedError
        The file can't be read, or has no such poses.
    """

    def __init__(
        self,
        packed: Path | str,
        split: Split | None = None,
        by_hand: bool = False,
        pipeline: Sequence[Any] = (),
        test_mode: bool = False,
        **more: Any,
    ) -> None:
        self.packed = open_packed(packed)
        self.split, self.by_hand = split, by_hand
        more.setdefault("metainfo", mmpose_metainfo())
        super().__init__(
            ann_file="", data_mode="topdown", pipeline=list(pipeline), test_mode=test_mode,
            serialize_data=False, **more,
        )  # fmt: skip

    def load_data_list(self) -> list[dict[str, Any]]:
        """One entry a person and frame; the pictures are decoded later, item by item."""
        items: list[dict[str, Any]] = []
        for i, split in enumerate(self.packed.columns["split"].tolist()):
            if self.split is None or split == self.split.encode():
                items += self._of_clip(i, len(items))
        if not items:
            kind = "poses by hand" if self.by_hand else "poses"
            raise PackedError(
                f"{self.packed.path}: no {kind} in {self.split or 'any'} split; annotate, merge, pack again"
            )
        return items

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """One item, with its picture."""
        info = super().get_data_info(idx)
        rgb = self.packed.frames(info["clip"], [info["position"]])[0]
        return {**info, "img": np.ascontiguousarray(rgb[..., ::-1]), "img_path": info["img_path"]}

    def _of_clip(self, i: int, first: int) -> list[dict[str, Any]]:
        poses, clip = self.packed.poses(i), self.packed.clips[i]
        present = (poses.visibility != Visibility.ABSENT) & np.isfinite(poses.keypoints).all(-1)  # (n, 2, 16)
        wanted = present.sum(-1) >= LEAST_JOINTS
        if self.by_hand:
            wanted &= (poses.source == JointSource.MANUAL).any(-1)
        numbers = self.packed.frame_numbers(i)
        items = []
        for k, (frame, person) in enumerate(np.argwhere(wanted).tolist()):
            seen, joints = present[frame, person], poses.keypoints[frame, person]
            box = poses.box[frame, person]
            box = box if np.isfinite(box).all() else box_of_joints(joints[None])[0]
            items.append(
                {
                    "clip": i,
                    "position": frame,
                    "img_id": first + k,
                    "id": first + k,
                    "img_path": f"{clip.key}/{int(numbers[frame]):05d}.jpg",
                    "bbox": box[None].astype(np.float32),
                    "bbox_score": np.ones(1, np.float32),
                    "num_keypoints": int(seen.sum()),
                    "keypoints": np.where(seen[:, None], joints, 0)[None].astype(np.float32),
                    "keypoints_visible": seen[None].astype(np.float32),
                    "head_size": np.array([_head_size(joints, seen)], np.float32),
                    "iscrowd": 0,
                    "category_id": 1,
                }
            )
        return items


def _head_size(joints: np.ndarray, seen: np.ndarray) -> float:
    neck, top = HEAD
    return float(np.linalg.norm(joints[neck] - joints[top])) if seen[neck] and seen[top] else 0.0
