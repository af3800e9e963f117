"""The pictures of a clip as large as its video has them, where that video is still there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.display import Display
from finediving_pose.errors import FdposeError
from finediving_pose.frames import FrameFolder

ALIKE = 12.0
"""Grey levels by which a frame of the video, scaled down, may differ from the stored one on average.

Compression and scaling make up to 3; the frame before or after in a dive differs by more where the camera moves.
"""


def source_size(frames: FrameFolder) -> tuple[float, float] | None:
    """Width and height at which the clip's video is shown, in pixels; None where it is gone, or is no video.

    As the stored frames are: turned and stretched as the video asks for, if they are.
    """
    from finediving_pose.extraction.video import open_video

    if not Path(frames.source).is_file():
        return None
    try:
        info = open_video(Path(frames.source))
    except FdposeError:
        return None
    if not (info.width and info.height):
        return None
    return _display(frames).shown_size(info.width, info.height)


def pictures_of(frames: FrameFolder, height: int) -> Iterator[NDArray[np.uint8]]:
    """Every picture of a clip in its order, uint8 (h, w, 3), RGB: ``height`` high out of the video, else as stored.

    A frame of the video is taken only where it shows what the stored one does: the file may be another by now.

    Raises
    ------
    FrameError
        A stored picture is missing or damaged.
    """
    large = _from_video(frames, height) if height > frames.height and Path(frames.source).is_file() else iter(())
    upcoming = next(large, None)
    for number in frames.numbers:
        stored = frames.read(number)
        while upcoming and upcoming[0] < number:
            upcoming = next(large, None)
        if upcoming and upcoming[0] == number and _is_same(stored, upcoming[1]):
            yield upcoming[1]
        else:
            yield stored


def _from_video(frames: FrameFolder, height: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """(frame number, picture) of the video, as far as it can be read."""
    from finediving_pose.extraction.scaling import Scaler
    from finediving_pose.extraction.video import decode_frames, index_video
    from finediving_pose.jpeg import decode_jpeg

    path = Path(frames.source)
    wanted = [range(frames.numbers[0], frames.numbers[-1] + 1)]
    with suppress(FdposeError):
        scaler = Scaler(_display(frames), height)
        for number, picture in decode_frames(path, wanted, index_video(path), scaler):
            if picture is not None:
                yield number, decode_jpeg(picture.jpeg, f"{path}: frame {number}")


def _display(frames: FrameFolder) -> Display:
    """How the stored frames show the video."""
    return frames.display if frames.display and frames.display.applied else Display()


def _is_same(stored: NDArray[np.uint8], large: NDArray[np.uint8]) -> bool:
    height, width, _ = stored.shape
    small = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    return float(np.abs(small.astype(np.int16) - stored).mean()) < ALIKE
