"""The pictures of a few clips, decoded when they are needed, no more bytes of them at hand than a limit."""

from __future__ import annotations

from threading import Lock

import numpy as np

from annotate.track import colours, cuts
from finediving_pose.errors import FdposeError, FrameError
from finediving_pose.frames import FrameFolder

KEPT_BYTES = 180_000_000
"""Of pictures kept decoded for the second look, 512 at 455 x 256; what is beyond is decoded again."""


class Pictures:
    """Frames of clips, by clip and position. A clip with a damaged picture is noted in ``failed``; the others go on.

    May be read from several threads.
    """

    def __init__(self, folders: list[FrameFolder], kept_bytes: int = KEPT_BYTES) -> None:
        self.folders, self.kept_bytes = folders, kept_bytes
        self._bytes_at_hand = 0
        self._lock = Lock()
        self.failed: dict[int, FdposeError] = {}
        self._at_hand: dict[tuple[int, int], np.ndarray] = {}
        self._colours: dict[tuple[int, int], np.ndarray] = {}

    def read(self, clip: int, position: int) -> np.ndarray:
        """One picture, uint8 (height, width, 3), RGB; black where the clip has failed."""
        found = self._at_hand.get((clip, position))
        if found is not None:
            return found
        folder = self.folders[clip]
        try:
            picture = folder.read(folder.numbers[position])
            _check_size(folder, position, picture)
        except FdposeError as e:
            self.failed.setdefault(clip, e)
            return np.zeros((folder.height, folder.width, 3), np.uint8)
        if (clip, position) not in self._colours:
            self._colours[clip, position] = colours(picture)
        with self._lock:
            if (clip, position) not in self._at_hand and self._bytes_at_hand + picture.nbytes <= self.kept_bytes:
                self._at_hand[clip, position] = picture
                self._bytes_at_hand += picture.nbytes
        return picture

    def cuts(self, clip: int) -> np.ndarray:
        """Positions at which a new shot begins, once all frames of the clip were read; none in a failed clip."""
        if clip in self.failed:
            return np.zeros(0, int)
        return cuts(np.stack([self._colours[clip, i] for i in range(len(self.folders[clip].numbers))]))


def _check_size(folder: FrameFolder, position: int, picture: np.ndarray) -> None:
    height, width = picture.shape[:2]
    if (width, height) != (folder.width, folder.height):
        raise FrameError(
            f"{folder.key}: frame {folder.path(folder.numbers[position]).name} is {width} x {height}, the clip's frames"
            f" are {folder.width} x {folder.height}; extract it again with: fdpose extract --clip {folder.key} --force"
        )
