"""Pose files in and out: what crosses between a format's module and the rest, and the two decorators.

A format is one module of this package with a function under :func:`writes`, one under :func:`reads`,
or both. Coordinates cross unchanged: pixels of the stored frame, origin at the top-left pixel's centre.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.boxes import box_of_joints
from finediving_pose.clip import Clip
from finediving_pose.documents import read_json
from finediving_pose.droppings import entries
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.frames import FrameFolder, frame_name
from finediving_pose.poses import ClipPoses, Visibility
from finediving_pose.workspace import copy_file


@dataclass(frozen=True, slots=True, eq=False)
class ImagePose:
    """One person in one picture, as a file of another tool says it.

    Attributes
    ----------
    image : the picture's name as written; :class:`FrameIndex` finds the frame
    entry : where in the file, in words, for error messages
    keypoints : float32 (16, 2), pixels; NaN where absent
    visibility : uint8 (16,), see :class:`~finediving_pose.poses.Visibility`
    confidence : float32 (16,), None where the format has none
    box : float32 (4,), x1 y1 x2 y2, None where the format has none
    person : 0 or 1, None where the format does not say
    size : width and height of the picture that was annotated, None where the format does not say
    annotator : who placed the joints, where the file holds several people's work on the same pictures; else None
    predicted : a model's work that nobody touched, as the file says
    by_machine : bool (16,), joints that a model placed, as the file says; None where the format has no room for it
    listing : which of the file's entries for a picture holds the pose (an image's id, a task); two people of one frame
        are in one listing, a frame in two listings is annotated twice
    """

    image: str
    entry: str
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.uint8]
    confidence: NDArray[np.float32] | None = None
    box: NDArray[np.float32] | None = None
    person: int | None = None
    size: tuple[int, int] | None = None
    annotator: str | None = None
    predicted: bool = False
    by_machine: NDArray[np.bool_] | None = None
    listing: str = ""

    @classmethod
    def of_joints(cls, image: str, entry: str, keypoints: NDArray[np.float32], **known: Any) -> ImagePose:
        """A pose of a format that tells absent joints from present ones, and no more."""
        present = np.asarray(np.isfinite(keypoints).all(axis=1))
        visibility = np.where(present, Visibility.VISIBLE, Visibility.ABSENT).astype(np.uint8)
        return cls(image, entry, np.where(present[:, None], keypoints, np.nan).astype(np.float32), visibility, **known)


@dataclass(slots=True)
class Annotations:
    """What a reader found in a file.

    Attributes
    ----------
    poses : every pose, those without joints and predictions included; the import leaves them out and says so
    left_out : how many things of each kind the reader passed over, e.g. ``{"cancelled annotations": 2}``
    told : sentences that the user has to know, e.g. which of two annotations of one person counts
    """

    poses: list[ImagePose] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PosedClip:
    """A clip with its frames and the poses to export.

    Attributes
    ----------
    layer : the poses' layer: ``auto``, ``merged`` or ``manual/<annotator>``
    authors : estimator or annotator of each joint, 16 a row of ``poses``; "" where the joint is absent
    only : numbers of the frames to export; None for all
    """

    clip: Clip
    frames: FrameFolder
    poses: ClipPoses
    layer: str
    authors: list[list[str]]
    only: frozenset[int] | None = None

    def image(self, number: int) -> str:
        """``<video>/<index>/<number>.jpg``, the name of a frame in every export that has one name a picture."""
        return f"{self.clip.key}/{frame_name(number)}"

    def posed_frames(self) -> Iterator[tuple[int, list[int]]]:
        """Frame number and rows of the pose table, for each frame with at least one joint."""
        present = np.isfinite(self.poses.keypoints).all(axis=-1).any(axis=-1)
        for number in self.frames.numbers:
            if self.only is not None and number not in self.only:
                continue
            if rows := [int(r) for r in np.flatnonzero((self.poses.frame == number) & present)]:
                yield number, rows

    def box(self, row: int) -> NDArray[np.float32]:
        """The row's box, or the one around its joints where the table has none: float32 (4,)."""
        box = self.poses.box[row]
        return box if np.isfinite(box).all() else box_of_joints(self.poses.keypoints[row][None])[0]

    def put_picture(self, number: int, target: Path) -> None:
        """Put a copy of a frame's picture at ``target``: whoever changes it there changes no other."""
        copy_file(self.frames.path(number), target)


