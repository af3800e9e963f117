"""Which frame of the data directory does a picture's name mean?"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePath

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.frames import FrameFolder, frame_name, is_complete, open_frames
from finediving_pose.workspace import Workspace

Place = tuple[ClipKey, int]

_ADDED_FOLDERS = frozenset(
    (
        *("", ".", "images", "image", "frames", "data", "media", "upload", "labels", "labeled-data", "local-files"),
        *("train", "val", "test", "default", "obj_train_data"),
    )
)
"""Folders that annotation tools put before a picture's own name; the number of a project may follow ``upload``."""

_UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of a picture that was uploaded in the browser."""


def flat_clip(key: ClipKey) -> str:
    """One folder name for a clip, for tools that keep all clips in one folder: ``<video>__<index>``."""
    return f"{key.video}__{key.index}"


class FrameIndex:
    """Finds the frame that a picture's name means.

    ``<video>/<index>/<number>.jpg`` (longer paths ending so, too), the flat forms of it that the
    exports write (``<video>__<index>/<number>.jpg``, ``<video>__<index>__<number>.jpg``), or else
    the path or file name that the frame had where it came from, as each clip's ``clip.json`` records it.
    Folders and prefixes that annotation tools add are passed over, and accents are the same however they are written.
    """

    def __init__(self, workspace: Workspace, clips: Sequence[Clip]) -> None:
        self.folders: dict[ClipKey, FrameFolder] = {}
        self.by_path: dict[str, Place] = {}
        self.by_name: dict[str, list[Place]] = defaultdict(list)
        self.by_video: dict[str, list[FrameFolder]] = defaultdict(list)
        for clip in clips:
            if is_complete(workspace, clip.key):
                self.add(open_frames(workspace, clip.key))

    def find(self, image: str, where: str, others: Sequence[str] = ()) -> Place:
        """Clip and frame number.

        Parameters
        ----------
        image : the picture's name as written
        where : what an error begins with
        others : names that the picture may have instead, where a file doesn't say its ending

        Raises
        ------
        PoseError
            There is no such frame, or several clips have it.
        """
        for name in (image, *others):
            places = self._places(_composed(name).replace("\\", "/").split("/"))
            if len(places) == 1:
                return places[0]
            if places:
                clips = ", ".join(str(key) for key, _ in places[:3])
                raise PoseError(
                    f"{where}: {len(places)} clips have a frame of that name ({clips}); write video/index/name"
                )
        raise PoseError(
            f"{where}: there is no such frame; extract it first, or write its name as video/index/00000.jpg"
            + self._nearest(_composed(image).replace("\\", "/").split("/")[-1])
        )

    def find_in_video(self, video: str, number: int, where: str) -> Place:
        """Clip and frame number of a frame of a competition's video, counted from 0, by the video's name.

        Raises PoseError beginning with ``where`` where no clip, or more than one, holds the frame.
        """
        name = _composed(video).replace("\\", "/").rsplit("/", 1)[-1]
        clips = self.by_video.get(name.rpartition(".")[0] or name, [])
        if not clips:
            raise PoseError(f"{where}: there is no clip of the video {name}; extract its dives first")
        found = [frames.key for frames in clips if number in frames.numbers]
        if len(found) == 1:
            return found[0], number
        if found:
            raise PoseError(f"{where}: {len(found)} clips hold frame {number} of {name} ({', '.join(map(str, found))})")
        held = ", ".join(f"{f.key}: {min(f.numbers)} to {max(f.numbers)}" for f in clips[:3])
        raise PoseError(f"{where}: no clip holds frame {number} of {name}; there is {held}")

    def _places(self, parts: list[str]) -> list[Place]:
        """The frames that a path may mean."""
        uploaded = [*parts[:-1], _UPLOADED.sub("", parts[-1], count=1)]
        for written in (parts, uploaded) if uploaded != parts else (parts,):
            for depth in (3, 2, 1):
                if len(written) >= depth and (place := self.by_path.get("/".join(written[-depth:]))):
                    return [place]
            if places := self.by_name.get(_own_path(written), []):
                return places
        return []

    def add(self, frames: FrameFolder) -> None:
        """Make a clip's frames known."""
        key = frames.key
        self.folders[key] = frames
        for stem in {_composed(key.video), PurePath(_composed(frames.source)).stem}:
            self.by_video[stem].append(frames)
        video, flat = _composed(key.video), _composed(flat_clip(key))
        for number, name in zip(frames.numbers, frames.names, strict=True):
            picture = frame_name(number)
            for path in (f"{video}/{key.index}/{picture}", f"{flat}/{picture}", f"{flat}__{picture}"):
                self.by_path[path] = (key, number)
            own = _composed(name)
            for path in (own, f"{video}/{own}", f"{video}/{key.index}/{own}"):
                self.by_name[path].append((key, number))

    def _nearest(self, name: str) -> str:
        """Says under which clips a picture of that bare name is, where there are such."""
        clips = [str(key) for key, _ in self.by_name.get(name, [])[:3]]
        return f" (a picture of that name is in {', '.join(clips)})" if clips else ""


def _own_path(parts: list[str]) -> str:
    """The path without the folders that tools put before it."""
    first = 0
    while first < len(parts) - 1:
        added = parts[first] in _ADDED_FOLDERS or (parts[first].isdigit() and "upload" in parts[:first])
        if not added:
            break
        first += 1
    return "/".join(parts[first:])


def _composed(name: str) -> str:
    """Accents in one spelling: macOS writes a letter and its accent apart (NFD), others together (NFC)."""
    return unicodedata.normalize("NFC", name)
