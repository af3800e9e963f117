"""What kind of input a folder holds, found by looking at names.

Known kinds::

    <video>.mp4                   whole competition videos, cut by the labels' frame ranges; without labels, one dive
    <video>__<index>.mp4          one video a dive, already trimmed
    <video>/<frame>.jpg           untrimmed frame folders, cut by the labels' frame ranges
    <video>/<index>/<frame>.jpg   trimmed frame folders, one a dive (as FineDiving publishes them)

(or another ending of :data:`finediving_pose.extraction.video.SUFFIXES`; a single video's ``<frame>.jpg`` are taken,
too). Names are compared in Unicode's composed form, which macOS takes apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from finediving_pose.clip import Clip, ClipKey, composed
from finediving_pose.droppings import entries, found
from finediving_pose.errors import FdposeError, FrameError, LabelError, VideoError
from finediving_pose.extraction.video import SUFFIXES

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}

KINDS = "<video>.mp4, <video>__<index>.mp4, <video>/<frame>.jpg or <video>/<index>/<frame>.jpg"

_DIVE = re.compile(r"(.+)__(\d+)")


@dataclass(frozen=True, slots=True)
class Videos:
    """The videos of a folder: whole ones by name, and those of single dives by clip."""

    whole: dict[str, Path]
    dives: dict[ClipKey, Path]

    def of(self, key: ClipKey) -> Path | None:
        """The video that holds a clip, None where there is none."""
        return self.dives.get(key) or self.whole.get(key.video)


def video_files(place: Path) -> list[Path]:
    """The videos of a folder, by their endings; or the one file, whatever its ending.

    Raises VideoError where it is missing or the folder holds none.
    """
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise VideoError(f"{place}: no such folder or file; give a video, or the folder that holds the videos")
    files = [p for p in entries(place) if p.suffix.lower() in SUFFIXES and p.is_file()]
    if not files:
        raise VideoError(f"{place}: no videos here; {_instead_of_videos(place)}")
    return files


def _instead_of_videos(folder: Path) -> str:
    deeper = sorted({p.parent for p in found(folder, "*/*") if p.suffix.lower() in SUFFIXES})
    if deeper:
        return f"there are some in {deeper[0]}; give that folder as --videos"
    return "it holds frame folders; give it as --frames" if holds_frames(folder) else f"expected one of {KINDS}"


def dive_in(name: str) -> tuple[str, int] | None:
    """Video and index that the name of a single dive's file says, ``<video>__<index>``; None for another name."""
    match = _DIVE.fullmatch(name)
    return (match[1], int(match[2])) if match else None


def find_videos(folder: Path, clips: Sequence[Clip]) -> Videos:
    """The videos of a folder, or one file; a name that a label gives to a whole video is one, whatever it looks like.

    Raises
    ------
    VideoError
        The folder is missing, holds no videos, or holds a dive both alone and in a whole video, or twice.
    """
    files = video_files(folder)
    named = {c.key.video for c in clips}
    whole: dict[str, Path] = {}
    dives: dict[ClipKey, Path] = {}
    for path in files:
        name = composed(path.stem)
        before = _enter(path, None if name in named else dive_in(name), whole, dives)
        if before:
            raise VideoError(f"{folder}: {before.name} and {path.name} are the same video; keep one of the two")
    for key, path in dives.items():
        if key.video in whole:
            raise VideoError(
                f"{folder}: {path.name} is one dive (<video>__<index>) of {whole[key.video].name}, a whole video;"
                " keep the two kinds in folders of their own"
            )
    return Videos(whole, dives)


def _enter(path: Path, dive: tuple[str, int] | None, whole: dict[str, Path], dives: dict[ClipKey, Path]) -> Path | None:
    """Note a video; returns the one that has its place already."""
    if dive is None:
        return _other(whole.setdefault(composed(path.stem), path), path)
    try:
        return _other(dives.setdefault(ClipKey(*dive), path), path)
    except LabelError as e:
        raise VideoError(f"{path}: {e}") from e


def _other(there: Path, path: Path) -> Path | None:
    return there if there != path else None


def holds_frames(folder: Path) -> bool:
    """Whether there are pictures in the folder, or one or two levels below."""
    return any(p.suffix.lower() in PICTURES for depth in ("*", "*/*", "*/*/*") for p in found(folder, depth))


def holds_videos(folder: Path) -> bool:
    """Whether there are videos in the folder itself."""
    return any(p.suffix.lower() in SUFFIXES for p in entries(folder))


def other_case(name: str, names: Iterable[str]) -> str | None:
    """The name that differs from this one in nothing but capitals, None where there is none."""
    return next((n for n in names if n != name and n.casefold() == name.casefold()), None)


def unknown_frames(folder: Path) -> FdposeError:
    """The error for a folder in which no frames are found in a layout that is known."""
    hint = "it holds videos; give it as --videos" if holds_videos(folder) else f"expected one of {KINDS}"
    return FrameError(f"{folder}: no frames in a layout that is known; {hint}")
