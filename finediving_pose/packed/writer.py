"""Write a packed file: every size is known before the first byte, and the old file stays until the new is whole."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from finediving_pose import __version__
from finediving_pose.clip import Clip
from finediving_pose.errors import PackedError
from finediving_pose.frames import FrameFolder, decode_jpeg, is_complete, open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.packed import schema
from finediving_pose.packed.sole_writer import sole_writer
from finediving_pose.packed.structure import PARTS, write_structure_digests
from finediving_pose.poses import ClipPoses, JointSource, best_layer, read_poses
from finediving_pose.progress import track
from finediving_pose.workspace import Workspace


@dataclass(slots=True)
class _Provenance:
    """Where the poses come from: clips a layer, rows an author, joints a source."""

    layers: Counter[str] = field(default_factory=Counter)
    estimators: Counter[str] = field(default_factory=Counter)
    annotators: Counter[str] = field(default_factory=Counter)
    joints: Counter[str] = field(default_factory=Counter)
    rows_without_frame: int = 0

    def note(self, layer: str, poses: ClipPoses) -> None:
        self.layers[layer] += 1
        by_hand = (poses.source == JointSource.MANUAL).any(1)
        for author, hand in zip(poses.author, by_hand.tolist(), strict=True):
            (self.annotators if hand else self.estimators)[author] += 1
        for source in JointSource:
            self.joints[source.name.lower()] += int((poses.source == source).sum())

    def as_dict(self) -> dict[str, Any]:
        return {
            "clips_by_layer": dict(self.layers),
            "rows_by_estimator": dict(self.estimators),
            "rows_by_annotator": dict(self.annotators),
            "joints_by_source": dict(self.joints),
        }


def write_packed(
    workspace: Workspace, *, target: Path | None = None, clips: Sequence[Clip] | None = None, cache: bool = False
) -> dict[str, Any]:
    """Pack clips with their frames and best poses into one HDF5 file.

    Parameters
    ----------
    target : the file; by default ``finediving_pose.h5`` in the data directory
    clips : pack these only; by default the whole clips table
    cache : also store every frame at training size, 112 x 200

    Returns
    -------
    what was written: path, clips, left_out (clips without complete frames), frames, bytes, joints by source,
    pose_rows_without_frame, digest

    Raises
    ------
    PackedError
        No clip has complete frames, the disk is too small, pictures changed since they were extracted, or another
        pack is writing the same file.
    """
    target = target or workspace.packed
    table = read_clips(workspace) if clips is None else list(clips)
    folders = [open_frames(workspace, c.key) for c in table if is_complete(workspace, c.key)]
    if not folders:
        raise PackedError(f"{workspace.root}: none of {len(table)} clips has complete frames; run: fdpose extract")
    by_key = {c.key: c for c in table}
    rows = [_row(by_key[f.key], f) for f in folders]
    sizes = [_jpeg_sizes(f) for f in folders]
    _check_space(target, sum(int(s.sum()) for s in sizes), sum(map(len, sizes)), cache)
    provenance = _Provenance()
    with sole_writer(target) as part:
        with _new_file(part) as file:
            columns = schema.encode_clips(rows)
            data = _allocate(file, columns, sizes, cache)
            for i, folder in enumerate(track(folders, "packing")):
                _write_clip(data, columns, i, rows[i], folder, _poses(workspace, folder, provenance))
            digest = schema.file_digest(data["digest/clip"][()])
            _describe(file, len(rows), sum(map(len, sizes)), provenance)
        write_structure_digests(part)
    return {
        "path": str(target),
        "clips": len(rows),
        "left_out": len(table) - len(rows),
        "frames": int(sum(map(len, sizes))),
        "bytes": target.stat().st_size,
        **{f"joints_{source}": n for source, n in provenance.joints.items() if source != "none"},
        "pose_rows_without_frame": provenance.rows_without_frame,
        "digest": digest,
    }


@contextmanager
def _new_file(path: Path) -> Iterator[h5py.File]:
    """A new HDF5 file; a full disk is an OSError whether it shows while writing or while closing.

    In the format of HDF5 1.8, whose bookkeeping carries checksums: damage there is an error, not a wrong number.
    """
    file = h5py.File(path, "w", locking=False, libver=("v108", "v108"))
    try:
        yield file
        _close(file)
    except OSError as e:
        code = e.errno or errno.EIO
        raise OSError(code, os.strerror(code)) from e
    finally:
        with suppress(RuntimeError, OSError):
            file.close()


def _close(file: h5py.File) -> None:
    try:
        file.close()
    except RuntimeError as e:  # how h5py says that the last bytes could not be written
        raise OSError(errno.EIO, str(e)) from e


def _row(clip: Clip, folder: FrameFolder) -> Clip:
    return replace(
        clip,
        n_frames=len(folder.numbers),
        fps=clip.fps or folder.fps,
        image_width=folder.width,
        image_height=folder.height,
    )


def _jpeg_sizes(folder: FrameFolder) -> np.ndarray:
    try:
        return np.array([folder.path(n).stat().st_size for n in folder.numbers], np.int64)
    except OSError as e:
        raise PackedError(
            f"{folder.key}: {e.filename} is missing; extract it again with: fdpose extract --clip {folder.key} --force"
        ) from e


def _check_space(target: Path, n_bytes: int, n_frames: int, cache: bool) -> None:
    need = n_bytes + n_frames * (700 + (schema.TRAINING_HEIGHT * schema.TRAINING_WIDTH * 3 if cache else 0))
    target.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target.parent).free
    if free < need:
        raise PackedError(
            f"{target}: needs {need / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; free the space, pack fewer clips"
            " with --clip or --split, or leave out --cache"
        )


def _allocate(
    file: h5py.File, columns: dict[str, np.ndarray], sizes: list[np.ndarray], cache: bool
) -> dict[str, h5py.Dataset]:
    """Create every dataset at its final size, and write the columns and offsets, which are known already."""
    n_clips, n_frames = len(sizes), sum(map(len, sizes))
    for name, values in columns.items():
        if values.dtype.kind == "S":
            dtype = h5py.string_dtype("utf-8", values.dtype.itemsize)
            file.create_dataset(f"clips/{name}", data=values.astype(dtype), dtype=dtype)
        else:
            file.create_dataset(f"clips/{name}", data=values)
    offsets = {"clips/frame_offset": np.array([len(s) for s in sizes]), "frames/jpeg_offset": np.concatenate(sizes)}
    empty: dict[str, tuple[tuple[int, ...], str]] = {
        "frames/jpeg": ((int(sum(s.sum() for s in sizes)),), "|u1"),
        "frames/number": ((n_frames,), "<i4"),
        "labels/sub_action": ((n_frames,), "<i2"),
        "digest/clip": ((n_clips, 32), "|u1"),
        schema.STRUCTURE_DIGEST: ((len(PARTS), 32), "|u1"),
        **{f"pose/{name}": ((n_frames, *shape), dtype) for name, (dtype, shape, _) in schema.POSE.items()},
    }
    if cache:
        empty[schema.CACHE] = ((n_frames, schema.TRAINING_HEIGHT, schema.TRAINING_WIDTH, 3), "|u1")
        empty["digest/cache"] = ((n_clips, 32), "|u1")
    data = {
        **{name: file.create_dataset(name, data=_offsets(lengths)) for name, lengths in offsets.items()},
        **{name: file.create_dataset(name, *kind, fill_time="never") for name, kind in empty.items()},
    }
    data[schema.STRUCTURE_DIGEST][:] = 0  # gives it its place; its bytes come when the file is closed
    return data


def _offsets(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype("<i8")


def _write_clip(
    data: dict[str, h5py.Dataset],
    columns: dict[str, np.ndarray],
    i: int,
    clip: Clip,
    folder: FrameFolder,
    pose: dict[str, np.ndarray],
) -> None:
    jpegs = [folder.jpeg(n) for n in folder.numbers]
    jpeg = np.frombuffer(b"".join(jpegs), np.uint8)
    if hashlib.sha256(jpeg.data).hexdigest() != folder.digest:
        raise PackedError(
            f"{clip.key}: pictures in {folder.folder} changed since they were extracted;"
            f" extract them again with: fdpose extract --clip {clip.key} --force"
        )
    a, b = (int(v) for v in data["clips/frame_offset"][i : i + 2])
    start = int(data["frames/jpeg_offset"][a])
    numbers = np.array(folder.numbers, "<i4")
    labels = sub_action_of_frames(clip, numbers)
    data["frames/jpeg"][start : start + len(jpeg)] = jpeg
    data["frames/number"][a:b] = numbers
    data["labels/sub_action"][a:b] = labels
    for name, values in pose.items():
        data[f"pose/{name}"][a:b] = values
    frames = (numbers, np.array([len(j) for j in jpegs]), jpeg, labels)
    data["digest/clip"][i] = np.frombuffer(schema.clip_digest(columns, i, frames, pose), np.uint8)
    if schema.CACHE in data:
        small = np.stack([schema.training_size(decode_jpeg(j, str(folder.folder), clip.key)) for j in jpegs])
        data[schema.CACHE][a:b] = small
        data["digest/cache"][i] = np.frombuffer(hashlib.sha256(small.data).digest(), np.uint8)


def sub_action_of_frames(clip: Clip, numbers: np.ndarray) -> np.ndarray:
    """Sub-action of every frame, int16 (n,), -1 where unlabelled.

    By frame number, not by position, so that a folder with gaps keeps its
    labels; a folder numbered otherwise than the labels counts from its first frame.
    """
    if not clip.sub_actions:
        return np.full(len(numbers), -1, "<i2")
    labelled = clip.frame_range
    start = labelled.start if labelled and int(numbers[0]) in labelled else int(numbers[0])
    stage = np.searchsorted(np.array(clip.stage_starts, np.int64), numbers - start, side="right")
    return np.array(clip.sub_actions, "<i2")[stage]


def _poses(workspace: Workspace, folder: FrameFolder, provenance: _Provenance) -> dict[str, np.ndarray]:
    """The clip's best poses laid out by frame and person, empty where there are none."""
    n = len(folder.numbers)
    out = {name: np.full((n, *shape), empty, dtype) for name, (dtype, shape, empty) in schema.POSE.items()}
    layer = best_layer(workspace, folder.key)
    if layer is None:
        return out
    poses = read_poses(workspace.pose_file(layer, folder.key))
    provenance.note(layer, poses)
    numbers = np.array(folder.numbers)
    at = np.searchsorted(numbers, poses.frame).clip(max=n - 1)
    fits = (numbers[at] == poses.frame) & (poses.person >= 0) & (poses.person < schema.N_PERSONS)
    provenance.rows_without_frame += int((~fits).sum())
    for name in schema.POSE:
        out[name][at[fits], poses.person[fits]] = getattr(poses, name)[fits]
    return out


def _describe(file: h5py.File, n_clips: int, n_frames: int, provenance: _Provenance) -> None:
    """Root attributes. Text has a fixed length: HDF5 keeps the other kind in a heap that has no checksum."""
    attributes = {
        "format": schema.FORMAT,
        "version": "{}.{}".format(*schema.VERSION),
        "creator": f"fdpose {__version__}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "skeleton": schema.skeleton_json(),
        "manifest_digest": _manifest_digest(),
        "n_clips": n_clips,
        "n_frames": n_frames,
        "provenance": json.dumps(provenance.as_dict()),
    }
    file.attrs.update({k: np.bytes_(v.encode()) if isinstance(v, str) else v for k, v in attributes.items()})


def _manifest_digest() -> str:
    """sha256 over the facts the labels were read with: the JSON and CSV files of ``data_manifest``, by name."""
    h = hashlib.sha256()
    files = [p for p in resources.files("data_manifest").iterdir() if p.name.endswith((".json", ".csv"))]
    for path in sorted(files, key=lambda p: p.name):
        h.update(path.read_bytes())
    return h.hexdigest()
