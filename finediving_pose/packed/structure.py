"""What of a packed file belongs to no clip: the offsets, and everything that HDF5 keeps between the data.

Clip digests cover the data of every clip. The digests here cover the rest, byte by byte, so that no byte of the
file is without one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from finediving_pose.packed import schema

OFFSETS = ("clips/frame_offset", "frames/jpeg_offset")
STRUCTURE = "attributes and HDF5 structure"
PARTS = (*OFFSETS, STRUCTURE)
"""Rows of ``/digest/structure``."""

_CLIP_DATA = (
    *(name for name in schema.REQUIRED if name not in (*OFFSETS, schema.STRUCTURE_DIGEST)),
    schema.CACHE,
    "digest/cache",
)


def structure_digests(path: Path) -> NDArray[np.uint8]:
    """sha256 over each of :data:`PARTS`, uint8 (3, 32); the last over all bytes that are in no other part and no clip.

    Raises OSError, KeyError, RuntimeError or ValueError where the file can't be followed.
    """
    with h5py.File(path, "r", locking=False) as file:
        offsets = [hashlib.sha256(_dataset(file, name)[()].tobytes()) for name in OFFSETS]
        known = sorted(
            span for name in (*_CLIP_DATA, *PARTS[:2], schema.STRUCTURE_DIGEST) for span in _span(file, name)
        )
    rest = hashlib.sha256()
    for block in _outside(path, known):
        rest.update(block)
    return np.frombuffer(b"".join(h.digest() for h in (*offsets, rest)), np.uint8).reshape(len(PARTS), 32)


def write_structure_digests(path: Path) -> None:
    """Compute the digests of a file that was closed, and put them in their place in it."""
    with h5py.File(path, "r", locking=False) as file:
        ((at, _),) = _span(file, schema.STRUCTURE_DIGEST)
    digests = structure_digests(path)
    with open(path, "r+b") as raw:
        raw.seek(at)
        raw.write(digests.tobytes())


def _dataset(file: h5py.File, name: str) -> Any:
    return file[name]


def _span(file: h5py.File, name: str) -> Iterator[tuple[int, int]]:
    """Where a dataset's data lies in the file, as (start, stop); nothing where it has none, or not in one piece."""
    if name in file and (start := _dataset(file, name).id.get_offset()) is not None:
        yield start, start + _dataset(file, name).id.get_storage_size()


def _outside(path: Path, spans: list[tuple[int, int]]) -> Iterator[bytes]:
    """The bytes of a file that are in none of the spans, which are sorted."""
    size, at = path.stat().st_size, 0
    with open(path, "rb") as raw:
        for start, stop in (*spans, (size, size)):
            raw.seek(at)
            while at < start and (block := raw.read(min(start - at, 1 << 20))):
                at += len(block)
                yield block
            at = max(at, stop)
