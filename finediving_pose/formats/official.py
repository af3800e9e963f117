"""The JSON that the FineDiving-Pose release uses: a list with one entry a person and picture.

``{"image": name, "joints": [[x, y] x 16], "joints_vis": [0 or 1 x 16], "center": [x, y], "scale": s}``,
as in MPII: joints in pixels of the picture, ``scale`` the person's size over 200 pixels.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.documents import read_json
from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.skeleton import JOINTS, N_JOINTS
from finediving_pose.workspace import atomic_write


@dataclass(frozen=True, slots=True, eq=False)
class OfficialPose:
    """One entry of the file.

    Attributes
    ----------
    image : name of the picture, as written
    keypoints : float32 (16, 2), pixels; NaN where ``visible`` is False
    visible : bool (16,), whether the joint was annotated
    center : (x, y) of the person, pixels
    scale : the person's size over 200 pixels
    """

    image: str
    keypoints: NDArray[np.float32]
    visible: NDArray[np.bool_]
    center: tuple[float, float]
    scale: float

    @classmethod
    def of(cls, image: str, keypoints: NDArray[np.floating]) -> OfficialPose:
        """An entry from joints (16, 2), NaN where absent; centre and scale from the box around them.

        Raises PoseError where no joint is present.
        """
        keypoints = np.asarray(keypoints, np.float32)
        visible = np.asarray(np.isfinite(keypoints).all(axis=1))
        if not visible.any():
            raise PoseError(f"{image}: no joint to write; leave the picture out")
        keypoints = np.where(visible[:, None], keypoints, np.float32(np.nan))
        low, high = np.nanmin(keypoints, axis=0), np.nanmax(keypoints, axis=0)
        x, y = ((low + high) / 2).tolist()
        return cls(image, keypoints, visible, (x, y), max(float((high - low).max()), 1.0) * 1.25 / 200)


def read_official(path: Path) -> list[OfficialPose]:
    """All entries of a file, in order.

    Raises
    ------
    PoseError
        The file is missing or no such list; the message names the entry and the field.
    """
    data = read_json(path, PoseError)
    if not isinstance(data, list):
        raise PoseError(f"{path}: expected a list of entries (FineDiving-Pose JSON), found a {type(data).__name__}")
    return [_entry(path, i, entry) for i, entry in enumerate(data)]


def write_official(path: Path, poses: Iterable[OfficialPose]) -> None:
    """Write entries, whole or not at all. Absent joints are written as -1, -1 with visibility 0."""
    entries = [
        {
            "joints_vis": [int(v) for v in pose.visible],
            "joints": [
                [float(x), float(y)] if v else [-1.0, -1.0]
                for (x, y), v in zip(pose.keypoints, pose.visible, strict=True)
            ],
            "image": pose.image,
            "scale": float(pose.scale),
            "center": [float(c) for c in pose.center],
        }
        for pose in poses
    ]
    with atomic_write(path) as part:
        part.write_text(json.dumps(entries), encoding="utf-8")


@writes("official", "FineDiving-Pose JSON: one file of the release's own format", in_parts=True)
def export_official(out: Path, clips: Sequence[PosedClip]) -> None:
    """Every pose of every clip; pictures are named as in the data directory's ``frames/``."""
    write_official(
        out,
        [
            OfficialPose.of(posed.image(number), posed.poses.keypoints[row])
            for posed in clips
            for number, rows in posed.posed_frames()
            for row in rows
        ],
    )


@reads("official", lambda probe: _is_official(probe))
def import_official(path: Path, index: FrameIndex) -> Annotations:
    """Every entry of a file, as :func:`read_official` checks it."""
    return Annotations(
        [
            ImagePose.of_joints(pose.image, f"entry {i}, image {pose.image}", pose.keypoints)
            for i, pose in enumerate(read_official(path))
        ]
    )


def _is_official(probe: Probe) -> bool:
    return probe.json == [] or "joints" in probe.first_of_list()


def _entry(path: Path, i: int, entry: Any) -> OfficialPose:
    image = entry.get("image") if isinstance(entry, dict) else None
    if not isinstance(image, str) or not image:
        raise PoseError(f"{path}: entry {i} names no image; each entry is an object with image, joints, joints_vis")
    where = f"{path}: entry {i} (image {image})"
    joints = _numbers(entry.get("joints"), (N_JOINTS, 2))
    if joints is None:
        raise PoseError(f"{where}: joints must be {N_JOINTS} pairs of numbers, in MPII order")
    visible = _numbers(entry.get("joints_vis", [1] * N_JOINTS), (N_JOINTS,))
    if visible is None:
        raise PoseError(f"{where}: joints_vis must be {N_JOINTS} numbers, 0 or 1")
    if not np.isin(visible, (0, 1)).all():
        odd = visible[~np.isin(visible, (0, 1))][0]
        raise PoseError(f"{where}: joints_vis has {odd:g}, expected 0 or 1; if it is a confidence, decide by it")
    seen = visible > 0
    bad = seen & ~(np.abs(joints) < _FARTHEST).all(1)
    if bad.any():
        raise PoseError(f"{where}: joint {JOINTS[int(bad.argmax())]} is marked visible but has no finite position")
    keypoints = np.where(seen[:, None], joints, np.nan).astype(np.float32)
    center, scale = _numbers(entry.get("center"), (2,)), entry.get("scale")
    if center is None or not isinstance(scale, (int, float)) or not abs(scale) < _FARTHEST:
        made = OfficialPose.of(image, keypoints) if seen.any() else None
        return made or OfficialPose(image, keypoints, seen, (0.0, 0.0), 0.0)
    return OfficialPose(image, keypoints, seen, (float(center[0]), float(center[1])), float(scale))


_FARTHEST = 1e9
"""Pixels; no picture is so large."""


def _numbers(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """The value as float64 of that shape, or None."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return array if array.shape == shape else None