class Probe:
    """A file or folder whose format is to be recognised; its contents are read once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def json(self) -> Any:
        """What a .json file holds; None for other files. Raises PoseError for broken JSON."""
        if self.path.suffix.lower() != ".json" or not self.path.is_file():
            return None
        return read_json(self.path, PoseError)

    def first_of_list(self) -> dict[str, Any]:
        """The first entry of a JSON list of objects; empty where it is not that."""
        first = self.json[0] if isinstance(self.json, list) and self.json else None
        return first if isinstance(first, dict) else {}

    def is_hdf5(self, suffix: str) -> bool:
        """Whether it is an HDF5 file whose name ends in ``suffix``."""
        if self.path.suffix.lower() != suffix or not self.path.is_file():
            return False
        with open(self.path, "rb") as f:
            return f.read(8) == b"\x89HDF\r\n\x1a\n"

    def describe(self) -> str:
        """What it seems to be, in a few words."""
        if self.path.is_dir():
            endings = Counter(p.suffix.lower() or "no ending" for p in entries(self.path) if p.is_file())
            held = ", ".join(f"{n:,} with {ending}" for ending, n in endings.most_common(3))
            return f"a folder of files: {held}" if held else "a folder without files"
        if not self.path.stat().st_size:
            return "an empty file"
        if isinstance(self.json, dict):
            return f"a JSON object with {_some(self.json)}"
        if isinstance(self.json, list):
            first = f"; the first has {_some(self.first_of_list())}" if self.first_of_list() else ""
            return f"a JSON list with {len(self.json):,} in it{first}"
        return f"a file that ends in {self.path.suffix}" if self.path.suffix else "a file without an ending"


def _some(keys: Iterable[str]) -> str:
    """The first few keys, shortened."""
    names = [repr(key if len(key) <= 20 else key[:17] + "...") for key in islice(keys, 4)]
    return ", ".join(names) or "nothing in it"


Write = Callable[[Path, Sequence[PosedClip]], None]
Read = Callable[[Path, FrameIndex], Annotations]


@dataclass(frozen=True, slots=True)
class Writer:
    """How a format is written: ``write(path, clips)`` fills a file, or an empty folder where ``folder``.

    Attributes
    ----------
    reader : name of the format that reads it
    whole_clips : it can't hold some of a clip's frames only
    in_parts : clip by clip the file says the same whichever clips it holds, and it holds no pictures, so that a large
        one can be read back in parts
    most : poses that it is written of; None for any number
    companions : texts that are written beside the file, by what replaces the ending of its name
    """

    name: str
    title: str
    folder: bool
    reader: str
    whole_clips: bool
    in_parts: bool
    most: int | None
    companions: Mapping[str, Callable[[], str]]
    write: Write

    def texts_beside(self, out: Path) -> dict[Path, str]:
        """The companions of the file ``out``."""
        return {out.with_name(out.stem + ending): text() for ending, text in self.companions.items()}


@dataclass(frozen=True, slots=True)
class Reader:
    """How a format is recognised and read."""

    name: str
    recognise: Callable[[Probe], bool]
    read: Read


_WRITERS: dict[str, Writer] = {}
_READERS: dict[str, Reader] = {}


def writes(
    name: str,
    title: str,
    *,
    folder: bool = False,
    reader: str | None = None,
    whole_clips: bool = False,
    in_parts: bool = False,
    most: int | None = None,
    companions: Mapping[str, Callable[[], str]] | None = None,
) -> Callable[[Write], Write]:
    """Register a function that writes a format; ``reader`` names the format that reads it, if not the same."""

    def register(write: Write) -> Write:
        _WRITERS[name] = Writer(
            name, title, folder, reader or name, whole_clips, in_parts, most, companions or {}, write
        )
        return write

    return register


def reads(name: str, recognise: Callable[[Probe], bool]) -> Callable[[Read], Read]:
    """Register a function that reads a format."""

    def register(read: Read) -> Read:
        _READERS[name] = Reader(name, recognise, read)
        return read

    return register


def writers() -> dict[str, Writer]:
    """Every format that can be written, by name."""
    _import_all()
    return dict(sorted(_WRITERS.items()))


def readers() -> dict[str, Reader]:
    """Every format that can be read, by name."""
    _import_all()
    return dict(sorted(_READERS.items()))


def writer(name: str) -> Writer:
    """The writer of a format. Raises UsageError for an unknown name."""
    if name not in writers():
        raise UsageError(f"{name!r} is no export format; there is {', '.join(writers())}")
    return _WRITERS[name]


def reader_of(path: Path, name: str | None = None) -> Reader:
    """The reader called ``name``, else the one that recognises the file or folder.

    Raises
    ------
    UsageError
        There is no such format, or the path is missing.
    PoseError
        No format, or more than one, recognises it.
    """
    if name is not None and name not in readers():
        raise UsageError(f"{name!r} is no import format; there is {', '.join(readers())}")
    if not path.exists():
        raise UsageError(f"{path}: no such annotation file; give the path of a file or folder that is there")
    if name is not None:
        return _READERS[name]
    probe = Probe(path)
    found = [r for r in readers().values() if r.recognise(probe)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(r.name for r in found)
        raise PoseError(f"{path}: could be {names}; say which: fdpose import {found[0].name} {path}")
    raise PoseError(
        f"{path}: no known pose format: it is {probe.describe()}; docs/formats.md says what each looks like"
        f" ({', '.join(readers())}); to say which it is: fdpose import FORMAT {path}"
    )


def _import_all() -> None:
    package = importlib.import_module("finediving_pose.formats")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
