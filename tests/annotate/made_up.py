"""Made-up data directories and pose tables."""

from __future__ import annotations

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
