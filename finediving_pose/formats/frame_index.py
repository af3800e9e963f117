"""Which frame of the data directory does a picture's name mean?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.frames import FrameFolder, frame_name, is_complete, open_frames
from finediving_pose.workspace import Workspace

Place = tuple[ClipKey, int]


def flat_clip(key: ClipKey) -> str:
    """One folder name for a clip, for tools that keep all clips in one folder: ``<video>__<index>``."""
    return f"{key.video}__{key.index}"


class FrameIndex:
    """Finds the frame that a picture's name means.

    ``<video>/<index>/<number>.jpg`` (longer paths ending so, too), the flat forms of it that the
    exports write (``<video>__<index>/<number>.jpg``, ``<video>__<index>__<number>.jpg``), or else
    the bare file name that the frame had where it came from, as each clip's ``clip.json`` records it.
    """

    def __init__(self, workspace: Workspace, clips: Sequence[Clip]) -> None:
        self.folders: dict[ClipKey, FrameFolder] = {}
        self.by_path: dict[str, Place] = {}
        self.by_name: dict[str, list[Place]] = defaultdict(list)
        for clip in clips:
            if is_complete(workspace, clip.key):
                self._add(open_frames(workspace, clip.key))

    def find(self, image: str, where: str) -> Place:
        """Clip and frame number. Raises PoseError beginning with ``where`` for no frame or several."""
        parts = image.replace("\\", "/").split("/")
        for depth in (3, 2, 1):
            if len(parts) >= depth and (place := self.by_path.get("/".join(parts[-depth:]))):
                return place
        places = self.by_name.get(parts[-1], []) if len(parts) == 1 else []
        if len(places) == 1:
            return places[0]
        if places:
            clips = ", ".join(str(key) for key, _ in places[:3])
            raise PoseError(f"{where}: {len(places)} clips have a frame of that name ({clips}); write video/index/name")
        raise PoseError(
            f"{where}: there is no such frame; extract it first, or write its name as video/index/00000.jpg"
        )

    def _add(self, frames: FrameFolder) -> None:
        key, flat = frames.key, flat_clip(frames.key)
        self.folders[key] = frames
        for number, name in zip(frames.numbers, frames.names, strict=True):
            picture = frame_name(number)
            for path in (f"{key}/{picture}", f"{flat}/{picture}", f"{flat}__{picture}"):
                self.by_path[path] = (key, number)
            self.by_name[Path(name).name].append((key, number))
