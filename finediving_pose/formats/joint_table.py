"""A table of joints for spreadsheets, pandas and R: a CSV file with one line a joint.

Columns: ``video, index, frame, seconds, person, joint, x, y, visibility, confidence, source, author``. Pixels of the
stored frame; seconds from the clip's first frame. A pose has 16 lines; a joint that is absent has no x and y.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.documents import Table, read_table
from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.joint_names import joint_index
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.frames import frame_name
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.skeleton import JOINTS, N_JOINTS
from finediving_pose.spreadsheet import unescaped, write_csv

COLUMNS = (
    "video", "index", "frame", "seconds", "person", "joint", "x", "y", "visibility", "confidence", "source", "author",
)  # fmt: skip
_NEEDED = ("video", "index", "frame", "joint", "x", "y")
_VISIBILITY = {v.name.lower(): v for v in Visibility}
_BY_MACHINE = (JointSource.AUTOMATIC.name.lower(), JointSource.INTERPOLATED.name.lower())
_FARTHEST = 1e9
"""Pixels; no picture is so large."""


@writes("csv", "CSV: one line a joint, for spreadsheets, pandas and R", in_parts=True)
def write_joints(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write every pose of every clip, 16 lines each."""
    write_csv(out, COLUMNS, (line for posed in clips for line in _lines(posed)))


def _lines(posed: PosedClip) -> Iterator[tuple[Any, ...]]:
    poses, key = posed.poses, posed.clip.key
    seconds = dict(zip(posed.frames.numbers, posed.frames.times.tolist(), strict=True))
    for number, rows in posed.posed_frames():
        time = "" if math.isnan(seconds[number]) else round(seconds[number], 6)
        for row in rows:
            for j, joint in enumerate(JOINTS):
                visibility = Visibility(int(poses.visibility[row, j]))
                x, y = poses.keypoints[row, j].tolist() if visibility else (None, None)
                yield (
                    *(key.video, key.index, number, time, int(poses.person[row]), joint),
                    *("" if v is None else round(v, 4) for v in (x, y)),
                    *(visibility.name.lower(), round(float(poses.confidence[row, j]), 6)),
                    *(JointSource(int(poses.source[row, j])).name.lower(), posed.authors[row][j]),
                )


@reads("csv", lambda probe: _is_joint_table(probe))
def read_joints(path: Path, index: FrameIndex) -> Annotations:
    """Every pose of a table; person, visibility, confidence and source may be left out, other columns are passed over.

    Raises PoseError naming the line where a cell is no value, or a joint of a pose is there twice.
    """
    table = read_table(path, PoseError)
    header = [cell.strip().lower() for cell in table.rows[0]] if table.rows else []
    if missing := [c for c in _NEEDED if c not in header]:
        raise PoseError(f"{path}: no column {missing[0]!r}; a table of joints has the columns {', '.join(_NEEDED)}")
    poses: dict[tuple[str, int], _Rows] = {}
    for cells, line in zip(table.rows[1:], table.lines[1:], strict=True):
        row = dict(zip(header, cells, strict=False))
        try:
            image = f"{unescaped(row['video']).strip()}/{_whole(row['index'])}/{frame_name(_whole(row['frame']))}"
            person = _whole(row["person"]) if row.get("person", "").strip() else 0
            pose = poses.setdefault((image, person), _Rows(f"line {line}", image))
            pose.add(row, table)
        except (KeyError, ValueError) as e:
            what = f"no cell for {e}" if isinstance(e, KeyError) else str(e)
            raise PoseError(f"{path}: line {line}: {what}") from None
    return Annotations([pose.as_pose(person) for (_, person), pose in poses.items()])


class _Rows:
    """The joints of one pose while its lines are read."""

    def __init__(self, entry: str, image: str) -> None:
        self.entry, self.image = entry, image
        self.keypoints = np.full((N_JOINTS, 2), np.nan, np.float32)
        self.visibility = np.zeros(N_JOINTS, np.uint8)
        self.confidence = np.ones(N_JOINTS, np.float32)
        self.by_machine = np.zeros(N_JOINTS, bool)
        self._seen: set[int] = set()

    def add(self, row: dict[str, str], table: Table) -> None:
        """Take in one line. Raises ValueError saying what is wrong with it."""
        joint = joint_index(row["joint"])
        if joint is None:
            raise ValueError(f"{row['joint']!r} is none of the joints {JOINTS[0]} to {JOINTS[-1]}")
        if joint in self._seen:
            raise ValueError(f"{JOINTS[joint]} of {self.image} is there twice; keep one of the lines")
        self._seen.add(joint)
        word = row.get("visibility", "").strip().lower() or ("visible" if row["x"].strip() else "absent")
        if word not in _VISIBILITY:
            raise ValueError(f"{word!r} is no visibility; expected {', '.join(_VISIBILITY)}")
        if not _VISIBILITY[word]:
            return
        self.visibility[joint] = _VISIBILITY[word]
        self.keypoints[joint] = [_number(row, axis, table, -_FARTHEST, _FARTHEST) for axis in ("x", "y")]
        if row.get("confidence", "").strip():
            self.confidence[joint] = _number(row, "confidence", table, 0, 1)
        self.by_machine[joint] = row.get("source", "").strip().lower() in _BY_MACHINE

    def as_pose(self, person: int) -> ImagePose:
        present = self.visibility > 0
        return ImagePose(
            image=self.image,
            entry=f"{self.entry}, image {self.image}",
            keypoints=self.keypoints,
            visibility=self.visibility,
            confidence=np.where(present, self.confidence, 0).astype(np.float32),
            person=person,
            predicted=bool(present.any() and (self.by_machine | ~present).all()),
            by_machine=self.by_machine,
            listing=self.image,
        )


def _whole(text: str) -> int:
    """A whole number, 0 or more; a spreadsheet may write 5 as 5.0. Raises ValueError."""
    digits = text.strip().removesuffix(".0")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 9:
        raise ValueError(f"{text!r} is no whole number, 0 or more")
    return int(digits)


def _number(row: dict[str, str], column: str, table: Table, least: float, most: float) -> float:
    try:
        value = table.number(row[column])
    except ValueError:
        raise ValueError(f"{row[column]!r} is no number for {column}") from None
    if not least <= value <= most:
        raise ValueError(f"{column} is {row[column]}, expected {least:g} to {most:g}")
    return value


def _is_joint_table(probe: Probe) -> bool:
    if probe.path.suffix.lower() not in (".csv", ".tsv", ".txt") or not probe.path.is_file():
        return False
    with open(probe.path, "rb") as file:
        raw = file.read(2000)
    utf16 = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    lines = raw.decode("utf-16" if utf16 else "utf-8-sig", errors="ignore").splitlines()
    cells = {cell.strip().strip('"').lower() for line in lines[:2] for cell in re.split("[,;\t]", line)}
    return cells >= {"joint", "frame", "x", "y"}
