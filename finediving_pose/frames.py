"""A clip's folder of pictures: ``frames/<video>/<index>/<frame number, 5 digits>.jpg`` and ``clip.json``.

``clip.json`` is written last, so a folder is complete exactly when it has one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import pairwise, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.bounds import check_pixels
from finediving_pose.clip import ClipKey
from finediving_pose.display import Display
from finediving_pose.documents import read_json
from finediving_pose.errors import FrameError
from finediving_pose.jpeg import decode_jpeg
from finediving_pose.workspace import Workspace, atomic_write

MANIFEST = "clip.json"
HEIGHT = 256
"""Height of the frames as FineDiving publishes them, pixels."""
LOWEST_FPS, HIGHEST_FPS = 10.0, 1000.0
"""Frames a second that a video may well have."""


@dataclass(frozen=True, slots=True)
class FrameFolder:
    """The pictures of one clip.

    Attributes
    ----------
    key : ClipKey
    folder : where the pictures are
    numbers : frame numbers in the source video, increasing
    width, height : size of every picture, pixels
    source : file or folder that the frames came from
    names : file name of each frame at its source (the same length as ``numbers``), for matching annotations
    fps : frames a second, None where unknown
    digest : sha256 over the JPEG bytes in order, hexadecimal
    n_bytes : size of each picture's file (the same length as ``numbers``); empty where unknown
    seconds : time of each frame from the first one on (the same length as ``numbers``), where the video does not keep
        to ``fps``; else empty
    display : how the video asks to be shown, and whether the pictures are so; None where no video is known
    source_bytes : size of the video file that the frames came from; 0 where unknown, or where they came from pictures
    """

    key: ClipKey
    folder: Path
    numbers: tuple[int, ...]
    width: int
    height: int
    source: str
    names: tuple[str, ...]
    fps: float | None
    digest: str
    n_bytes: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    display: Display | None = None
    source_bytes: int = 0

    @property
    def times(self) -> NDArray[np.float64]:
        """Time of every frame in seconds from the clip's first one, float64 (len(numbers),).

        As the video says; by ``fps`` and the frame numbers where it says nothing else; NaN where neither is known.
        """
        if self.seconds:
            return np.array(self.seconds, np.float64)
        return (np.array(self.numbers, np.float64) - self.numbers[0]) / (self.fps or np.nan)

    def may_come_from(self, video: Path) -> bool:
        """Whether the frames may come from this file: it has the size of the one that they came from."""
        return self.source_bytes in (0, size_of_file(video))

    def __repr__(self) -> str:
        return f"FrameFolder({str(self.key)!r}, {len(self.numbers)} frames of {self.width} x {self.height})"

    def path(self, number: int) -> Path:
        """Path of the picture with this frame number."""
        return self.folder / frame_name(number)

    def jpeg(self, number: int) -> bytes:
        """Bytes of one picture. Raises FrameError where the file is missing."""
        try:
            with open(f"{self.folder}/{frame_name(number)}", "rb") as file:  # a Path each would double the time
                return file.read()
        except OSError as e:
            raise FrameError(
                f"{self.key}: frame {self.path(number).name} is missing from {self.folder};"
                f" extract it again with: fdpose extract --clip {self.key} --force"
            ) from e

    def read(self, number: int) -> NDArray[np.uint8]:
        """One picture as uint8 (height, width, 3), RGB. Raises FrameError where it can't be decoded."""
        return decode_jpeg(self.jpeg(number), f"{self.key}: frame {frame_name(number)}", self.key)


def frame_name(number: int) -> str:
    """File name of a frame: its number in the source video, five digits or more."""
    return f"{number:05d}.jpg"


def scaled_width(width: float, height: float, target_height: int) -> int:
    """Width at ``target_height`` that keeps the proportion, rounded to the nearest pixel."""
    return max(1, round(width * target_height / height))


def is_complete(workspace: Workspace, key: ClipKey) -> bool:
    """Whether the clip's frames were written to the end."""
    return (workspace.frame_folder(key) / MANIFEST).is_file()


def open_frames(workspace: Workspace, key: ClipKey) -> FrameFolder:
    """Read a clip's ``clip.json``. Raises FrameError where the clip has no complete frame folder."""
    folder = workspace.frame_folder(key)
    path = folder / MANIFEST
    if not path.is_file():
        raise FrameError(f"{key}: no complete frames in {folder}; run: fdpose extract --clip {key}")
    try:
        data = read_json(path, FrameError)
        _check_manifest(data)
    except (FrameError, ValueError) as e:
        said = str(e).removeprefix(f"{path}: ")
        raise FrameError(f"{path}: not a frame manifest ({said}); run: fdpose extract --clip {key} --force") from e
    if not data["numbers"]:
        raise FrameError(f"{key}: has no frames; leave it out of the clips table, or extract it again")
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    if fields.get("display"):
        fields["display"] = Display(**fields["display"])
    return FrameFolder(key=key, folder=folder, **fields)


