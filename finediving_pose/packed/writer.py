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
from typing import IO, Any, Literal

import h5py
import numpy as np

from finediving_pose import __version__
from finediving_pose.clip import Clip
from finediving_pose.errors import PackedError
from finediving_pose.frames import FrameFolder, frame_name, is_complete, open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.packed import schema
from finediving_pose.packed.card import card_path, croissant_path, write_descriptions
from finediving_pose.packed.clip_content import ClipContent, read_ahead
from finediving_pose.packed.exactness import check_exact
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.structure import PARTS, write_structure_digests
from finediving_pose.poses import JointSource
from finediving_pose.progress import track
from finediving_pose.workspace import Workspace, atomic_write, remove_part_files
from finediving_pose.writing import writing


@dataclass(slots=True)
class _Provenance:
    """Where the poses come from: clips a layer, rows an author, joints a source."""

    layers: Counter[str] = field(default_factory=Counter)
    estimators: Counter[str] = field(default_factory=Counter)
    annotators: Counter[str] = field(default_factory=Counter)
    joints: Counter[str] = field(default_factory=Counter)
    rows_without_frame: int = 0

    def note(self, clip: ClipContent) -> None:
        self.rows_without_frame += clip.rows_without_frame
        poses = clip.poses
        if poses is None or clip.layer is None:
            return
        self.layers[clip.layer] += 1
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
    workspace: Workspace,
    *,
    target: Path | None = None,
    clips: Sequence[Clip] | None = None,
    cache: bool = False,
    hold: bool = True,
) -> dict[str, Any]:
    """Pack clips with their frames and best poses into one HDF5 file; a card and a Croissant description beside it.

    Parameters
    ----------
    target : the file; by default ``finediving_pose.h5`` in the data directory
    clips : pack these only; by default the whole clips table
    cache : also store every frame at training size, 112 x 200
    hold : keep other commands from writing what is packed meanwhile. Without it nothing is written in the data
        directory, not even a lock; pictures that change are noticed all the same, by their digest

    Returns
    -------
    what was written: path, clips, left_out (clips without complete frames), frames, bytes, joints by source,
    pose_rows_without_frame, digest, card, croissant

    Raises
    ------
    PackedError
        No clip has complete frames, the disk is too small, pictures changed since they were extracted, or a clip
        holds what the file could not give back.
    BusyError
        Another command is writing the same file, or what is to be packed.
    """
    target = target or workspace.packed
    read = [workspace.frames, workspace.poses / "merged", workspace.poses / "auto"] if hold else []
    with writing("fdpose pack", [target], read):
        remove_part_files(target)  # of one that was killed
        return _write_packed(workspace, target, read_clips(workspace) if clips is None else clips, cache)


def _write_packed(workspace: Workspace, target: Path, table: Sequence[Clip], cache: bool) -> dict[str, Any]:
    folders = [open_frames(workspace, c.key) for c in table if is_complete(workspace, c.key)]
    if not folders:
        raise PackedError(f"{workspace.root}: none of {len(table)} clips has complete frames; run: fdpose extract")
    by_key = {c.key: c for c in table}
    rows = [_row(by_key[f.key], f) for f in folders]
    check_exact(rows, folders)
    sizes = [_jpeg_sizes(f) for f in folders]
    _check_space(target, sum(int(s.sum()) for s in sizes), sum(map(len, sizes)), cache)
    provenance = _Provenance()
    with atomic_write(target) as part:
        columns = schema.encode_clips(rows)
        with _hdf5(part, "w") as file:
            places = _allocate(file, columns, sizes, cache)
        with open(part, "r+b") as raw:
            data = _Data(raw, places)
            content = read_ahead(workspace, columns, rows, folders, cache)
            for i, clip in enumerate(track(content, "packing", total=len(rows))):
                data.store(i, clip)
                provenance.note(clip)
        with _hdf5(part, "r+") as file:
            _describe(file, len(rows), sum(map(len, sizes)), provenance)
        write_structure_digests(part)
        for old in (card_path(target), croissant_path(target)):  # they describe the file that is replaced now
            old.unlink(missing_ok=True)
    card, croissant = write_descriptions(target)
    with open_packed(target) as packed:
        digest = packed.digest
    return {
        "path": str(target),
        "clips": len(rows),
        "left_out": len(table) - len(rows),
        "frames": int(sum(map(len, sizes))),
        "bytes": target.stat().st_size,
        **{f"joints_{source}": n for source, n in provenance.joints.items() if source != "none"},
        "pose_rows_without_frame": provenance.rows_without_frame,
        "digest": digest,
        "card": str(card),
        "croissant": str(croissant),
    }


