"""Which layout a folder of ready-made frames has, and which pictures belong to which clip.

Known layouts::

    <video>/<frame>.jpg           one folder a video, cut by the labels' frame ranges
    <video>/<index>/<frame>.jpg   one folder a dive, already trimmed (as FineDiving publishes them)
    <frame>.jpg                   one video

The frame number is the digits at the end of a file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FrameError
from finediving_pose.extraction.sources import PICTURES, unknown_frames

_NUMBER = re.compile(r"(\d+)$")


@dataclass(frozen=True, slots=True)
class PictureSet:
    """The pictures of one clip at their source.

    Attributes
    ----------
    clip : labels of the clip; only the key is sure
    folder : where the pictures are
    pictures : (frame number, path), increasing; empty where none lies in the clip's range
    error : why the pictures can't be used, where frame numbers are missing or twice there
    """

    clip: Clip
    folder: Path
    pictures: tuple[tuple[int, Path], ...]
    error: FrameError | None = None


def find_pictures(frames: Path, labelled: Sequence[Clip]) -> list[PictureSet]:
    """Every clip of a folder of frames: the labelled ones, and those without labels.

    Raises
    ------
    FrameError
        The folder is missing or has none of the known layouts.
    """
    if not frames.is_dir():
        raise FrameError(f"{frames}: no such folder; give the folder that holds the frames")
    by_video: dict[str, list[Clip]] = {}
    for clip in labelled:
        by_video.setdefault(clip.key.video, []).append(clip)
    if _holds_pictures(frames):
        name = next(iter(by_video)) if len(by_video) == 1 else frames.resolve().name
        return list(_whole_video(frames, name, by_video.get(name, [])))
    found: list[PictureSet] = []
    for folder in sorted(p for p in frames.iterdir() if p.is_dir() and not p.name.startswith(".")):
        if _holds_pictures(folder):
            if any(p.name.isdecimal() and p.is_dir() and _holds_pictures(p) for p in folder.iterdir()):
                raise FrameError(
                    f"{folder}: holds pictures, as <video>/<frame>.jpg, and folders of single dives, as"
                    " <video>/<index>/<frame>.jpg; keep the two kinds in folders of their own"
                )
            found += _whole_video(folder, folder.name, by_video.get(folder.name, []))
        else:
            found += _trimmed(folder, by_video.get(folder.name, []))
    if not found:
        raise unknown_frames(frames)
    return found


def _whole_video(folder: Path, video: str, clips: list[Clip]) -> Iterator[PictureSet]:
    """Cut a video's pictures by the label ranges; without ranges the whole folder is one clip."""
    pictures, error = _numbered(folder)
    ranged = [c for c in clips if c.frame_range]
    if not ranged:
        clip = clips[0] if len(clips) == 1 else Clip(ClipKey(video, 0))
        yield PictureSet(clip, folder, pictures, error)
    for clip in ranged:
        wanted = clip.frame_range or range(0)
        yield PictureSet(clip, folder, tuple((n, p) for n, p in pictures if n in wanted), error)


def _trimmed(video: Path, clips: list[Clip]) -> Iterator[PictureSet]:
    labelled = {c.key.index: c for c in clips}
    folders = [p for p in video.iterdir() if p.is_dir() and p.name.isdecimal() and _holds_pictures(p)]
    for folder in sorted(folders, key=lambda p: int(p.name)):
        clip = labelled.get(int(folder.name)) or Clip(ClipKey(video.name, int(folder.name)))
        yield PictureSet(clip, folder, *_numbered(folder))


def _numbered(folder: Path) -> tuple[tuple[tuple[int, Path], ...], FrameError | None]:
    pictures: dict[int, Path] = {}
    for path in _pictures(folder):
        match = _NUMBER.search(path.stem)
        if not match:
            return (), FrameError(f"{path}: no frame number at the end of the name; expected a name such as 00042.jpg")
        number = int(match[1])
        if number in pictures:
            names = f"{pictures[number].name} and {path.name}"
            return (), FrameError(f"{folder}: {names} are both frame {number}; keep one of the two")
        pictures[number] = path
    return tuple(sorted(pictures.items())), None


def _pictures(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES and not p.name.startswith("."))


def _holds_pictures(folder: Path) -> bool:
    return any(p.suffix.lower() in PICTURES and not p.name.startswith(".") for p in folder.iterdir())
