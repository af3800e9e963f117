"""Rules on the packed file against the data directory it was packed from: it still holds the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError
from finediving_pose.frames import is_complete, open_frames
from finediving_pose.packed import schema
from finediving_pose.packed.reader import PackedFile
from finediving_pose.poses import best_layer, read_poses
from finediving_pose.validate.packed_subject import PACK_AGAIN, PackedSubject
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import counted


@rule("packed.clips", severity="warning")
def file_has_the_clips(packed: PackedSubject) -> Iterator[Finding]:
    """The file has every clip that has frames, and its labels are those of the clips table."""
    if not packed.sound or not packed.workspace:
        return
    inside = {c.key: c for c in packed.sound.clips}
    ready = [key for key in packed.table if is_complete(packed.workspace, key)]
    missing = [key for key in ready if key not in inside]
    if missing:
        n = len(missing)
        yield packed.finding(
            f"{counted(n, 'clip')} with frames not packed, first {missing[0]}; {PACK_AGAIN}", len(inside), len(ready)
        )
    for key, clip in inside.items():
        now = packed.table.get(key)
        other = _other_fields(clip, now) if now else ["the clip itself"]
        if other:
            yield packed.finding(f"packed with other labels than the clips table has: {', '.join(other)}", key=key)


@rule("packed.frames", severity="warning")
def file_has_the_frames(packed: PackedSubject) -> Iterator[Finding]:
    """Each clip has the same frame numbers as its frame folder."""
    for i, clip in enumerate(packed.sound.clips if packed.sound and packed.workspace else ()):
        assert packed.sound and packed.workspace
        if is_complete(packed.workspace, clip.key):
            numbers, now = packed.sound.frame_numbers(i).tolist(), list(open_frames(packed.workspace, clip.key).numbers)
            if numbers != now:
                had = counted(len(numbers), "frame")
                what = f"packed with {had}, the folder has {len(now)} or other numbers; {PACK_AGAIN}"
                yield packed.finding(what, len(numbers), len(now), clip.key)


@rule("packed.poses", severity="warning")
def file_has_the_poses(packed: PackedSubject) -> Iterator[Finding]:
    """The poses are those of the data directory: merged poses if there are any, otherwise automatic ones.

    Joints are compared, not file times: poses that were written again without a change are not reported.
    """
    for i, clip in enumerate(packed.sound.clips if packed.sound and packed.workspace else ()):
        assert packed.sound and packed.workspace
        layer = best_layer(packed.workspace, clip.key)
        changed = _changed_poses(packed.sound, i, packed.workspace.pose_file(layer, clip.key)) if layer else 0
        if changed:
            yield packed.finding(
                f"{counted(changed, 'frame')} with other poses than {layer} has now; {PACK_AGAIN}", key=clip.key
            )


def _changed_poses(file: PackedFile, i: int, path: Path) -> int:
    """Number of frames whose packed keypoints are not those of a pose file; 0 where that can't be read."""
    try:
        poses = read_poses(path)
    except FdposeError:
        return 0  # pose.readable says so
    numbers = file.frame_numbers(i)
    now = np.full((len(numbers), schema.N_PERSONS, *poses.keypoints.shape[1:]), np.nan, np.float32)
    for row, position in enumerate(np.searchsorted(numbers, poses.frame)):
        person = int(poses.person[row])
        if position < len(numbers) and numbers[position] == poses.frame[row] and 0 <= person < schema.N_PERSONS:
            now[position, person] = poses.keypoints[row]
    same = (now == file.poses(i).keypoints) | (np.isnan(now) & np.isnan(file.poses(i).keypoints))
    return int((~same.reshape(len(numbers), -1).all(1)).sum())


def _other_fields(packed: Clip, now: Clip) -> list[str]:
    """Labels that differ; what the pictures give (their number, speed and size) is left to the rules on frames."""
    now = replace(
        now,
        n_frames=packed.n_frames,
        fps=packed.fps,
        image_width=packed.image_width,
        image_height=packed.image_height,
    )
    return [name for name in Clip.__dataclass_fields__ if getattr(packed, name) != getattr(now, name)]
