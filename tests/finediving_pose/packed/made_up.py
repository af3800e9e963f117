"""Made-up data directories and packed files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.extraction.clips_table import add_clips
from finediving_pose.extraction.writer import FrameWriter
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.labels.table import write_clips
from finediving_pose.packed.reader import PackedFile, open_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import ClipPoses, write_poses
from finediving_pose.workspace import Workspace
from tests.media import jpeg


def add_clip(workspace: Workspace, clip: Clip, numbers: list[int]) -> list[bytes]:
    """Put a clip with numbered pictures into a data directory; returns the pictures."""
    pictures = [jpeg(n % 256, 64, 48) for n in numbers]
    writer = FrameWriter(workspace, clip.key, "a test", 25.0)
    for number, picture in zip(numbers, pictures, strict=True):
        writer.add(number, f"{number}.jpg", picture)
    writer.finish()
    add_clips(workspace, [clip])
    return pictures


def random_poses(frames: list[int], persons: list[int], seed: int, sources: tuple[int, ...] = (1, 2)) -> ClipPoses:
    """Poses of every frame and person given, some joints absent."""
    rng = np.random.default_rng(seed)
    n = len(frames)
    visibility = rng.integers(0, 3, (n, 16)).astype(np.uint8)
    present = visibility > 0
    return ClipPoses(
        frame=np.array(frames),
        person=np.array(persons),
        box=rng.uniform(0, 60, (n, 4)).astype(np.float32),
        keypoints=np.where(present[..., None], rng.uniform(0, 60, (n, 16, 2)), np.nan).astype(np.float32),
        visibility=visibility,
        confidence=np.where(present, rng.uniform(0, 1, (n, 16)), 0).astype(np.float32),
        source=np.where(present, rng.choice(sources, (n, 16)), 0).astype(np.uint8),
        author=["someone"] * n,
        time=["2024-01-01T00:00:00+00:00"] * n,
    )


def fill(workspace: Workspace) -> Workspace:
    """Four clips of two videos: poses of one person, of two, corrected by hand, none at all."""
    keys = [ClipKey("men", 1), ClipKey("men", 2), ClipKey("women", 0), ClipKey("women", 7)]
    for i, key in enumerate(keys):
        labels = {"stage_starts": (2, 5), "sub_actions": (3, 24, 36), "split": ("train", "test")[i % 2]}
        clip = Clip(key, start_frame=10 * i, end_frame=10 * i + 7 + i, dive_score=60.5 + i, **labels)
        add_clip(workspace, clip, list(range(10 * i, 10 * i + 8 + i)))
    write_poses(workspace.pose_file("auto", keys[0]), random_poses(list(range(8)), [0] * 8, 0, (1,)))
    write_poses(workspace.pose_file("merged", keys[1]), random_poses([10, 10, 12], [0, 1, 0], 1))
    write_poses(workspace.pose_file("auto", keys[1]), random_poses([10], [0], 2, (1,)))
    write_poses(workspace.pose_file("auto", keys[2]), random_poses([20, 999], [1, 0], 3, (1,)))
    return workspace


N = 9
"""Frames of the moving picture."""


def moving_picture(root: Path) -> dict[str, PackedFile]:
    """One soft moving picture, packed with and without cache."""
    workspace = Workspace(root)
    key = ClipKey("Cup_Men10m", 3)
    folder = workspace.frame_folder(key)
    folder.mkdir(parents=True)
    scene = cv2.resize(np.random.default_rng(0).integers(0, 255, (12, 24, 3), np.uint8), (520, 256))
    jpegs = [
        simplejpeg.encode_jpeg(np.ascontiguousarray(scene[:, 5 * i : 5 * i + 455]), colorsubsampling="420")
        for i in range(N)
    ]
    for i, picture in enumerate(jpegs):
        (folder / frame_name(i)).write_bytes(picture)
    names = tuple(map(frame_name, range(N)))
    write_manifest(FrameFolder(key, folder, tuple(range(N)), 455, 256, "made", names, 25.0, digest_jpegs(jpegs)))
    write_clips(workspace.clips_table, [Clip(key, "train", "107b", 3.0, 72.0)])
    write_packed(workspace, target=workspace.root / "plain.h5")
    write_packed(workspace, target=workspace.root / "cached.h5", cache=True)
    return {name: open_packed(workspace.root / f"{name}.h5") for name in ("plain", "cached")}
