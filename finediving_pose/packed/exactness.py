"""What a packed file can't give back as it was, refused before it is written, by the clip's name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PackedError
from finediving_pose.frames import FrameFolder
from finediving_pose.labels.cells import LONGEST_LIST, MOST
from finediving_pose.packed import schema
from finediving_pose.parquet import LONGEST_TEXT
from finediving_pose.poses import ClipPoses, JointSource, Visibility

MOST_SUB_ACTION = 2**15 - 1
"""Sub-actions of frames have 16 bits."""

_MEND = "mend it in the clips table, or leave the clip out with --clip"


def check_exact(clips: Sequence[Clip], folders: Sequence[FrameFolder]) -> None:
    """Raise PackedError for the first clip with a value that reading would give back changed, or not at all."""
    for before, clip in pairwise(sorted(clips, key=lambda c: c.key)):
        if before.key == clip.key:
            raise PackedError(f"{clip.key}: is given twice; pack each clip once")
    for column in schema.COLUMNS:
        values = [schema.value_of(c, column.name) for c in clips]
        if not _gives_back(column, values):
            at = next(i for i, value in enumerate(values) if not _gives_back(column, [value]))
            raise PackedError(
                f"{clips[at].key}: {column.name} is {_shown(values[at])}, which a packed file can't give back; {_MEND}"
            )
    for clip, folder in zip(clips, folders, strict=True):
        _check_stages(clip, folder)


def _gives_back(column: schema.Column, values: list[Any]) -> bool:
    try:
        same = schema.decode_column(column, schema.encode_column(column, values)) == values
    except (ValueError, TypeError, OverflowError, AttributeError):  # among them text that UTF-8 can't hold
        return False
    return same and all(_is_plain(column, value) for value in values)


def _is_plain(column: schema.Column, value: Any) -> bool:
    """Whether a value that survives is one that its readers can use: text of a line, numbers that can be counted with.

    The numbers: finite, and whole ones within 32 bits, as frame numbers are.
    """
    if column.width:
        return len(value) <= LONGEST_LIST and all(_is_plain(schema.Column(column.name, column.dtype), v) for v in value)
    if isinstance(value, str):
        return "\0" not in value and len(value.encode()) <= LONGEST_TEXT
    return value is None or (math.isfinite(value) and (column.dtype[1] == "f" or abs(value) <= MOST))


def _check_stages(clip: Clip, folder: FrameFolder) -> None:
    """Stages begin one after the other inside the clip: their frames are found by sorting."""
    length = max(folder.numbers[-1] - folder.numbers[0] + 1, len(clip.frame_range or ()))
    bounds = [0, *clip.stage_starts, length]
    if clip.stage_starts and any(a >= b for a, b in pairwise(bounds)):
        raise PackedError(
            f"{clip.key}: stage_starts is {_shown(clip.stage_starts)}; expected rising numbers from 1 to {length - 1},"
            f" counted from the clip's first frame; {_MEND}"
        )
    if any(s > MOST_SUB_ACTION for s in clip.sub_actions):
        raise PackedError(f"{clip.key}: sub_actions is {_shown(clip.sub_actions)}; expected ids of 16 bits; {_MEND}")


def check_exact_poses(key: ClipKey, poses: ClipPoses) -> None:
    """Raise PackedError for poses of which some would be lost, or that mean nothing."""
    twice = np.concatenate([[False], (np.diff(poses.frame) == 0) & (np.diff(poses.person) == 0)])[: len(poses)]
    placed = poses.visibility != Visibility.ABSENT
    faults = {
        "has a person twice": twice,
        f"has a person beside 0 and {schema.N_PERSONS - 1}": (poses.person < 0) | (poses.person >= schema.N_PERSONS),
        "has a visibility that is not 0, 1 or 2": poses.visibility > max(Visibility),
        "has a source that is not 0, 1, 2 or 3": poses.source > max(JointSource),
        "has a joint that is there without a finite place": placed & ~np.isfinite(poses.keypoints).all(-1),
        "has an infinite keypoint": np.isinf(poses.keypoints).any(-1),
        "has an infinite box": np.isinf(poses.box),
        "has a confidence that is not between 0 and 1": ~((poses.confidence >= 0) & (poses.confidence <= 1)),
    }
    for what, wrong in faults.items():
        rows = wrong.reshape(len(poses), -1).any(1) if len(poses) else np.zeros(0, bool)
        if rows.any():
            frame = int(poses.frame[np.argmax(rows)])
            raise PackedError(
                f"{key}: frame {frame} {what} in its poses; see fdpose validate, then mend the poses or make them again"
            )


def _shown(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 80 else text[:77] + "..."
