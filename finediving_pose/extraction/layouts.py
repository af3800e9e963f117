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

from finediving_pose.clip import Clip, ClipKey, composed
from finediving_pose.droppings import entries
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
        ranged = {c.key.video for c in labelled if c.frame_range}  # labels of one video say that it is this one
        name = ranged.pop() if len(ranged) == 1 == len(by_video) else composed(frames.resolve().name)
        return list(_whole_video(frames, name, by_video.get(name, [])))
    found: list[PictureSet] = []
    for video, folder in _by_name(frames).items():
        clips = by_video.get(video, [])
        if _holds_pictures(folder):
            if any(p.name.isdecimal() and p.is_dir() and _holds_pictures(p) for p in entries(folder)):
                raise FrameError(
                    f"{folder}: holds pictures, as <video>/<frame>.jpg, and folders of single dives, as"
                    " <video>/<index>/<frame>.jpg; keep the two kinds in folders of their own"
                )
            found += _whole_video(folder, video, clips)
        else:
            found += _trimmed(folder, video, clips)
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


def _by_name(frames: Path) -> dict[str, Path]:
    """The folders by their names, composed."""
    folders: dict[str, Path] = {}
    for folder in entries(frames):
        if folder.is_dir() and folders.setdefault(composed(folder.name), folder) != folder:
            raise FrameError(
                f"{frames}: two folders are called {composed(folder.name)!r}, once with composed letters and once with"
                " separate accents; put them into one"
            )
    return folders


def _trimmed(folder: Path, video: str, clips: list[Clip]) -> Iterator[PictureSet]:
    labelled = {c.key.index: c for c in clips}
    folders: dict[int, list[Path]] = {}
    for dive in entries(folder):
        if dive.is_dir() and dive.name.isdecimal() and _holds_pictures(dive):
            folders.setdefault(int(dive.name), []).append(dive)
    for index, dives in sorted(folders.items()):
        clip = labelled.get(index) or Clip(ClipKey(video, index))
        if len(dives) > 1:
            names = " and ".join(p.name for p in dives)
            yield PictureSet(clip, folder, (), FrameError(f"{folder}: {names} are both clip {clip.key}; keep one"))
        else:
            yield PictureSet(clip, dives[0], *_numbered(dives[0]))


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
    return [p for p in entries(folder) if p.suffix.lower() in PICTURES]


def _holds_pictures(folder: Path) -> bool:
    return bool(_pictures(folder))
