"""What an export wrote: a digest of each file, and every joint with who placed it.

The record lies beside an exported file or in an exported folder, and in the data directory. By the digests the next
export knows whether anybody changed what is there; by the joints an import knows what a person moved and what is still
the machine's.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose import droppings
from finediving_pose.clip import ClipKey
from finediving_pose.documents import parse_json
from finediving_pose.errors import FdposeError, PoseError
from finediving_pose.parquet import read_parquet
from finediving_pose.poses import ClipPoses, JointSource
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.workspace import Workspace, atomic_write

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "fdpose-export.parquet"
_FACTS = b"fdpose-export"

SAME_PLACE = 0.05
"""Pixels: tools round positions by less, and nobody moves a joint by so little."""


@dataclass(frozen=True, slots=True, eq=False)
class ExportedPose:
    """One person in one frame, as the exported file says it.

    Attributes
    ----------
    key, frame, person : whose pose it is in the data directory
    person_read : the person that an import of the untouched file takes it for
    keypoints : float32 (16, 2), pixels; NaN where the file has no such joint
    visibility : uint8 (16,), as the file says it
    source : uint8 (16,), see :class:`~finediving_pose.poses.JointSource`
    layer : the layer that was exported
    authors : estimator or annotator of each joint, 16
    """

    key: ClipKey
    frame: int
    person: int
    person_read: int
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.uint8]
    source: NDArray[np.uint8]
    layer: str
    authors: list[str]


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """What an export wrote.

    Attributes
    ----------
    format : name of the format
    files : sha256 of each file by its path below the exported folder; by "" that of an exported file, and by its name
        that of each file written beside it
    before : sha256 of the file that this export replaces, None where it replaces none
    poses : see :class:`ExportedPose`
    """

    format: str
    files: dict[str, str]
    before: str | None
    poses: list[ExportedPose]


def record_path(out: Path) -> Path:
    """Where the record of the export at ``out`` is: in the folder, or beside the file."""
    return out / NAME if out.is_dir() else out.with_name(f"{out.name}.{NAME}")


def read_record(path: Path, keys: Collection[ClipKey] = ()) -> ExportRecord | None:
    """The record in a file, with the poses of those clips; None where there is none, or it can't be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        facts = parse_json((pq.read_schema(path).metadata or {})[_FACTS].decode(), str(path), PoseError)
        poses = _read_poses(path, keys) if keys else []
        return ExportRecord(str(facts["format"]), dict(facts["files"]), facts["before"], poses)
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError, FdposeError):
        return None


def _read_poses(path: Path, keys: Collection[ClipKey]) -> list[ExportedPose]:
    table = read_parquet(path, "the record of an export", PoseError)
    clips = zip(table.column("video").to_pylist(), table.column("index").to_pylist(), strict=True)
    wanted = {(key.video, key.index) for key in keys}
    return [_pose(row) for row in table.take([i for i, clip in enumerate(clips) if clip in wanted]).to_pylist()]


