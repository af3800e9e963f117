"""The pose table: one Parquet part file a clip, one row a frame and person.

A row without joints says that this diver is not in that frame; a frame without a row was not looked at.
Keypoints are pixels of the stored frame, origin at the top-left pixel's
centre, x right, y down. Left and right are the diver's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import ClipKey
from finediving_pose.errors import PoseError, first_line
from finediving_pose.parquet import read_parquet
from finediving_pose.skeleton import JOINTS, N_JOINTS
from finediving_pose.workspace import Workspace, atomic_write

if TYPE_CHECKING:
    from pandas import DataFrame

    from finediving_pose.frames import FrameFolder


class Visibility(IntEnum):
    """Whether a joint is in the picture."""

    ABSENT = 0
    OCCLUDED = 1
    VISIBLE = 2


class JointSource(IntEnum):
    """Who placed a joint."""

    NONE = 0
    AUTOMATIC = 1
    MANUAL = 2
    INTERPOLATED = 3


@dataclass(slots=True)
class ClipPoses:
    """Poses of one clip, rows sorted by frame number, then person.

    Attributes
    ----------
    frame : int32 (n,), frame number in the source video
    person : int8 (n,), 0 or 1
    box : float32 (n, 4), x1 y1 x2 y2 in pixels, NaN where unknown
    keypoints : float32 (n, 16, 2), pixels, NaN where absent
    visibility : uint8 (n, 16), see :class:`Visibility`
    confidence : float32 (n, 16), 0 to 1
    source : uint8 (n, 16), see :class:`JointSource`
    author : list of n, estimator or annotator id
    time : list of n, when the row was made, ISO 8601 in UTC
    """

    # any number type is accepted and converted to the dtype named above
    frame: NDArray[Any]
    person: NDArray[Any]
    box: NDArray[Any]
    keypoints: NDArray[Any]
    visibility: NDArray[Any]
    confidence: NDArray[Any]
    source: NDArray[Any]
    author: list[str]
    time: list[str]

    def __post_init__(self) -> None:
        n = len(self.frame)
        for name, (dtype, shape) in _ARRAYS.items():
            value = np.ascontiguousarray(getattr(self, name), dtype=dtype)
            if value.shape != (n, *shape):
                raise PoseError(f"pose column {name} has shape {value.shape}, expected {(n, *shape)}")
            setattr(self, name, value)
        if len(self.author) != n or len(self.time) != n:
            raise PoseError(f"pose table of {n} rows has {len(self.author)} authors and {len(self.time)} times")
        order = np.lexsort((self.person, self.frame))
        if (order != np.arange(n)).any():
            self._reorder(order)

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        authors = ", ".join(sorted(set(self.author))) or "nobody"
        return f"ClipPoses({len(self)} rows, {len(np.unique(self.frame))} frames, by {authors})"

    def _reorder(self, order: np.ndarray) -> None:
        for name in _ARRAYS:
            setattr(self, name, getattr(self, name)[order])
        self.author = [self.author[i] for i in order]
        self.time = [self.time[i] for i in order]

    @property
    def has_diver(self) -> NDArray[np.bool_]:
        """bool (n,), rows that have a joint. A row without says that somebody looked, and the diver is not there."""
        return np.asarray(np.isfinite(self.keypoints).any(axis=(1, 2)))

    def row(self, frame: int, person: int = 0) -> int | None:
        """Row index of a frame's person, None where there is none."""
        found = np.flatnonzero((self.frame == frame) & (self.person == person))
        return int(found[0]) if len(found) else None


def take_rows(poses: ClipPoses, index: NDArray[np.integer]) -> ClipPoses:
    """Some rows of a pose table."""
    return ClipPoses(
        **{name: getattr(poses, name)[index] for name in _ARRAYS},
        author=[poses.author[i] for i in index],
        time=[poses.time[i] for i in index],
    )


def concatenate(tables: Sequence[ClipPoses]) -> ClipPoses:
    """Pose tables of one clip, one after the other."""
    return ClipPoses(
        **{name: np.concatenate([getattr(t, name) for t in tables]) for name in _ARRAYS},
        author=[a for t in tables for a in t.author],
        time=[m for t in tables for m in t.time],
    )


_ARRAYS: dict[str, tuple[type, tuple[int, ...]]] = {
    "frame": (np.int32, ()),
    "person": (np.int8, ()),
    "box": (np.float32, (4,)),
    "keypoints": (np.float32, (N_JOINTS, 2)),
    "visibility": (np.uint8, (N_JOINTS,)),
    "confidence": (np.float32, (N_JOINTS,)),
    "source": (np.uint8, (N_JOINTS,)),
}


COLUMNS = (*_ARRAYS, "author", "time")


