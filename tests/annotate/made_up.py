"""Made-up data directories and pose tables."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.labels.table import write_clips
from finediving_pose.poses import ClipPoses, JointSource, Visibility
from finediving_pose.skeleton import INDEX
from finediving_pose.workspace import Workspace

KEY = ClipKey("meet", 0)
BASE = np.stack([np.linspace(20, 90, 16), np.linspace(5, 60, 16)], axis=1)
BASE[INDEX["head_top"]] = BASE[INDEX["upper_neck"]] + (0, -20)


BODY = np.stack([np.linspace(-40, 40, 16), 8 * np.cos(np.arange(16))], axis=-1)
PAIR_FRAMES = tuple(range(6))

TINY = """
codec = dict(type="MSRAHeatmap", input_size=(64, 96), heatmap_size=(16, 24), sigma=2)
model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(type="PoseDataPreprocessor", mean=[0.0] * 3, std=[255.0] * 3, bgr_to_rgb=True),
    backbone=dict(type="ResNet", depth=18, stem_channels=8, base_channels=8),
    head=dict(type="HeatmapHead", in_channels=64, out_channels={joints}, deconv_out_channels=(8, 8, 8),
        deconv_kernel_sizes=(4, 4, 4), loss=dict(type="KeypointMSELoss"), decoder=codec),
)
val_pipeline = [dict(type="GetBBoxCenterScale", padding=1.5), dict(type="TopdownAffine", input_size=(64, 96))]
"""
"""A config of a small network of an mmpose user's own; ``{joints}`` is its number of outputs."""


def grey_clips(workspace: Workspace) -> None:
    """Two clips of three grey frames each, which had names of their own where they came from."""
    clips = []
    for index, names in enumerate((("a0.jpg", "a1.jpg", "same.jpg"), ("b0.jpg", "b1.jpg", "same.jpg"))):
        clips.append(Clip(ClipKey("meet", index), n_frames=3))
        _grey_frames(workspace, clips[-1].key, names)
    write_clips(workspace.clips_table, clips)


def table(
    author: str, source: JointSource, has: np.ndarray | None = None, shift: float = 0, frames: tuple[int, ...] = (0,),
    time: str = "2026-01-01T00:00:00+00:00",
) -> ClipPoses:  # fmt: skip
    """Poses shifted right by ``shift``, with the joints that ``has`` says."""
    n, has = len(frames), np.ones(16, bool) if has is None else has
    return ClipPoses(
        frame=np.array(frames),
        person=np.zeros(n),
        box=np.full((n, 4), shift),
        keypoints=np.tile(np.where(has[:, None], BASE + np.array([shift, 0]), np.nan), (n, 1, 1)),
        visibility=np.tile(np.where(has, Visibility.VISIBLE, Visibility.ABSENT), (n, 1)),
        confidence=np.tile(has * 0.5, (n, 1)),
        source=np.tile(np.where(has, source, JointSource.NONE), (n, 1)),
        author=[author] * n,
        time=[time] * n,
    )


def pair(author: str = "net", source: JointSource = JointSource.AUTOMATIC, distance: float = 40) -> ClipPoses:
    """Two divers in six frames, the second to the right of the first."""
    one, two = (table(author, source, shift=s, frames=PAIR_FRAMES) for s in (0, distance))
    both = {name: np.concatenate([getattr(one, name), getattr(two, name)]) for name in
            ("frame", "box", "keypoints", "visibility", "confidence", "source")}  # fmt: skip
    n = len(PAIR_FRAMES)
    return ClipPoses(person=np.repeat([0, 1], n), author=[author] * 2 * n, time=one.time * 2, **both)


def spinning(n: int = 60, degrees_a_frame: float = 40.0) -> np.ndarray:
    """True joints (n, 16, 2) of a body that turns and falls."""
    angle = np.radians(degrees_a_frame) * np.arange(n)
    turn = np.stack([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    fall = np.stack([200 + 0.5 * np.arange(n), 40 + 0.05 * np.arange(n) ** 2], axis=-1)
    return BODY @ turn.transpose(0, 2, 1) + fall[:, None]


def machine_poses(keypoints: np.ndarray, confidence: Any = 1.0, first: int = 100) -> ClipPoses:
    """Automatic poses with these joints (n, 16, 2), NaN where not known, in frames from ``first`` on."""
    n = len(keypoints)
    known = np.isfinite(keypoints).all(-1)
    return ClipPoses(
        np.arange(first, first + n),
        np.zeros(n),
        np.tile([0, 0, 60.0, 80.0], (n, 1)),  # a diagonal of 100
        keypoints,
        np.where(known, Visibility.VISIBLE, Visibility.ABSENT),
        np.asarray(known * confidence),
        np.where(known, JointSource.AUTOMATIC, JointSource.NONE),
        ["machine"] * n,
        ["now"] * n,
    )


def panorama(height: int, width: int) -> np.ndarray:
    """A wide picture of patches, for a camera to pan over: uint8 (height, width, 3)."""
    patches = np.random.default_rng(0).integers(0, 256, (height // 16 + 1, width // 16 + 1, 3), np.uint8)
    return cv2.resize(patches, (width, height), interpolation=cv2.INTER_NEAREST)


def _grey_frames(workspace: Workspace, key: ClipKey, names: tuple[str, ...]) -> None:
    folder = workspace.frame_folder(key)
    folder.mkdir(parents=True)
    jpeg = simplejpeg.encode_jpeg(np.full((64, 112, 3), 128, np.uint8), colorspace="RGB")
    for number in range(len(names)):
        (folder / frame_name(number)).write_bytes(jpeg)
    write_manifest(
        FrameFolder(
            key=key,
            folder=folder,
            numbers=tuple(range(len(names))),
            width=112,
            height=64,
            source="made up",
            names=names,
            fps=25.0,
            digest=digest_jpegs([jpeg] * len(names)),
        )
    )
