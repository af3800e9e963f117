"""How a video asks to be played: turned, with pixels that are not square, slower than it was filmed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from av.error import FFmpegError
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

from finediving_pose.display import Display, rotation_of
from finediving_pose.errors import VideoError
from finediving_pose.extraction.video import opened

WIDEST_PIXEL = 4.0
"""Width by height of a pixel (or height by width) above which a declared aspect is taken for an error."""

_FILMED_AT = "com.android.capture.fps"
"""Where Android's cameras note the frames a second at which a slow motion was filmed."""

_SLOW_FROM = 1.5
"""Times by which filming must have been faster: a phone set to 30 frames a second stores 24 in the dark."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a video asks of its player.

    Attributes
    ----------
    display : how its pictures are meant to be seen
    slowed : times by which it plays slower than it was filmed; 1 where nothing says so
    odd_aspect : width of a pixel by its height as declared, where no camera has such pixels; taken as square
    """

    display: Display
    slowed: float = 1.0
    odd_aspect: float | None = None

    def applied(self, path: Path) -> Presentation:
        """The same for frames that are stored as they are meant to be seen.

        Raises VideoError where the video asks to be turned by what is no quarter turn.
        """
        if not self.display.is_quarter:
            raise VideoError(
                f"{path}: asks to be turned by {self.display.rotation:g} degrees; only quarter turns are applied; turn"
                " it first, with: ffmpeg -i INPUT OUTPUT"
            )
        return replace(self, display=replace(self.display, applied=True))

    def as_coded(self) -> Presentation:
        """The same for frames that are stored as they are coded, and timed as they are played."""
        return replace(self, slowed=1.0)

    def notes(self, path: Path) -> list[str]:
        """What a person has to know of frames that were stored as shown."""
        notes = []
        if not self.display.applied:
            return notes
        if self.display.mirrored:
            notes.append(
                f"{path}: asks to be shown mirrored; its frames are stored so: check that left is the diver's left"
            )
        if self.slowed != 1:
            notes.append(
                f"{path}: plays {self.slowed:.3g} times slower than it was filmed, by its own note; frame rate and"
                " times are those of filming"
            )
        if self.odd_aspect:
            notes.append(f"{path}: declares pixels {self.odd_aspect:g} times as wide as high; they are taken as square")
        return notes


def read_presentation(path: Path) -> Presentation:
    """Read it from the container and the first frame. Raises VideoError where the file is no video."""
    with opened(path) as (container, stream):
        frame = _first_frame(container, stream)
        rotation, mirrored = rotation_of(_matrix(frame)) if frame else (0.0, False)
        aspect = float(stream.sample_aspect_ratio or 1) or 1.0
        odd = not 1 / WIDEST_PIXEL <= aspect <= WIDEST_PIXEL
        display = Display(rotation, mirrored, 1.0 if odd else aspect)
        return Presentation(display, _slowed(container, stream), aspect if odd else None)


def _first_frame(container: Any, stream: Any) -> VideoFrame | None:
    """The first that can be decoded, None where there is none."""
    with suppress(FFmpegError):
        for packet in container.demux(stream):
            with suppress(FFmpegError):
                for frame in packet.decode():
                    return frame
    return None


_AS_CODED = (1, 0, 0, 0, 1, 0, 0, 0, 1)


def _matrix(frame: VideoFrame) -> tuple[int, ...]:
    """The nine numbers of the display matrix, that of pictures shown as they are coded where there is none."""
    with suppress(KeyError):
        return tuple(np.frombuffer(frame.side_data[Type.DISPLAYMATRIX], np.int32).tolist())  # type: ignore[arg-type]
    return _AS_CODED


def _slowed(container: Any, stream: Any) -> float:
    played = stream.average_rate or stream.guessed_rate
    try:
        ratio = float(container.metadata.get(_FILMED_AT, "")) / float(played)
    except (TypeError, ValueError, ZeroDivisionError):
        return 1.0
    return ratio if _SLOW_FROM <= ratio < float("inf") else 1.0