@dataclass(slots=True)
class _Data:
    """The data of an HDF5 file that is closed, written past HDF5: there, a full disk can end the process.

    ``places`` says where the data of each dataset lies: its first byte, and the bytes of one row.
    """

    raw: IO[bytes]
    places: dict[str, tuple[int, int]]
    n_frames: int = 0
    n_bytes: int = 0

    def store(self, i: int, clip: ClipContent) -> None:
        """Write clip ``i``, behind those that were written before."""
        first = self.n_frames
        self._put("frames/jpeg", self.n_bytes, clip.jpeg)
        self._put("frames/number", first, clip.numbers)
        self._put("labels/sub_action", first, clip.labels)
        for name, values in clip.pose.items():
            self._put(f"pose/{name}", first, values)
        self._put("digest/clip", i, np.frombuffer(clip.digest, np.uint8))
        if clip.small is not None:
            self._put(schema.CACHE, first, clip.small)
            self._put("digest/cache", i, np.frombuffer(hashlib.sha256(clip.small.data).digest(), np.uint8))
        self.n_frames, self.n_bytes = first + len(clip.numbers), self.n_bytes + len(clip.jpeg)

    def _put(self, name: str, row: int, values: np.ndarray) -> None:
        start, row_bytes = self.places[name]
        self.raw.seek(start + row * row_bytes)
        self.raw.write(np.ascontiguousarray(values).data)


@contextmanager
def _hdf5(path: Path, mode: Literal["w", "r+"]) -> Iterator[h5py.File]:
    """An HDF5 file; a full disk is an OSError whether it shows while writing or while closing.

    In the format of HDF5 1.8, whose bookkeeping carries checksums: damage there is an error, not a wrong number.
    """
    file = h5py.File(path, mode, locking=False, libver=("v108", "v108"))
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
        fps=folder.fps if clip.fps is None else clip.fps,
        image_width=folder.width,
        image_height=folder.height,
    )


def _jpeg_sizes(folder: FrameFolder) -> np.ndarray:
    try:
        with os.scandir(folder.folder) as entries:
            sizes = {entry.name: entry.stat().st_size for entry in entries}
        return np.array([sizes[frame_name(n)] for n in folder.numbers], np.int64)
    except (OSError, KeyError) as e:
        missing = e.args[0] if isinstance(e, KeyError) else e.filename
        raise PackedError(
            f"{folder.key}: {missing} is missing; extract it again with: fdpose extract --clip {folder.key} --force"
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
) -> dict[str, tuple[int, int]]:
    """Create every dataset at its final size and place, and write the columns and offsets, which are known already.

    Returns where the others' data goes: first byte, and bytes of a row.
    """
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
    for name, lengths in offsets.items():
        file.create_dataset(name, data=_offsets(lengths))
    return {name: _place(file, name, *kind) for name, kind in empty.items()}


def _place(file: h5py.File, name: str, shape: tuple[int, ...], dtype: str) -> tuple[int, int]:
    """Create a dataset whose data has its place in the file from now on, and is not filled."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    start = file.create_dataset(name, shape, dtype, dcpl=properties).id.get_offset()
    return start or 0, np.dtype(dtype).itemsize * int(np.prod(shape[1:]))


def _offsets(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype("<i8")


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