def to_pandas(poses: ClipPoses, frames: FrameFolder | None = None) -> DataFrame:
    """The poses of a clip as a pandas DataFrame: one row a joint, 16 a pose, in the order of the table.

    Columns: frame (int), seconds (float, from the clip's first frame; only with ``frames``), person (int), joint
    (category, in MPII's order), x and y (float, pixels; NaN where absent), visibility (category: absent, occluded,
    visible), confidence (float), source (category: none, automatic, manual, interpolated), author (str).
    """
    import pandas as pd

    n = len(poses)
    columns: dict[str, Any] = {"frame": np.repeat(poses.frame, N_JOINTS).astype(np.int64)}
    if frames is not None:
        times = dict(zip(frames.numbers, frames.times.tolist(), strict=True))
        columns["seconds"] = np.repeat([times.get(f, np.nan) for f in poses.frame.tolist()], N_JOINTS).astype(float)
    columns["person"] = np.repeat(poses.person, N_JOINTS).astype(np.int64)
    columns["joint"] = pd.Categorical.from_codes(np.tile(np.arange(N_JOINTS), n), list(JOINTS))
    columns["x"], columns["y"] = (poses.keypoints[..., i].reshape(-1).astype(float) for i in (0, 1))
    seen = [v.name.lower() for v in Visibility]
    columns["visibility"] = pd.Categorical.from_codes(poses.visibility.reshape(-1), seen)
    columns["confidence"] = poses.confidence.reshape(-1).astype(float)
    columns["source"] = pd.Categorical.from_codes(poses.source.reshape(-1), [s.name.lower() for s in JointSource])
    columns["author"] = pd.Series(np.repeat(np.array(poses.author, object), N_JOINTS), dtype="str")
    return pd.DataFrame(columns)


def write_poses(path: Path, poses: ClipPoses) -> None:
    """Write one part file, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, pa.Array] = {}
    for name, (_, shape) in _ARRAYS.items():
        value = getattr(poses, name)
        flat = pa.array(value.reshape(-1))
        columns[name] = pa.FixedSizeListArray.from_arrays(flat, int(np.prod(shape))) if shape else flat
    columns["author"] = pa.array(poses.author, pa.string())
    columns["time"] = pa.array(poses.time, pa.string())
    with atomic_write(path) as part:
        pq.write_table(pa.table(columns), part)


def read_poses(path: Path) -> ClipPoses:
    """Read one part file. Raises PoseError where it is missing or is no pose table."""
    import pyarrow as pa

    try:
        table = read_parquet(path, "a pose table", PoseError)
        known = [name for name in table.column_names if name != "__index_level_0__"]  # which pandas adds
        if sorted(known) != sorted(COLUMNS):
            raise ValueError(f"its columns are {', '.join(known)[:200]}; expected {', '.join(COLUMNS)}")
        arrays = {name: _array(name, table.column(name)) for name in _ARRAYS}
        texts = {name: table.column(name).to_pylist() for name in ("author", "time")}
        if odd := [name for name, values in texts.items() if not all(isinstance(v, str) for v in values)]:
            raise ValueError(f"column {odd[0]} has cells that are no text")
        poses = ClipPoses(**arrays, **texts)
        if len(poses) and poses.frame[0] < 0:
            raise ValueError(f"frame {poses.frame[0]} is negative")
    except FileNotFoundError:
        raise PoseError(f"{path}: no such pose file; annotate the clip first with: fdpose annotate --auto") from None
    except (pa.ArrowException, PoseError, KeyError, ValueError, TypeError, OverflowError) as e:
        where = "" if str(path) in str(e) else f"{path}: not a pose table: "
        raise PoseError(f"{where}{first_line(e)}; delete it and annotate the clip again") from e
    return poses


def _array(name: str, column: Any) -> NDArray[Any]:
    """A column as its dtype. Raises ValueError where a cell is missing, no number, or beyond the dtype."""
    import pyarrow as pa

    dtype, shape = _ARRAYS[name]
    column = column.combine_chunks()
    flat = column
    if shape:
        if column.null_count or not (pa.types.is_fixed_size_list(column.type) or pa.types.is_list(column.type)):
            raise ValueError(f"column {name} has cells that are no lists")
        flat = column.flatten()
        if len(flat) != len(column) * int(np.prod(shape)):
            raise ValueError(f"column {name} has lists of another length than {int(np.prod(shape))}")
    if flat.null_count or not (pa.types.is_integer(flat.type) or pa.types.is_floating(flat.type)):
        raise ValueError(f"column {name} has cells that are missing or no numbers ({flat.type})")
    values = np.from_dlpack(flat)  # to_numpy imports pandas, a third of a second
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        fits = np.isfinite(values) & (values >= limits.min) & (values <= limits.max)
        if not fits.all() or (np.floor(values) != values).any():
            raise ValueError(f"column {name} has {values[np.argmin(fits)]:g}; expected whole numbers of {limits.dtype}")
    return values.astype(dtype).reshape(-1, *shape)


def best_layer(workspace: Workspace, key: ClipKey) -> str | None:
    """The most trusted layer that has poses for a clip: ``merged``, else ``auto``, else None."""
    return next((layer for layer in ("merged", "auto") if workspace.pose_file(layer, key).is_file()), None)
