"""A decoded frame into the picture that is stored.

Scaling and turning are done in YUV, as the video is coded and as JPEG stores it. As ffmpeg does when it writes JPEG,
the range is widened to 0-255 and the colour matrix is kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import simplejpeg
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation, VideoReformatter

from finediving_pose.display import Display
from finediving_pose.frames import HEIGHT, scaled_width

JPEG_QUALITY = 95


class Picture(NamedTuple):
    """A frame as it is stored: JPEG bytes of quality 95, (width, height), and when the video shows it (ticks)."""

    jpeg: bytes
    size: tuple[int, int]
    time: int | None


class Scaler:
    """Decoded frame to JPEG; one for each thread, as it keeps its scaling tables.

    Parameters
    ----------
    display : turn and stretch pictures so where it is ``applied``; otherwise they stay as they are coded
    height : of the stored pictures, pixels; None keeps the video's own
    """

    def __init__(self, display: Display | None = None, height: int | None = HEIGHT) -> None:
        self._display, self._height = display or Display(), height
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> Picture:
        width, height = size = stored_size(frame.width, frame.height, self._display, self._height)
        turn = self._display.applied and self._display.turns
        if turn and self._display.on_its_side:
            width, height = height, width
        small = self._reformatter.reformat(
            frame, width=width, height=height, format="yuvj420p", interpolation=Interpolation.AREA
        )
        planes = [_padded(self._display.turn(_pixels(p)) if turn else _pixels(p)) for p in small.planes]
        return Picture(simplejpeg.encode_jpeg_yuv_planes(*planes, quality=JPEG_QUALITY), size, frame.pts)


def stored_size(width: int, height: int, display: Display, stored_height: int | None) -> tuple[int, int]:
    """(width, height) of the stored pictures of a video that is coded in a width and a height.

    ``stored_height`` None keeps the video's own. Turned pictures get even sides: a colour is stored for two by two
    pixels, which must not be torn apart.
    """
    display = display if display.applied else Display()
    shown_width, shown_height = display.shown_size(width, height)
    high = stored_height or max(1, round(shown_height))
    wide = scaled_width(shown_width, shown_height, high)
    return (wide + wide % 2, high + high % 2) if display.turns else (wide, high)


_BLOCK = 16
"""Luma pixels that JPEG codes at a time; the encoder reads on to the end of the last block of a row."""


def _pixels(plane: VideoPlane) -> np.ndarray:
    """A plane (height, width). Its rows are longer; what is there is left over from another frame."""
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[arg-type]
    return rows[:, : plane.width]


def _padded(pixels: np.ndarray) -> np.ndarray:
    """The same plane in memory where rows go on with their last pixel: no stray bytes get into the last block."""
    height, width = pixels.shape
    room = np.empty((-(-height // _BLOCK) * _BLOCK, -(-width // _BLOCK) * _BLOCK), np.uint8)
    room[:height, :width] = pixels
    room[:height, width:] = pixels[:, width - 1 : width]
    room[height:] = room[height - 1]
    return room[:height, :width]
