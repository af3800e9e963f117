"""A data set for Hugging Face's ``datasets``: Parquet files with the pictures in them, one row a frame.

``datasets.load_dataset("FOLDER")`` reads it. Format: Hugging Face's documentation of dataset repositories ("Data files
configuration") and of its Image feature, a struct of bytes and path.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from finediving_pose.droppings import found
from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.packed.card import KIND_OF_DATA
from finediving_pose.packed.clip_content import sub_action_of_frames
from finediving_pose.parquet import read_parquet
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.skeleton import JOINTS, N_JOINTS

if TYPE_CHECKING:
    import pyarrow as pa

_LABELS = {
    "action_type": "string", "difficulty": "float64", "dive_score": "float64", "height_m": "float64",
    "synchronised": "bool", "source": "string",
}  # fmt: skip
"""What every frame says of its dive: fields of Clip, by the type that datasets gives them."""
_POSE: dict[str, tuple[str, int]] = {
    "keypoints": ("float32", 3), "visibility": ("uint8", 2), "confidence": ("float32", 2), "joint_source": ("uint8", 2),
    "box": ("float32", 2),
}  # fmt: skip
"""Lists of a frame, one entry a diver: type, and how deep the lists are."""
_READ = ("video", "index", "frame", "person", "keypoints", "visibility", "confidence", "joint_source", "box")

_FILES = "data/*-[0-9][0-9][0-9][0-9][0-9]*.parquet"
"""Ours, and as Hugging Face's hub names them: ``train-00000-of-00001.parquet``."""
_ROWS = 200
"""Frames of a row group: a reader that shuffles takes in so many pictures at a time."""
_SHARD = 500_000_000
"""Bytes of pictures in one file, as Hugging Face advises."""

_BY_MACHINE = (JointSource.AUTOMATIC, JointSource.INTERPOLATED)


