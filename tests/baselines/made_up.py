"""Clips with random pictures and poses, held in memory in place of a packed file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.packed.arrays import PackedPoses
from finediving_pose.packed.reader import PackedFile


class InMemory:
    """Clips of 20 frames with random pictures and poses."""

    path = Path("in-memory.h5")

    def __init__(self, clips: list[Clip], without_poses: tuple[int, ...] = ()) -> None:
        self.clips, self.without_poses = clips, without_poses

    def index(self, key: ClipKey) -> int:
        return [c.key for c in self.clips].index(key)

    def frame_numbers(self, i: int) -> np.ndarray:
        return np.arange(20)

    def training_frames(self, i: int, positions: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(i)
        return rng.integers(0, 256, (len(positions), 112, 200, 3)).astype(np.uint8)

    frames = training_frames

    def cached_block(self, i: int, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.training_frames(i, positions), np.arange(len(positions))

    def poses(self, i: int) -> PackedPoses:
        keypoints = np.random.default_rng(i).uniform(0, 200, (20, 2, 16, 2)).astype(np.float32)
        keypoints[:, 1] = np.nan
        if i in self.without_poses:
            keypoints[:] = np.nan
        none = np.zeros((20, 2, 16), np.uint8)
        return PackedPoses(keypoints, none, none.astype(np.float32), none, np.zeros((20, 2, 4), np.float32))


def clip(index: int, split: str = "train", number: str = "107b", **fields: Any) -> Clip:
    known = {"action_type": number, "difficulty": 3.0, "dive_score": 50.0 + index, "stage_starts": (5, 12)}
    known |= {"sub_actions": (1, 2, 3), "n_frames": 20, "image_width": 455, "split": split}
    return Clip(ClipKey(f"video{index // 4}", index), **(known | fields))


def packed(*clips: Clip, without_poses: tuple[int, ...] = ()) -> PackedFile:
    return cast(PackedFile, InMemory(list(clips), without_poses))


def ten() -> list[Clip]:
    """Eight train and two test dives of two numbers."""
    train = [clip(i, number=("107b", "5253b")[i % 2]) for i in range(8)]
    return [*train, clip(8, "test", "107b"), clip(9, "test", "5253b")]
