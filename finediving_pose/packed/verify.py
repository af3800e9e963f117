"""Recompute every digest of a packed file: no byte of it is without one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from finediving_pose.errors import FdposeError, PackedError
from finediving_pose.packed import schema
from finediving_pose.packed.arrays import DAMAGE
from finediving_pose.packed.reader import PackedFile, open_packed
from finediving_pose.packed.structure import PARTS, STRUCTURE, structure_digests
from finediving_pose.parallel import in_order, map_clips


@dataclass(slots=True)
class Verification:
    """What is not as it was packed.

    Attributes
    ----------
    n_clips, n_frames : how many were looked at
    digest : names the data, see :attr:`PackedFile.digest`
    damaged : ``video/index`` -> what of the clip differs
    parts : what differs of the file that belongs to no clip, of ``structure.PARTS``
    """

    n_clips: int
    n_frames: int
    digest: str
    damaged: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether every byte is the one that was packed."""
        return not self.damaged and not self.parts


_WORTH_A_PROCESS = 16
"""Groups of clips for which it pays to start one more process."""
CLIPS_AT_ONCE = 32
"""Clips that a process looks at before it takes others."""


def verify_packed(path: Path, jobs: int | None = None, scheduler: str | None = None) -> Verification:
    """Check that every clip, the offsets and everything else in the file have the digests they were packed with.

    Parameters
    ----------
    jobs, scheduler : see :func:`finediving_pose.parallel.map_clips`

    Raises
    ------
    SetupError
        There is no scheduler at the address.
    PackedError
        The file can't be opened, or its HDF5 structure is so damaged that the clips can't be found.
    """
    with open_packed(path) as packed:
        parts = _changed_parts(packed)
        try:
            result = Verification(len(packed), int(_offsets(packed)[0][-1]), packed.digest, parts=parts)
            work = [range(i, min(i + CLIPS_AT_ONCE, len(packed))) for i in range(0, len(packed), CLIPS_AT_ONCE)]
            check, how = partial(_damaged, path), {"scheduler": scheduler, "count": len, "worth": _WORTH_A_PROCESS}
            for _, outcome in in_order(work, map_clips(check, work, jobs, "verifying", **how)):
                if isinstance(outcome, FdposeError):
                    raise outcome
                result.damaged |= outcome
        except (PackedError, *DAMAGE) as e:
            if not parts:
                raise
            raise PackedError(f"{path}: {' and '.join(parts)} damaged ({e}); pack it again with: fdpose pack") from e
        return result


def _damaged(path: Path, clips: range) -> dict[str, str]:
    """What is not as it was packed of some clips, by their keys."""
    with open_packed(path) as packed:
        offset, jpeg_offset = _offsets(packed)
        changes = {_name(packed, i): _changes(packed, i, offset, jpeg_offset) for i in clips}
    return {name: " and ".join(what) for name, what in changes.items() if what}


def _changed_parts(packed: PackedFile) -> list[str]:
    try:
        now = structure_digests(packed.path)
        stored = packed.dataset(schema.STRUCTURE_DIGEST)
    except (PackedError, *DAMAGE):
        return [STRUCTURE]
    if stored.shape != now.shape:
        return [STRUCTURE]
    return [name for name, same in zip(PARTS, (stored == now).all(1), strict=True) if not same]


def _changes(packed: PackedFile, i: int, offset: np.ndarray, jpeg_offset: np.ndarray) -> list[str]:
    """What of a clip is not what was packed."""
    rows = slice(int(offset[i]), max(int(offset[i]), int(offset[i + 1])))
    what = []
    if _digest(packed, i, rows, jpeg_offset) != packed.dataset("digest/clip", slice(i, i + 1)).tobytes():
        what.append("labels, frames or poses")
    if packed.has_cache:
        cached = hashlib.sha256(packed.dataset(schema.CACHE, rows).data).digest()
        if cached != packed.dataset("digest/cache", slice(i, i + 1)).tobytes():
            what.append("cached frames")
    return what


def _digest(packed: PackedFile, i: int, rows: slice, jpeg_offset: np.ndarray) -> bytes:
    at = jpeg_offset[rows.start : rows.stop + 1]
    jpeg = packed.dataset("frames/jpeg", slice(int(at[0]), int(at[-1])))
    frames = (packed.dataset("frames/number", rows), np.diff(at), jpeg, packed.dataset("labels/sub_action", rows))
    pose = {name: packed.dataset(f"pose/{name}", rows) for name in schema.POSE}
    return schema.clip_digest(packed.columns, i, frames, pose)


def _offsets(packed: PackedFile) -> tuple[np.ndarray, np.ndarray]:
    """The offsets of clips and JPEG files, held inside the data: a damaged one must not keep others from being read."""
    n_frames, n_bytes = packed.shape("frames/number")[0], packed.shape("frames/jpeg")[0]
    offset, jpeg_offset = packed.dataset("clips/frame_offset"), packed.dataset("frames/jpeg_offset")
    for name, found, expected in (
        ("clips/frame_offset", len(offset), packed.shape("digest/clip")[0] + 1),
        ("frames/jpeg_offset", len(jpeg_offset), n_frames + 1),
    ):
        if found != expected:
            raise PackedError(f"{packed.path}: {name} has {found} entries, not {expected}; pack it again: fdpose pack")
    return offset.clip(0, n_frames), jpeg_offset.clip(0, n_bytes)


def _name(packed: PackedFile, i: int) -> str:
    """The clip's key as stored: a damaged row need not be a clip any more."""
    video, index = packed.columns["video"][i], packed.columns["index"][i]
    return f"{video.decode(errors='replace')}/{index}"
