"""Recompute every digest of a packed file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from finediving_pose.errors import PackedError
from finediving_pose.packed import schema
from finediving_pose.packed.reader import PackedFile, open_packed
from finediving_pose.progress import track


@dataclass(slots=True)
class Verification:
    """Clips whose bytes are not those that were packed: ``video/index`` -> what differs."""

    n_clips: int
    n_frames: int
    digest: str
    damaged: dict[str, str] = field(default_factory=dict)


def verify_packed(path: Path) -> Verification:
    """Check that every offset fits and every clip has the digest it was packed with.

    Raises
    ------
    PackedError
        The file can't be opened, or its offsets contradict its sizes.
    """
    with open_packed(path) as packed:
        offset, jpeg_offset = _offsets(packed)
        result = Verification(len(packed), int(offset[-1]), packed.digest)
        stored = packed.dataset("digest/clip")
        cache = packed.dataset("digest/cache") if packed.has_cache else None
        for i in track(range(len(packed)), "verifying"):
            what = []
            if _digest(packed, i, jpeg_offset[offset[i] : offset[i + 1] + 1]) != stored[i].tobytes():
                what.append("labels, frames or poses")
            if cache is not None and hashlib.sha256(packed.training_frames(i).data).digest() != cache[i].tobytes():
                what.append("cached frames")
            if what:
                result.damaged[_name(packed, i)] = " and ".join(what)
        return result


def _digest(packed: PackedFile, i: int, jpeg_offset: np.ndarray) -> bytes:
    poses = packed.poses(i)
    jpeg = packed.dataset("frames/jpeg", slice(int(jpeg_offset[0]), int(jpeg_offset[-1])))
    frames = (packed.frame_numbers(i), np.diff(jpeg_offset), jpeg, packed.frame_labels(i))
    return schema.clip_digest(packed.columns, i, frames, {name: getattr(poses, name) for name in schema.POSE})


def _offsets(packed: PackedFile) -> tuple[np.ndarray, np.ndarray]:
    offset, jpeg_offset = packed.dataset("clips/frame_offset"), packed.dataset("frames/jpeg_offset")
    sizes = (packed.shape("frames/number")[0], packed.shape("frames/jpeg")[0])
    for name, values, length, end in (
        ("clips/frame_offset", offset, packed.shape("digest/clip")[0] + 1, sizes[0]),
        ("frames/jpeg_offset", jpeg_offset, sizes[0] + 1, sizes[1]),
    ):
        if len(values) != length or values[0] != 0 or values[-1] != end or (np.diff(values) < 0).any():
            raise PackedError(f"{packed.path}: {name} contradicts the data it points into; pack it again: fdpose pack")
    return offset, jpeg_offset


def _name(packed: PackedFile, i: int) -> str:
    """The clip's key as stored: a damaged row need not be a clip any more."""
    video, index = packed.columns["video"][i], packed.columns["index"][i]
    return f"{video.decode(errors='replace')}/{index}"
