"""MPII Human Pose's MATLAB file: ``RELEASE.annolist``, one entry a picture.

Format: human-pose.mpi-inf.mpg.de, "Annotation description". A person is ``annorect`` with ``annopoints.point``
(x, y, id 0 to 15, is_visible). MATLAB counts pixels from 1, so the first pixel's centre is 1, 1 there and 0, 0 here.
"""

from __future__ import annotations

import multiprocessing
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.registry import Annotations, ImagePose, Probe, reads
from finediving_pose.poses import Visibility
from finediving_pose.skeleton import N_JOINTS

MAX_BYTES = 2_000_000_000
"""Largest MATLAB file that is read, unpacked."""

_HEADER = 128
_COMPRESSED = 15
"""Type of an element of a MATLAB 5 file that zlib packed."""


@reads("mpii", lambda probe: _is_mat(probe))
def read_mpii(path: Path, index: FrameIndex) -> Annotations:
    """Every person of every picture; pictures and people without joints are left out."""
    found = Annotations()
    for i, entry in enumerate(_annolist(path)):
        name = _text(_field(_one(_field(entry, "image")), "name"))
        people = [p for p in _many(_field(entry, "annorect")) if _points(p)]
        if not people:
            found.left_out["pictures without joints"] += 1
            continue
        if not name:
            raise PoseError(f"{path}: annolist {i + 1} names no image; expected image.name")
        for j, person in enumerate(people):
            found.poses.append(_pose(f"{path}: annolist {i + 1}, image {name}", name, j, _points(person)))
    return found


def _is_mat(probe: Probe) -> bool:
    return probe.path.suffix.lower() == ".mat" and probe.path.is_file()


def _annolist(path: Path) -> list[Any]:
    content = _load(path)
    release = _one(content.get("RELEASE"))
    entries = _field(release, "annolist") if release is not None else content.get("annolist")
    if entries is None:
        names = ", ".join(sorted(k for k in content if not k.startswith("__"))[:8])
        raise PoseError(
            f"{path}: no RELEASE.annolist in it (found {names or 'nothing'}); joints without the pictures' names can't"
            " be taken in"
        )
    return _many(entries)


def _load(path: Path) -> dict[str, Any]:
    """The file's variables; structs as objects with the fields as attributes."""
    try:
        raw = path.read_bytes()
        if raw.startswith(b"MATLAB 7.3"):
            raise PoseError(f"{path}: a MATLAB 7.3 file; save it in MATLAB with save(..., '-v7')")
        if not raw.startswith(b"MATLAB 5.0"):
            raise PoseError(f"{path}: not a MATLAB file; MPII's is mpii_human_pose_v1_u12_1.mat")
        _check_unpacked_size(path, raw)
        # scipy's compiled reader follows a damaged file out of its memory: in a process of its own that is one error
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
            return pool.submit(_variables, str(path)).result()
    except BrokenProcessPool:
        raise PoseError(f"{path}: damaged (its reader crashed on it); copy it again") from None
    except PoseError:
        raise
    except Exception as e:  # scipy raises anything for a damaged file
        raise PoseError(f"{path}: can't be read ({type(e).__name__}: {str(e)[:80]}); copy it again") from e


def _variables(path: str) -> dict[str, Any]:
    from scipy.io import loadmat

    return dict(loadmat(path, struct_as_record=False, squeeze_me=True, chars_as_strings=True))


def _check_unpacked_size(path: Path, raw: bytes) -> None:
    """Raise PoseError where the file unpacks to more than MAX_BYTES, or ends before its elements do."""
    order = "little" if raw[126:128] == b"IM" else "big"
    at, unpacked = _HEADER, 0
    while at + 8 <= len(raw):
        kind, size = (int.from_bytes(raw[at + k : at + k + 4], order) for k in (0, 4))
        at += 8
        if at + size > len(raw):
            raise PoseError(f"{path}: cut short ({len(raw):,} bytes); copy it again")
        if kind == _COMPRESSED:
            unpack = zlib.decompressobj()
            rest = raw[at : at + size]
            while rest and not unpack.eof:
                unpacked += len(unpack.decompress(rest, 1 << 22))
                if unpacked > MAX_BYTES:
                    raise PoseError(f"{path}: unpacks to more than {MAX_BYTES:,} bytes; no annotation file does")
                rest = unpack.unconsumed_tail
        at += size


def _pose(where: str, image: str, person: int, points: list[Any]) -> ImagePose:
    keypoints = np.full((N_JOINTS, 2), np.nan, np.float32)
    visibility = np.zeros(N_JOINTS, np.uint8)
    for point in points:
        x, y, number = (_number(_field(point, name)) for name in ("x", "y", "id"))
        if x is None or y is None or number is None or number not in range(N_JOINTS):
            raise PoseError(
                f"{where}, person {person + 1}: a point needs x, y and an id of 0 to {N_JOINTS - 1}, found"
                f" {x}, {y}, {number}"
            )
        joint = int(number)
        if visibility[joint]:
            raise PoseError(f"{where}, person {person + 1}: two points have the id {joint}; leave one out")
        keypoints[joint] = x - 1, y - 1
        hidden = _number(_field(point, "is_visible")) == 0
        visibility[joint] = Visibility.OCCLUDED if hidden else Visibility.VISIBLE
    return ImagePose(image, f"{where}, person {person + 1}", keypoints, visibility, listing=where)


def _points(person: Any) -> list[Any]:
    return [p for p in _many(_field(_one(_field(person, "annopoints")), "point")) if _field(p, "id") is not None]


def _field(struct: Any, name: str) -> Any:
    """A field of a struct; None where it has none, or it is empty."""
    value = getattr(struct, name, None) if hasattr(struct, "_fieldnames") and name in struct._fieldnames else None
    return None if isinstance(value, np.ndarray) and value.size == 0 else value


def _many(value: Any) -> list[Any]:
    """The structs of an array, or the one."""
    return list(_structs(value))


def _structs(value: Any) -> Iterator[Any]:
    if hasattr(value, "_fieldnames"):
        yield value
    elif isinstance(value, np.ndarray) and value.dtype == object:
        for entry in value.reshape(-1):
            if hasattr(entry, "_fieldnames"):
                yield entry


def _one(value: Any) -> Any:
    return next(_structs(value), None)


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    """A number, or one that MATLAB has as text; None for anything else and what no pixel is."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < 1e9 else None