def _check_manifest(data: Any) -> None:
    """Raise ValueError naming the entry of a ``clip.json`` that is not what it should be."""
    if not isinstance(data, dict) or set(data) | _LATER != set(_ENTRIES):
        raise ValueError(f"expected an object with {', '.join(_ENTRIES)}")
    for name, (fits, expected) in _ENTRIES.items():
        if name in data and not fits(data[name]):
            raise ValueError(f"{name} is {str(data[name])[:60]!r}, expected {expected}")
    if len(data["names"]) != len(data["numbers"]):
        raise ValueError(f"{len(data['numbers'])} numbers, but {len(data['names'])} names")
    for name, what in (("n_bytes", "sizes"), ("seconds", "times")):
        if len(data.get(name) or data["numbers"]) != len(data["numbers"]):
            raise ValueError(f"{len(data['numbers'])} numbers, but {len(data[name])} {what}")
    if data["numbers"] and not (data["width"] and data["height"]):
        raise ValueError(f"its pictures are {data['width']} x {data['height']}")
    check_pixels(data["width"], data["height"], "it", FrameError)


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**31


def _are_numbers(value: Any) -> bool:
    whole = isinstance(value, list) and all(_is_whole(n, 0) for n in value)
    return whole and all(a < b for a, b in pairwise(value))


def _is_rate(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value is None or (number and 0 < value < float("inf"))


def _are_times(value: Any) -> bool:
    numbers = isinstance(value, list) and all(isinstance(t, (int, float)) for t in value)
    return numbers and value[:1] in ([], [0.0]) and all(a < b < float("inf") for a, b in pairwise(value))


def _is_display(value: Any) -> bool:
    if value is None:
        return True
    kinds = {"rotation": (int, float), "mirrored": bool, "aspect": (int, float), "applied": bool}
    fits = isinstance(value, dict) and set(value) == set(kinds)
    return fits and all(isinstance(value[k], kind) for k, kind in kinds.items()) and value["aspect"] > 0


_ENTRIES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "numbers": (_are_numbers, "frame numbers from 0 on, increasing"),
    "width": (lambda v: _is_whole(v, 0), "pixels"),
    "height": (lambda v: _is_whole(v, 0), "pixels"),
    "source": (lambda v: isinstance(v, str), "text"),
    "names": (lambda v: isinstance(v, list) and all(isinstance(n, str) for n in v), "a list of file names"),
    "fps": (_is_rate, "frames a second, above 0, or null"),
    "digest": (lambda v: isinstance(v, str), "text"),
    "n_bytes": (lambda v: isinstance(v, list) and all(_is_whole(n, 0) for n in v), "sizes in bytes"),
    "seconds": (_are_times, "seconds from 0 on, increasing"),
    "display": (_is_display, "how the video asks to be shown, or null"),
    "source_bytes": (lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0, "a size in bytes"),
}
"""What ``clip.json`` holds: every field of FrameFolder but the key and the folder."""

_LATER = {"n_bytes", "seconds", "display", "source_bytes"}
"""Entries that folders of earlier versions lack."""


def size_of_file(path: Path) -> int:
    """Bytes of a file; 0 where it is missing, or a folder."""
    with suppress(OSError):
        if path.is_file():
            return path.stat().st_size
    return 0


def torn_picture(frames: FrameFolder) -> str | None:
    """What is wrong with the first picture that is missing, empty or shorter than it was written; None where none is.

    A power cut can leave that, and a file system without room. Looks at sizes only.
    """
    try:
        with os.scandir(frames.folder) as entries:
            found = {entry.name: entry.stat().st_size for entry in entries}
    except OSError as e:
        return f"the folder can't be read ({e.strerror})"
    for number, wanted in zip(frames.numbers, frames.n_bytes or repeat(1), strict=False):
        name = frame_name(number)
        if name not in found:
            return f"picture {name} is missing"
        if found[name] < wanted:
            return f"picture {name} has {found[name]:,} of {wanted:,} bytes"
    return None


def write_manifest(frames: FrameFolder) -> None:
    """Write ``clip.json``, which makes the folder complete. Call it after the last picture."""
    data = {k: v for k, v in asdict(frames).items() if k not in ("key", "folder")}
    with atomic_write(frames.folder / MANIFEST) as part:
        part.write_text(json.dumps(data), encoding="utf-8")


def digest_jpegs(jpegs: Iterable[bytes]) -> str:
    """sha256 over the pictures' bytes, in order, hexadecimal."""
    h = hashlib.sha256()
    for jpeg in jpegs:
        h.update(jpeg)
    return h.hexdigest()
