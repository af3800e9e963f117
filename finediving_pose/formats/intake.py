"""Hand annotations in: files of any known format to ``poses/manual/<annotator>``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.boxes import box_of_joints
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.registry import ImagePose, reader_of
from finediving_pose.poses import ClipPoses, JointSource, Visibility, read_poses, write_poses
from finediving_pose.workspace import Workspace, remove_part_files

_NAME = re.compile(r"[\w][\w.-]{0,63}")

Persons = dict[int, dict[int, ImagePose]]
"""Frame number, person, pose: the poses of one clip."""


def take_in(
    workspace: Workspace, clips: Sequence[Clip], files: Sequence[Path], annotator: str, format: str | None = None
) -> dict[str, Any]:
    """Read annotation files and store their poses under the annotator's name.

    A frame that the annotator had already is replaced, others stay. Nothing is written unless every
    entry of every file finds its frame.

    Parameters
    ----------
    format : name of the files' format; None to recognise each file by looking

    Returns
    -------
    Summary: files, format, entries, clips, frames, joints, annotator.

    Raises
    ------
    UsageError
        The annotator's name can't be a folder name, or there is no such format.
    PoseError
        A file can't be read, an entry's picture is no frame of this data directory or has another
        size than the stored frame, or a frame has a third person.
    """
    if not _NAME.fullmatch(annotator):
        raise UsageError(f"--annotator {annotator!r}: use letters, digits, dots, dashes; it becomes a folder name")
    index = FrameIndex(workspace, clips)
    found: dict[ClipKey, Persons] = defaultdict(lambda: defaultdict(dict))
    formats, entries = set(), 0
    for file in files:
        reader = reader_of(file, format)
        formats.add(reader.name)
        for pose in reader.read(file, index):
            _place(index, found, pose, f"{file}: {pose.entry}")
            entries += 1
    now = datetime.now(UTC).isoformat(timespec="seconds")
    tables = {key: _table(persons, annotator, now) for key, persons in found.items()}
    for key, poses in tables.items():
        path = workspace.pose_file(f"manual/{annotator}", key)
        remove_part_files(path)
        write_poses(path, replace_frames(read_poses(path), poses) if path.is_file() else poses)
    return {
        "files": len(files),
        "format": ", ".join(sorted(formats)),
        "entries": entries,
        "clips": len(tables),
        "frames": sum(len(set(p.frame.tolist())) for p in tables.values()),
        "joints": int(sum((p.source == JointSource.MANUAL).sum() for p in tables.values())),
        "annotator": annotator,
    }


def replace_frames(old: ClipPoses, new: ClipPoses) -> ClipPoses:
    """``old`` with every frame that ``new`` has taken from ``new``."""
    keep = np.flatnonzero(~np.isin(old.frame, new.frame))
    return concatenate([rows(old, keep), new])


def rows(poses: ClipPoses, index: NDArray[np.bool_] | NDArray[np.integer]) -> ClipPoses:
    """Some rows of a pose table."""
    return ClipPoses(
        frame=poses.frame[index],
        person=poses.person[index],
        box=poses.box[index],
        keypoints=poses.keypoints[index],
        visibility=poses.visibility[index],
        confidence=poses.confidence[index],
        source=poses.source[index],
        author=[poses.author[i] for i in index],
        time=[poses.time[i] for i in index],
    )


def concatenate(tables: Sequence[ClipPoses]) -> ClipPoses:
    """Pose tables of one clip, one after the other."""
    return ClipPoses(
        frame=np.concatenate([t.frame for t in tables]),
        person=np.concatenate([t.person for t in tables]),
        box=np.concatenate([t.box for t in tables]),
        keypoints=np.concatenate([t.keypoints for t in tables]),
        visibility=np.concatenate([t.visibility for t in tables]),
        confidence=np.concatenate([t.confidence for t in tables]),
        source=np.concatenate([t.source for t in tables]),
        author=[a for t in tables for a in t.author],
        time=[m for t in tables for m in t.time],
    )


def _place(index: FrameIndex, found: dict[ClipKey, Persons], pose: ImagePose, where: str) -> None:
    """Put a pose at its frame and person."""
    key, number = index.find(pose.image, where)
    frames = index.folders[key]
    if pose.size and pose.size != (frames.width, frames.height):
        raise PoseError(
            f"{where}: annotated at {pose.size[0]} x {pose.size[1]} pixels, but the stored frame has"
            f" {frames.width} x {frames.height}; scale the joints, or extract at that size"
        )
    there = found[key][number]
    person = pose.person if pose.person is not None else next((p for p in (0, 1) if p not in there), None)
    if person is None:
        raise PoseError(f"{where}: a third person in one frame; at most two dive")
    if person in there:
        raise PoseError(f"{where}: person {person} is in this frame already ({there[person].entry}); leave one out")
    there[person] = pose


def _table(persons: Persons, annotator: str, now: str) -> ClipPoses:
    flat = [(number, person, pose) for number, there in persons.items() for person, pose in there.items()]
    keypoints = np.stack([p.keypoints for *_, p in flat])
    present = np.stack([p.visibility for *_, p in flat]) > Visibility.ABSENT
    boxes = box_of_joints(keypoints)
    confidence = present.astype(np.float32)
    for i, (*_, pose) in enumerate(flat):
        if pose.box is not None:
            boxes[i] = pose.box
        if pose.confidence is not None:
            confidence[i] = np.where(present[i], np.clip(pose.confidence, 0, 1), 0)
    return ClipPoses(
        frame=np.array([n for n, *_ in flat]),
        person=np.array([p for _, p, _ in flat]),
        box=boxes,
        keypoints=keypoints,
        visibility=np.stack([p.visibility for *_, p in flat]),
        confidence=confidence,
        source=np.where(present, JointSource.MANUAL, JointSource.NONE),
        author=[annotator] * len(flat),
        time=[now] * len(flat),
    )