@writes("huggingface", "Hugging Face datasets: Parquet files with pictures, README.md", folder=True)
def write_huggingface(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write ``data/<split>-<number>.parquet`` and the card that names the splits."""
    (out / "data").mkdir()
    splits = [s for s in ("train", "test", "none") if any(p.clip.split == s for p in clips)]
    for split in splits:
        _write_split(out / "data", split, [p for p in clips if p.clip.split == split])
    (out / "README.md").write_text(_card(splits, clips), encoding="utf-8")


def _write_split(folder: Path, split: str, clips: Sequence[PosedClip]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = (row for posed in clips for row in _rows(posed))
    schema, number, more = _schema(), 0, next(rows, None)
    while more is not None:
        with pq.ParquetWriter(folder / f"{split}-{number:05d}.parquet", schema) as writer:
            n_bytes, group = 0, []
            while more is not None and n_bytes < _SHARD:
                group.append(more)
                n_bytes += len(more["image"]["bytes"])
                if len(group) == _ROWS:
                    writer.write_table(pa.Table.from_pylist(group, schema=schema))
                    group = []
                more = next(rows, None)
            if group:
                writer.write_table(pa.Table.from_pylist(group, schema=schema))
        number += 1


def _rows(posed: PosedClip) -> Iterator[dict[str, Any]]:
    clip, frames, poses = posed.clip, posed.frames, posed.poses
    labels = {name: getattr(clip, name) for name in _LABELS}
    seconds = dict(zip(frames.numbers, frames.times.tolist(), strict=True))
    stages = dict(zip(frames.numbers, sub_action_of_frames(clip, np.array(frames.numbers, np.int32)), strict=True))
    for number, rows in posed.posed_frames():
        stage = int(stages[number])
        yield {
            "image": {"bytes": frames.jpeg(number), "path": posed.image(number)},
            **{"video": clip.key.video, "index": clip.key.index, "frame": number},
            "seconds": None if np.isnan(seconds[number]) else seconds[number],
            **labels,
            "sub_action": stage if stage >= 0 else None,
            "person": poses.person[rows].tolist(),
            "keypoints": poses.keypoints[rows].tolist(),
            "visibility": poses.visibility[rows].tolist(),
            "confidence": poses.confidence[rows].tolist(),
            "joint_source": poses.source[rows].tolist(),
            "box": [posed.box(row).tolist() for row in rows],
        }


def _types() -> dict[str, tuple[str, int]]:
    """Every column but the picture: type, and how deep its lists are."""
    place = {"video": ("string", 0), "index": ("int64", 0), "frame": ("int64", 0), "seconds": ("float64", 0)}
    return {
        **place,
        **{name: (kind, 0) for name, kind in _LABELS.items()},
        "sub_action": ("int64", 0),
        "person": ("int8", 1),
        **_POSE,
    }


def _schema() -> pa.Schema:
    """Arrow's types, and beside them those of ``datasets``."""
    import pyarrow as pa

    features: dict[str, Any] = {"image": {"_type": "Image"}}
    fields = [pa.field("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
    for name, (kind, depth) in _types().items():
        feature: dict[str, Any] = {"dtype": kind, "_type": "Value"}
        arrow = pa.type_for_alias("bool" if kind == "bool" else kind)
        for _ in range(depth):
            feature, arrow = {"feature": feature, "_type": "Sequence"}, pa.list_(arrow)
        features[name] = feature
        fields.append(pa.field(name, arrow))
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _card(splits: Sequence[str], clips: Sequence[PosedClip]) -> str:
    files = "".join(f"  - split: {split}\n    path: data/{split}-*.parquet\n" for split in splits)
    return f"""---
configs:
- config_name: default
  data_files:
{files}{KIND_OF_DATA}---

# Dives with poses

{len(clips):,} dives, one row a frame with a pose: the picture, the dive's labels, and 16 joints of each diver in it.

- `keypoints`: x and y of each joint in pixels of the picture, NaN where absent. Left and right are the diver's own.
- `visibility`: 0 absent, 1 occluded, 2 visible. `joint_source`: 0 none, 1 automatic, 2 manual, 3 interpolated.
- `box`: x1 y1 x2 y2. `person`: 0 or 1. `seconds`: from the dive's first frame. `sub_action`: id of the frame's stage.
- The joints, in order: {", ".join(JOINTS)}.

The pictures belong to whoever filmed them: publish this folder only under their terms.
"""


@reads("huggingface", lambda probe: _is_huggingface(probe))
def read_huggingface(path: Path, index: FrameIndex) -> Annotations:
    """Every pose of every file; pictures are not read.

    Raises PoseError naming file and row where a value is none that the column can have.
    """
    poses: list[ImagePose] = []
    for file in sorted(found(path, _FILES)):
        table = read_parquet(file, "a data set of poses", PoseError, columns=_READ)
        if missing := [name for name in _READ if name not in table.column_names]:
            raise PoseError(f"{file}: no column {missing[0]!r}; expected {', '.join(_READ)}")
        for i, row in enumerate(table.to_pylist()):
            where = f"{file.relative_to(path)} row {i}"
            try:
                poses += _poses(where, row)
            except (TypeError, ValueError, OverflowError) as e:
                raise PoseError(f"{path}: {where}: {e}") from None
    return Annotations(poses)


def _poses(where: str, row: Mapping[str, Any]) -> Iterator[ImagePose]:
    """The poses of one frame. Raises ValueError saying what is wrong with it."""
    people = row["person"] or []
    image = f"{row['video']}/{row['index']}/{int(row['frame']):05d}.jpg"
    values = {name: _array(name, row[name], len(people)) for name in _POSE}
    for i, person in enumerate(people):
        visibility = values["visibility"][i]
        if not np.isin(visibility, [int(v) for v in Visibility]).all():
            raise ValueError(f"visibility has {visibility.max():g}, expected 0, 1 or 2")
        present = visibility > 0
        by_machine = np.isin(values["joint_source"][i], _BY_MACHINE) & present
        if not np.isfinite(values["keypoints"][i][present]).all():
            raise ValueError("a joint that is marked visible has no finite position")
        box = values["box"][i]
        yield ImagePose(
            image=image,
            entry=f"{where}, image {image}",
            keypoints=np.where(present[:, None], values["keypoints"][i], np.nan).astype(np.float32),
            visibility=visibility.astype(np.uint8),
            confidence=np.where(present, values["confidence"][i], 0).astype(np.float32),
            box=box.astype(np.float32) if np.isfinite(box).all() else None,
            person=int(person),
            predicted=bool(present.any() and (by_machine | ~present).all()),
            by_machine=by_machine,
            listing=where,
        )


def _array(name: str, value: Any, people: int) -> np.ndarray:
    """The lists of a column as float64 (people, ...). Raises ValueError where they have another shape."""
    shape = (people, *{"keypoints": (N_JOINTS, 2), "box": (4,)}.get(name, (N_JOINTS,)))
    array = np.asarray(value if value is not None else [], np.float64)
    if array.size == 0 and people == 0:
        return np.zeros(shape)
    if array.shape != shape:
        raise ValueError(f"{name} has the shape {array.shape}, expected {shape}")
    return array


def _is_huggingface(probe: Probe) -> bool:
    return probe.path.is_dir() and any(found(probe.path, _FILES))
