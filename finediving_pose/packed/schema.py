"""Format 1 of the packed file: names, types, missing values, digests. ``docs/format.md`` says the same in prose.

Everything is little-endian. Missing whole numbers are -1, missing reals NaN,
missing text is empty, missing flags -1; lists are padded with the same values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose import skeleton
from finediving_pose.clip import Clip, ClipKey

FORMAT = "fdpose"
VERSION = (1, 0)
TRAINING_HEIGHT, TRAINING_WIDTH = 112, 200
N_PERSONS = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column of ``/clips``. ``width`` is the least number of places of a list, 0 for a single value."""

    name: str
    dtype: str
    width: int = 0


# After the two parts of the key, the fields of Clip in their order.
COLUMNS: tuple[Column, ...] = (
    Column("video", "S"),
    Column("index", "<i8"),
    Column("split", "S"),
    Column("action_type", "S"),
    Column("difficulty", "<f8"),
    Column("dive_score", "<f8"),
    Column("judge_scores", "<f8", 7),
    Column("start_frame", "<i8"),
    Column("end_frame", "<i8"),
    Column("n_frames", "<i8"),
    Column("fps", "<f8"),
    Column("height_m", "<f8"),
    Column("synchronised", "|i1"),
    Column("stage_starts", "<i8", 5),
    Column("sub_actions", "<i8", 5),
    Column("source", "S"),
    Column("image_width", "<i8"),
    Column("image_height", "<i8"),
)

POSE: dict[str, tuple[str, tuple[int, ...], float]] = {
    "keypoints": ("<f4", (N_PERSONS, skeleton.N_JOINTS, 2), np.nan),
    "visibility": ("|u1", (N_PERSONS, skeleton.N_JOINTS), 0),
    "confidence": ("<f4", (N_PERSONS, skeleton.N_JOINTS), 0),
    "source": ("|u1", (N_PERSONS, skeleton.N_JOINTS), 0),
    "box": ("<f4", (N_PERSONS, 4), np.nan),
}
"""Dataset under ``/pose`` -> type, shape of one frame, value where there is no pose."""

CACHE = "cache/rgb_112x200"
STRUCTURE_DIGEST = "digest/structure"
REQUIRED = (
    *(f"clips/{c.name}" for c in COLUMNS),
    "clips/frame_offset",
    "frames/jpeg",
    "frames/jpeg_offset",
    "frames/number",
    *(f"pose/{name}" for name in POSE),
    "labels/sub_action",
    "digest/clip",
    STRUCTURE_DIGEST,
)


def skeleton_json() -> str:
    """The 16 joints with limbs and flip order, as the file carries them."""
    return json.dumps({"joints": skeleton.JOINTS, "limbs": skeleton.LIMBS, "flip": skeleton.FLIP})


# -- the clips table, column by column ------------------------------------------------------------------------------


def encode_clips(clips: Sequence[Clip]) -> dict[str, NDArray[Any]]:
    """The clips as one array a column, row ``i`` being clip ``i``."""
    return {c.name: encode_column(c, [value_of(clip, c.name) for clip in clips]) for c in COLUMNS}


def decode_clips(columns: Mapping[str, NDArray[Any]]) -> list[Clip]:
    """The inverse of :func:`encode_clips`. Raises LabelError or ValueError where a row can't be a clip."""
    video, index, *rest = (decode_column(c, columns[c.name]) for c in COLUMNS)
    return list(map(Clip, map(ClipKey, video, index), *rest))


def value_of(clip: Clip, name: str) -> Any:
    """What a clip has in a column."""
    return getattr(clip.key if name in ("video", "index") else clip, name)


def encode_column(column: Column, values: list[Any]) -> np.ndarray:
    """One column of ``/clips``. What its type can't hold changes or raises: see ``packed/exactness.py``."""
    if column.dtype == "S":
        texts = [(v or "").encode() for v in values]
        return np.array(texts, dtype=f"S{max([1, *map(len, texts)])}")
    missing = np.nan if column.dtype[1] == "f" else -1
    if not column.width:
        return np.array([missing if v is None else v for v in values], dtype=column.dtype)
    out = np.full((len(values), max([column.width, *map(len, values)])), missing, dtype=column.dtype)
    for row, value in zip(out, values, strict=True):
        row[: len(value)] = value
    return out


def decode_column(column: Column, values: np.ndarray) -> list[Any]:
    """The inverse of :func:`encode_column`."""
    if column.dtype == "S":
        empty = None if column.name == "action_type" else ""
        return [v.decode() or empty for v in values.tolist()]
    present = ~np.isnan(values) if column.dtype[1] == "f" else values >= 0
    if column.width:
        return [tuple(v[:n]) for v, n in zip(values.tolist(), present.sum(1).tolist(), strict=True)]
    if column.dtype == "|i1":
        return [bool(v) if ok else None for v, ok in zip(values.tolist(), present.tolist(), strict=True)]
    return [v if ok else None for v, ok in zip(values.tolist(), present.tolist(), strict=True)]


# -- digests --------------------------------------------------------------------------------------------------------


def clip_digest(
    columns: Mapping[str, NDArray[Any]], row: int, frames: Sequence[NDArray[Any]], pose: Mapping[str, NDArray[Any]]
) -> bytes:
    """sha256 over one clip's row and bytes, 32 bytes.

    In this order: the row, column by column as in :data:`COLUMNS` (text without
    padding and ended by a zero byte, everything else as stored); frame numbers
    (int32); JPEG sizes (int64); JPEG bytes; ``/pose`` in the order of
    :data:`POSE`; sub-action of every frame (int16).

    Parameters
    ----------
    columns : arrays of ``/clips``
    row : the clip's row in them
    frames : numbers, JPEG sizes, JPEG bytes, sub-actions
    pose : dataset name -> the clip's part of it
    """
    h = hashlib.sha256()
    for column in COLUMNS:
        value = columns[column.name][row]
        h.update(value.rstrip(b"\0") + b"\0" if column.dtype == "S" else np.asarray(value, column.dtype).tobytes())
    numbers, sizes, jpeg, sub_actions = frames
    for value, dtype in ((numbers, "<i4"), (sizes, "<i8"), (jpeg, "|u1")):
        h.update(np.ascontiguousarray(value, dtype).data)
    for name, (dtype, _, _) in POSE.items():
        h.update(np.ascontiguousarray(pose[name], dtype).data)
    h.update(np.ascontiguousarray(sub_actions, "<i2").data)
    return h.digest()


def file_digest(clip_digests: NDArray[np.uint8]) -> str:
    """sha256 over ``/digest/clip``, hexadecimal: names the data, whatever the time or the cache."""
    return hashlib.sha256(np.ascontiguousarray(clip_digests, np.uint8).data).hexdigest()


def training_size(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize uint8 (height, width, 3) to 112 x 200, as the cache holds it: area averaging, proportions not kept."""
    import cv2

    return np.asarray(cv2.resize(rgb, (TRAINING_WIDTH, TRAINING_HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
