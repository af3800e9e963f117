"""Frame-exact ranges out of a video.

Frame ``i`` is the ``i``-th picture of one sequential decode, in presentation
order, counted from 0. Frames are counted as they are decoded; nothing is ever
looked up by "frame n", which containers answer with the nearest key frame.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from finediving_pose.errors import VideoError
from finediving_pose.frames import HEIGHT, scaled_width

SUFFIXES = (".mp4", ".mkv", ".avi", ".mov", ".webm")


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video's header says. ``n_frames`` is None where the container does not count them."""

    path: Path
    fps: float | None
    n_frames: int | None
    width: int
    height: int


def open_video(path: Path) -> VideoInfo:
    """Read a video's header. Raises VideoError where the file is no video or its header is missing."""
    with _open(path) as (_, stream):
        return _info(path, stream)


def read_ranges(
    path: Path, ranges: Sequence[range], height: int = HEIGHT, threads: int = 0
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Decode the video once and yield the frames of every range, in decode order.

    Parameters
    ----------
    path : the video
    ranges : ranges of frame numbers (step 1), in any order, overlapping or not
    height : height of the frames, pixels; the width keeps the proportion
    threads : decoder threads, 0 for as many as there are cores

    Yields
    ------
    index of the range, frame number, uint8 (height, width, 3) RGB

    Raises
    ------
    VideoError
        The file is no video, a frame can't be decoded, or the video ends before a range does;
        the ranges that end before that point have been yielded whole.
    """
    last = max((r.stop for r in ranges if len(r)), default=0)
    if last == 0:
        return
    with _open(path) as (container, stream):
        info = _info(path, stream)
        size = (scaled_width(info.width, info.height, height), height)
        stream.codec_context.thread_count = threads
        number = 0
        for frame in _decode(path, container, stream):
            wanted = [i for i, r in enumerate(ranges) if number in r]
            if wanted:
                rgb = frame.to_ndarray(format="rgb24", width=size[0], height=size[1], interpolation=Interpolation.AREA)
                for i in wanted:
                    yield i, number, rgb
            number += 1
            if number == last:
                return
    raise VideoError(_ends_early(info, number, last))


def _ends_early(info: VideoInfo, found: int, needed: int) -> str:
    if info.n_frames is not None and found < info.n_frames:
        return (
            f"{info.path}: cut short; frames up to {needed - 1} are asked for, the header promises {info.n_frames:,},"
            f" but only {found:,} can be decoded; fetch the video again"
        )
    return (
        f"{info.path}: frames up to {needed - 1} are asked for, but the video has only {found:,} (0 to {found - 1});"
        " check that the labels belong to this video, or correct end_frame"
    )


@contextmanager
def _open(path: Path) -> Iterator[tuple[Any, Any]]:
    if not path.is_file():
        raise VideoError(f"{path}: no such video; check the name in the label file")
    try:
        container = av.open(path, metadata_errors="replace")
    except (FFmpegError, OSError) as e:
        size = path.stat().st_size
        raise VideoError(
            f"{path}: not a video, or cut short so that its index is missing ({size:,} bytes);"
            " expected MP4, MKV, AVI, MOV or WebM; fetch it again"
        ) from e
    with container:
        stream = next(iter(container.streams.video), None)
        if stream is None or not stream.codec_context or not stream.codec_context.width:
            raise VideoError(f"{path}: holds no pictures ({_contents(container)}); expected a video stream")
        yield container, stream


def _contents(container: Any) -> str:
    return ", ".join(sorted({s.type for s in container.streams})) or "no streams"


def _info(path: Path, stream: Any) -> VideoInfo:
    rate = stream.average_rate or stream.guessed_rate
    return VideoInfo(
        path,
        float(rate) if rate else None,
        stream.frames or None,
        stream.codec_context.width,
        stream.codec_context.height,
    )


def _decode(path: Path, container: Any, stream: Any) -> Iterator[VideoFrame]:
    """All frames in presentation order, up to the point from which they can't be counted for sure.

    Where the file is cut short, frames that wait in the decoder for their
    neighbours are left out: with a neighbour missing they would be miscounted.
    A cut shows in a packet cut in two, in fewer packets than the header counts,
    or, where it does not count them, in a gap among the frames that waited.
    Decoders hide damage inside a file; there the first frame that they mark or
    drop is an error.
    """
    stream.thread_type = "AUTO"
    number = packets = 0
    before: VideoFrame | None = None
    due = _Due(stream.codec_context.name)
    try:
        for packet in container.demux(stream):
            at_end = not packet.size
            if packet.is_corrupt or (at_end and packets < stream.frames):
                return
            packets += 1
            due.expect(packet)
            for frame in packet.decode():
                if at_end and not stream.frames and before and _gap(before, frame):
                    return
                if frame.is_corrupt or due.skipped(frame):
                    raise VideoError(_damaged(path, number))
                yield frame
                before = frame
                number += 1
    except FFmpegError as e:
        raise VideoError(_damaged(path, number)) from e


def _damaged(path: Path, number: int) -> str:
    return (
        f"{path}: damaged near frame {number}, from where frames can't be counted for sure; fetch the video again,"
        " or write it anew with a tool that mends it and check its labels"
    )


def _gap(before: VideoFrame, frame: VideoFrame) -> bool:
    if before.pts is None or frame.pts is None or not before.duration:
        return False
    return frame.pts - before.pts > 1.5 * before.duration


class _Due:
    """Which frames are due, by the times of the packets; H.264 and H.265 only, where every packet is a frame.

    What precedes the first key frame is not due: a video cut out of another may
    start with frames that refer to what was cut off.
    """

    def __init__(self, codec: str) -> None:
        self._known = codec in ("h264", "hevc")
        self._start: int | None = None
        self._times: list[int] = []

    def expect(self, packet: Any) -> None:
        if not self._known or packet.pts is None or packet.is_discard:
            return
        if self._start is None and packet.is_keyframe:
            self._start = packet.pts
        heapq.heappush(self._times, packet.pts)

    def skipped(self, frame: VideoFrame) -> bool:
        """Whether a frame that was due before this one never came."""
        if frame.pts is None or self._start is None:
            return False
        while self._times and self._times[0] <= frame.pts:
            due = heapq.heappop(self._times)
            if self._start <= due < frame.pts:
                return True
        return False