def write_record(path: Path, record: ExportRecord) -> None:
    """Write the record, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "video": pa.array([p.key.video for p in record.poses], pa.string()),
        "index": pa.array([p.key.index for p in record.poses], pa.int32()),
        "frame": pa.array([p.frame for p in record.poses], pa.int32()),
        "person": pa.array([p.person for p in record.poses], pa.int8()),
        "person_read": pa.array([p.person_read for p in record.poses], pa.int8()),
        "keypoints": _lists([p.keypoints.reshape(-1) for p in record.poses], np.float32),
        "visibility": _lists([p.visibility for p in record.poses], np.uint8),
        "source": _lists([p.source for p in record.poses], np.uint8),
        "layer": pa.array([p.layer for p in record.poses], pa.string()),
        "authors": pa.array([p.authors for p in record.poses], pa.list_(pa.string())),
    }
    facts = {"format": record.format, "files": record.files, "before": record.before}
    table = pa.table(columns).replace_schema_metadata({_FACTS: json.dumps(facts)})
    with atomic_write(path) as part:
        pq.write_table(table, part, compression="zstd")


def _lists(rows: Sequence[NDArray[Any]], dtype: type[np.number]) -> pa.ListArray:
    """A column of lists; without a Python number for each value."""
    import pyarrow as pa

    ends = np.cumsum([0, *map(len, rows)], dtype=np.int32)
    return pa.ListArray.from_arrays(ends, np.concatenate([np.empty(0, dtype), *rows]).astype(dtype, copy=False))


def keep_record(workspace: Workspace, record: ExportRecord) -> None:
    """Keep the record in the data directory: a tool may write what it exports anywhere, under any name."""
    name = hashlib.sha256(json.dumps([record.format, record.files], sort_keys=True).encode()).hexdigest()[:16]
    path = workspace.exports / f"{record.format}-{name}.parquet"
    if path.is_file():
        os.utime(path)
    else:
        write_record(path, record)


def records_of(workspace: Workspace, files: Iterable[Path], keys: Collection[ClipKey]) -> list[ExportRecord]:
    """Records that may tell of the files' poses of those clips.

    First the records beside the files, then those kept in the data directory, latest first.
    """
    beside = [record_path(folder) for file in files for folder in (file, file.parent)]
    kept = sorted(workspace.exports.glob("*.parquet"), key=lambda p: -p.stat().st_mtime)
    found = (read_record(path, keys) for path in dict.fromkeys([*beside, *kept]) if path.is_file())
    return [record for record in found if record is not None and record.poses]


def digests_of(out: Path) -> dict[str, str]:
    """sha256 of every file below a folder by its relative path, the record left out; by "" that of a file."""
    if out.is_file():
        return {"": _digest(out)}
    files = sorted(p for p in droppings.found(out, "**/*") if not p.is_dir() and p != out / NAME)
    return {p.relative_to(out).as_posix(): _digest(p) for p in files}


def changed_since(out: Path, record: ExportRecord) -> str | None:
    """The first file at ``out`` that is not as the export left it; None where all are. A deleted file is no loss."""
    for name, digest in digests_of(out).items():
        if digest != record.files.get(name) and not (name == "" and digest == record.before):
            return name or out.name
    return None


def match_people(poses: Sequence[NDArray[np.floating]], others: Sequence[NDArray[np.floating]]) -> list[int | None]:
    """Which of ``others`` each pose is: most joints in common, else nearest. Arrays of joints (16, 2), pixels."""
    if len(poses) == len(others) == 1:
        return [0]
    best: tuple[tuple[int, float], list[int | None]] | None = None
    places: list[int | None] = [*range(len(others)), *[None] * max(0, len(poses) - len(others))]
    for chosen in permutations(places, len(poses)):
        gaps = [np.abs(p - others[i]).max(-1) for p, i in zip(poses, chosen, strict=True) if i is not None]
        same = sum(int((gap <= SAME_PLACE).sum()) for gap in gaps)
        near = -sum(float(np.nanmedian(gap)) if np.isfinite(gap).any() else 1e6 for gap in gaps)
        if best is None or (same, near) > best[0]:
            best = (same, near), list(chosen)
    return best[1] if best else []


def joint_authors(poses: ClipPoses, tables: Sequence[ClipPoses]) -> list[list[str]]:
    """Who placed each joint of ``poses``: 16 names a row, "" for absent joints.

    Parameters
    ----------
    tables : the layers that ``poses`` were merged from, hands first; a row that names several authors is compared
        with them
    """
    found = []
    for row, author in enumerate(poses.author):
        there = np.isfinite(poses.keypoints[row]).all(1)
        names = [author if present else "" for present in there.tolist()]
        if "+" in author:
            for joint in np.flatnonzero(there).tolist():
                names[joint] = _author_of(poses, row, joint, tables) or author
        found.append(names)
    return found


def _author_of(poses: ClipPoses, row: int, joint: int, tables: Sequence[ClipPoses]) -> str | None:
    by_hand = poses.source[row, joint] == JointSource.MANUAL
    for table in tables:
        for i in np.flatnonzero(table.frame == poses.frame[row]).tolist():
            same = np.abs(table.keypoints[i, joint] - poses.keypoints[row, joint]).max() <= 1e-3
            if same and (table.source[i, joint] == JointSource.MANUAL) == by_hand:
                return table.author[i]
    return None


def _digest(path: Path) -> str:
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _pose(row: dict[str, Any]) -> ExportedPose:
    return ExportedPose(
        ClipKey(row["video"], row["index"]),
        row["frame"],
        row["person"],
        row["person_read"],
        np.array(row["keypoints"], np.float32).reshape(N_JOINTS, 2),
        np.array(row["visibility"], np.uint8).reshape(N_JOINTS),
        np.array(row["source"], np.uint8).reshape(N_JOINTS),
        row["layer"],
        row["authors"],
    )
