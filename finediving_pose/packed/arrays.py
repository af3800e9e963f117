"""The arrays of a packed file by clip and frame: any clip in a handful of reads, from any process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from finediving_pose.documents import parse_json
from finediving_pose.errors import FrameError, PackedError, first_line
from finediving_pose.frames import scaled_width
from finediving_pose.jpeg import decode_jpeg, jpeg_size
from finediving_pose.packed import schema
from finediving_pose.packed.bounds import check_bounds
from finediving_pose.packed.clips_table import Clips

DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError)
"""What h5py raises where bytes are not what they should be."""
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class PackedPoses:
    """Poses of one clip by frame and person; person 1 exists in synchronised dives.

    Attributes
    ----------
    keypoints : float32 (n, 2, 16, 2), pixels of the stored frame, NaN where absent
    visibility : uint8 (n, 2, 16)
    confidence : float32 (n, 2, 16)
    source : uint8 (n, 2, 16)
    box : float32 (n, 2, 4), x1 y1 x2 y2, NaN where unknown
    """

    keypoints: NDArray[np.float32]
    visibility: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    source: NDArray[np.uint8]
    box: NDArray[np.float32]

    def __repr__(self) -> str:
        n, persons, joints = self.visibility.shape
        return f"PackedPoses({n} frames, {persons} persons, {joints} joints)"


class PackedArrays:
    """The arrays of a packed file, read-only. Clips are addressed by their row, frames by their position in the clip.

    It can be pickled, and used after a fork: every process opens the file for
    itself on first use, and never another one that took its place: offsets and
    labels that are in memory belong to the first. File locking is off, for
    network file systems.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: h5py.File | None = None
        self._pid = 0
        self._datasets: dict[str, h5py.Dataset] = {}
        self._opened: str | None = None  # digest of what was opened first

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_handle": None, "_pid": 0, "_datasets": {}, "_opened": self._opened}

    def __len__(self) -> int:
        return len(self._frame_offset) - 1

    def close(self) -> None:
        """Close the file in this process; the next read opens it again."""
        if self._handle is not None and self._pid == os.getpid():
            self._handle.close()
        self._handle = None
        self._datasets = {}

    # -- what the file says of itself --

    @cached_property
    def attrs(self) -> dict[str, Any]:
        """Root attributes; ``skeleton`` and ``provenance`` parsed from JSON."""
        plain = {k: _plain(v) for k, v in self._file.attrs.items()}
        return plain | {k: self._parsed(k, plain[k]) for k in ("skeleton", "provenance") if k in plain}

    def _parsed(self, name: str, text: object) -> dict[str, Any]:
        parsed = parse_json(str(text), f"{self.path}: attribute {name}", PackedError)
        if not isinstance(parsed, dict):
            raise PackedError(f"{self.path}: attribute {name} is no JSON object; run: fdpose verify {self.path}")
        return parsed

    @cached_property
    def digest(self) -> str:
        """sha256 over all clip digests, hexadecimal. Names the data, whatever the time or the cache."""
        return schema.file_digest(self.dataset("digest/clip"))

    @cached_property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The clips table as stored: column name -> array of n_clips."""
        return {c.name: self.dataset(f"clips/{c.name}") for c in schema.COLUMNS}

    @cached_property
    def clips(self) -> Clips:
        """Labels of the clips, row by row; each is decoded when it is asked for."""
        return Clips(self.path, self.columns)

    @property
    def has_cache(self) -> bool:
        """Whether frames are also stored at training size."""
        return schema.CACHE in self._file

    # -- what belongs to one clip --

    def frame_numbers(self, i: int) -> NDArray[np.int32]:
        """Frame numbers in the source video, int32 (n,)."""
        return self.dataset("frames/number", self._span(i))

    def frame_labels(self, i: int) -> NDArray[np.int16]:
        """Sub-action of every frame, int16 (n,), -1 where unlabelled."""
        return self.dataset("labels/sub_action", self._span(i))

    def poses(self, i: int) -> PackedPoses:
        """Poses of a clip."""
        span = self._span(i)
        return PackedPoses(**{name: self.dataset(f"pose/{name}", span) for name in schema.POSE})

    def jpegs(self, i: int, positions: Sequence[int] | NDArray[np.integer] | None = None) -> list[bytes]:
        """JPEG bytes of the frames at ``positions`` (all by default), in that order."""
        span, chosen = self._span(i), self._positions(i, positions)
        if not len(chosen):
            return []
        first, last = int(chosen.min()), int(chosen.max())
        offsets = self.dataset("frames/jpeg_offset", slice(span.start + first, span.start + last + 2))
        data = self.dataset("frames/jpeg", slice(int(offsets[0]), int(offsets[-1])))
        at = offsets - offsets[0]
        return [data[at[p] : at[p + 1]].tobytes() for p in (chosen - first).tolist()]

    def frames(
        self, i: int, positions: Sequence[int] | NDArray[np.integer] | None = None, height: int | None = None
    ) -> NDArray[np.uint8]:
        """Frames at ``positions`` (all by default), uint8 (n, H, W, 3) RGB.

        With ``height`` they are decoded at a reduced size where that is possible
        and resized to it, the width in proportion.
        """
        jpegs = self.jpegs(i, positions)
        if not jpegs:
            return np.empty((0, 0, 0, 3), np.uint8)
        return np.stack([self._decode(i, jpeg, height) for jpeg in jpegs])

    def cached(self, i: int, positions: Sequence[int] | NDArray[np.integer] | None = None) -> NDArray[np.uint8] | None:
        """Frames at training size from the cache, uint8 (n, 112, 200, 3) RGB; None where the file has no cache."""
        found = self.cached_block(i, positions)
        if found is None:
            return None
        return found[0] if positions is None else found[0][found[1]]

    def cached_block(
        self, i: int, positions: Sequence[int] | NDArray[np.integer] | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]] | None:
        """What :meth:`cached` picks from, without the copy: a run of cached frames, and where in it each one is."""
        if not self.has_cache:
            return None
        span, chosen = self._span(i), self._positions(i, positions)
        if not len(chosen):
            return np.empty((0, schema.TRAINING_HEIGHT, schema.TRAINING_WIDTH, 3), np.uint8), chosen
        first, last = int(chosen.min()), int(chosen.max())
        return self.dataset(schema.CACHE, slice(span.start + first, span.start + last + 1)), chosen - first

    def training_frames(
        self, i: int, positions: Sequence[int] | NDArray[np.integer] | None = None
    ) -> NDArray[np.uint8]:
        """Frames at training size, uint8 (n, 112, 200, 3) RGB: from the cache, else decoded to the same pixels."""
        cached = self.cached(i, positions)
        if cached is not None:
            return cached
        frames = [schema.training_size(self._decode(i, jpeg, None)) for jpeg in self.jpegs(i, positions)]
        return np.stack(frames) if frames else np.empty((0, schema.TRAINING_HEIGHT, schema.TRAINING_WIDTH, 3), np.uint8)

    def _decode(self, i: int, jpeg: bytes, height: int | None) -> NDArray[np.uint8]:
        try:
            rgb = decode_jpeg(jpeg, "it", least_height=height)
        except FrameError as e:
            raise self.undecodable(i, e) from e
        if height is None or rgb.shape[0] == height:
            return rgb
        import cv2

        width = scaled_width(*jpeg_size(jpeg, str(self.path)), height)
        return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def undecodable(self, i: int, e: Exception) -> PackedError:
        """The error for a frame of clip ``i`` that is no picture."""
        key = self.clips[i].key
        return PackedError(f"{self.path}: a frame of {key} can't be decoded ({e}); run: fdpose verify {self.path}")

    # -- the file itself --

    @cached_property
    def _frame_offset(self) -> np.ndarray:
        return self.dataset("clips/frame_offset")

    def _span(self, i: int) -> slice:
        if not 0 <= i < len(self):
            raise IndexError(f"clip {i} of a packed file with {len(self)}")
        first, stop = int(self._frame_offset[i]), int(self._frame_offset[i + 1])
        if not 0 <= first <= stop <= self.shape("frames/number")[0]:
            raise PackedError(f"{self.path}: clip {i} has no place among the frames; run: fdpose verify {self.path}")
        return slice(first, stop)

    def _positions(self, i: int, positions: Sequence[int] | NDArray[np.integer] | None) -> np.ndarray:
        span = self._span(i)
        n = span.stop - span.start
        chosen = np.arange(n) if positions is None else np.asarray(positions, np.int64).reshape(-1)
        if len(chosen) and not 0 <= chosen.min() <= chosen.max() < n:
            raise IndexError(f"positions {chosen.min()} to {chosen.max()} in a clip of {n} frames")
        return chosen

    def dataset(self, name: str, part: slice | tuple[()] = ()) -> NDArray[Any]:
        """A dataset, or a slice of it, as stored. Raises PackedError where it can't be read."""
        try:
            return self._dataset(name)[part]
        except DAMAGE as e:
            raise PackedError(
                f"{self.path}: {name} can't be read ({first_line(e)}); run: fdpose verify {self.path}"
            ) from e

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a dataset."""
        return self._dataset(name).shape

    def sizes(self) -> dict[str, int]:
        """Bytes of every dataset, by name."""
        found: dict[str, int] = {}
        self._file.visititems(lambda name, item: found.update({name: item.nbytes} if hasattr(item, "nbytes") else {}))
        return found

    def _dataset(self, name: str) -> h5py.Dataset:
        file = self._file
        if name not in self._datasets:
            found = file.get(name)
            if not isinstance(found, h5py.Dataset):
                raise PackedError(f"{self.path}: has no dataset {name}; pack it again with: fdpose pack")
            self._datasets[name] = found
        return self._datasets[name]

    @property
    def _file(self) -> h5py.File:
        if self._handle is None or self._pid != os.getpid():
            self._handle, self._pid, self._datasets = self._open_again(), os.getpid(), {}
        return self._handle

    def _open_again(self) -> h5py.File:
        """The file at the path; where that is another by now, or gone, the first one, if this is a fork that has it."""
        try:
            return self._open_same()
        except PackedError:
            first = _inherited(self._handle) if self._handle else None
            if first is None:
                raise
            return first

    def _open_same(self) -> h5py.File:
        file = _open(self.path)
        digest = _digest(self.path, file)
        self._opened = self._opened or digest
        if digest == self._opened:
            return file
        file.close()
        raise PackedError(
            f"{self.path}: was replaced while it was being read (digest {self._opened[:12]}, now {digest[:12]});"
            " run the same command again to read the new file"
        )


def _open(path: Path) -> h5py.File:
    if not path.is_file():
        raise PackedError(f"{path}: no such file; make one with: fdpose pack")
    try:
        file = h5py.File(path, "r", locking=False)
    except DAMAGE as e:
        raise PackedError(
            f"{path}: {_damage(path, e)} ({path.stat().st_size:,} bytes); pack it again with: fdpose pack"
        ) from e
    try:
        check_bounds(path, file)
        _check(path, file)
    except DAMAGE as e:
        file.close()
        raise PackedError(
            f"{path}: its HDF5 structure is damaged ({first_line(e)}); pack it again with: fdpose pack"
        ) from e
    except PackedError:
        file.close()
        raise
    return file


def _digest(path: Path, file: h5py.File) -> str:
    try:
        return schema.file_digest(np.asarray(file["digest/clip"]))
    except DAMAGE as e:
        file.close()
        raise PackedError(f"{path}: digest/clip can't be read ({first_line(e)}); run: fdpose verify {path}") from e


def _inherited(handle: h5py.File) -> h5py.File | None:
    """A forked process's own handle on what its parent has open, though its name is gone; None where there is none.

    By way of Linux's ``/proc``, and as a Python file, since HDF5 wants a name.
    """
    try:
        return h5py.File(open(f"/proc/self/fd/{handle.id.get_vfd_handle()}", "rb"), "r")
    except DAMAGE:
        return None


def _damage(path: Path, error: Exception) -> str:
    if "truncated" in str(error):
        return "cut short"
    with open(path, "rb") as file:
        return "its HDF5 structure is damaged" if file.read(8) == HDF5_SIGNATURE else "not an HDF5 file"


def _plain(value: Any) -> Any:
    """An attribute as a Python value; text of fixed length comes as bytes."""
    value = value.item() if isinstance(value, np.generic) else value
    return value.decode() if isinstance(value, bytes) else value


def _check(path: Path, file: h5py.File) -> None:
    version = str(_plain(file.attrs.get("version", "")))
    if _plain(file.attrs.get("format")) != schema.FORMAT or not version.partition(".")[0].isdecimal():
        raise PackedError(f"{path}: an HDF5 file, but not one that fdpose packed; make one with: fdpose pack")
    if int(version.partition(".")[0]) > schema.VERSION[0]:
        raise PackedError(
            f"{path}: format {version} is newer than this fdpose can read (up to {schema.VERSION[0]}.x);"
            " update with: pip install --upgrade fdpose"
        )
    missing = [name for name in schema.REQUIRED if name not in file]
    if missing:
        raise PackedError(f"{path}: lacks {', '.join(missing)}; pack it again with: fdpose pack")
