"""Hand annotations in: files of annotated pictures to ``poses/manual/<annotator>``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from annotate.crop import box_of_joints
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.formats.official import OfficialPose, read_official
from finediving_pose.frames import frame_name, is_complete, open_frames
from finediving_pose.poses import ClipPoses, JointSource, Visibility, read_poses, write_poses
from finediving_pose.workspace import Workspace, remove_part_files

_NAME = re.compile(r"[\w][\w.-]{0,63}")

Place = tuple[ClipKey, int]


class FrameIndex:
    """Finds the frame that a picture's name means.

    ``<video>/<index>/<number>.jpg`` (longer paths ending so, too), or else the bare file name that
    the frame had where it came from, as each clip's ``clip.json`` records it.
    """

    def __init__(self, workspace: Workspace, clips: Sequence[Clip]) -> None:
        self.by_path: dict[str, Place] = {}
        self.by_name: dict[str, list[Place]] = defaultdict(list)
        for clip in clips:
            if is_complete(workspace, clip.key):
                frames = open_frames(workspace, clip.key)
                for number, name in zip(frames.numbers, frames.names, strict=True):
                    self.by_path[f"{clip.key}/{frame_name(number)}"] = (clip.key, number)
                    self.by_name[Path(name).name].append((clip.key, number))

    def find(self, image: str, where: str) -> Place:
        """Clip and frame number. Raises PoseError beginning with ``where`` for no frame or several."""
        parts = image.replace("\\", "/").split("/")
        if len(parts) >= 3 and (place := self.by_path.get("/".join(parts[-3:]))):
            return place
        places = self.by_name.get(parts[-1], []) if len(parts) == 1 else []
        if len(places) == 1:
            return places[0]
        if places:
            clips = ", ".join(str(key) for key, _ in places[:3])
            raise PoseError(f"{where}: {len(places)} clips have a frame of that name ({clips}); write video/index/name")
        raise PoseError(
            f"{where}: there is no such frame; extract it first, or write its name as video/index/00000.jpg"
        )


def take_in(workspace: Workspace, clips: Sequence[Clip], files: Sequence[Path], annotator: str) -> dict[str, Any]:
    """Read annotation files (FineDiving-Pose JSON) and store their poses under the annotator's name.

    A frame that the annotator had already is replaced, others stay. Nothing is written unless every
    entry of every file finds its frame.

    Returns
    -------
    Summary: files, entries, clips, frames, joints, annotator.

    Raises
    ------
    UsageError
        The annotator's name can't be a folder name.
    PoseError
        A file can't be read, an entry's picture is no frame of this data directory, or a frame has a third person.
    """
    if not _NAME.fullmatch(annotator):
        raise UsageError(f"--annotator {annotator!r}: use letters, digits, dots, dashes; it becomes a folder name")
    index = FrameIndex(workspace, clips)
    found: dict[ClipKey, list[tuple[int, OfficialPose]]] = defaultdict(list)
    for file in files:
        for i, entry in enumerate(read_official(file)):
            key, number = index.find(entry.image, f"{file}: entry {i}, image {entry.image}")
            found[key].append((number, entry))
            if sum(n == number for n, _ in found[key]) > 2:
                raise PoseError(
                    f"{file}: entry {i}, image {entry.image}: a third person in one frame; at most two dive"
                )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    tables = {key: _table(entries, annotator, now) for key, entries in found.items()}
    for key, poses in tables.items():
        path = workspace.pose_file(f"manual/{annotator}", key)
        remove_part_files(path)
        write_poses(path, replace_frames(read_poses(path), poses) if path.is_file() else poses)
    return {
        "files": len(files),
        "entries": sum(map(len, found.values())),
        "clips": len(tables),
        "frames": sum(len(set(p.frame.tolist())) for p in tables.values()),
        "joints": int(sum((p.source == JointSource.MANUAL).sum() for p in tables.values())),
        "annotator": annotator,
    }


def replace_frames(old: ClipPoses, new: ClipPoses) -> ClipPoses:
    """``old`` with every frame that ``new`` has taken from ``new``."""
    keep = np.flatnonzero(~np.isin(old.frame, new.frame))
    return concatenate([rows(old, keep), new])


def rows(poses: ClipPoses, index: np.ndarray) -> ClipPoses:
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


def _table(entries: list[tuple[int, OfficialPose]], annotator: str, now: str) -> ClipPoses:
    numbers = [n for n, _ in entries]
    keypoints = np.stack([p.keypoints for _, p in entries])
    visible = np.stack([p.visible for _, p in entries])
    return ClipPoses(
        frame=np.array(numbers),
        person=np.array([numbers[:i].count(n) for i, n in enumerate(numbers)]),
        box=box_of_joints(keypoints),
        keypoints=keypoints,
        visibility=np.where(visible, Visibility.VISIBLE, Visibility.ABSENT),
        confidence=visible.astype(np.float32),
        source=np.where(visible, JointSource.MANUAL, JointSource.NONE),
        author=[annotator] * len(entries),
        time=[now] * len(entries),
    )
