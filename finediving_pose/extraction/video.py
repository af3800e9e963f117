"""Frame-exact ranges out of a video.

Frame ``i`` is the ``i``-th picture of one sequential decode, in presentation
order, counted from 0. Pictures come as they are coded; how the container asks
to show them is told by :mod:`finediving_pose.extraction.presentation`.

Nothing is ever looked up by "frame n", which containers answer with the
nearest key frame. Where the packets' times name every frame
(:mod:`finediving_pose.extraction.packets`), frames are known by their times, a seek
goes to a key frame before what is wanted, and damage costs the frames that it
touches; elsewhere frames are counted from the start of the file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import av
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame

from finediving_pose.bounds import check_pixels, max_pixels
from finediving_pose.errors import VideoError
from finediving_pose.extraction.packets import DueFrames, PacketIndex, are_shown_times, index_packets

Picture = TypeVar("Picture")

SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".vob", ".3gp",
    ".3g2", ".wmv", ".asf", ".flv", ".f4v", ".ogv", ".mxf",
)  # fmt: skip

_WORTH_A_SEEK = 12
"""Frames that a seek must leave out: it costs as much as decoding a few, as the decoder starts empty."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video's header says. ``n_frames`` is None where the container does not count them.

    ``tick`` is the step in seconds in which frames' times are counted; ``others`` describes the video streams that
    are not read, where there are several.
    """

    path: Path
    fps: float | None
    n_frames: int | None
    width: int
    height: int
    tick: float
    others: tuple[str, ...] = ()

    @property
    def choice(self) -> str | None:
        """What to tell where there was a choice of streams."""
        if not self.others:
            return None
        return (
            f"{self.path}: holds {len(self.others) + 1} video streams; the largest is taken,"
            f" {self.width} x {self.height}, and not {' or '.join(self.others)}"
        )


def open_video(path: Path) -> VideoInfo:
    """Read a video's header. Raises VideoError where the file is no video or its header is missing."""
    with opened(path) as (container, stream):
        return replace(_info(path, stream), others=tuple(_size(s) for s in _pictures(container) if s is not stream))


def index_video(path: Path) -> PacketIndex | None:
    """Which frames the video holds, by its packets, nothing decoded; None where packets don't tell for sure."""
    with opened(path) as (container, stream):
        return index_packets(container, stream)


def has_times_of_showing(path: Path) -> bool:
    """Whether the packets carry the times at which their pictures are shown, by the first few hundred of them."""
    times: list[int | None] = []
    with opened(path) as (container, stream):
        with suppress(FFmpegError):
            for packet in islice(container.demux(stream), _ENOUGH_PACKETS):
                times += [packet.pts] if packet.size else []
        return are_shown_times(container, stream, times)


_ENOUGH_PACKETS = 300
"""Packets among which there are pictures out of order, where a video has any: some groups of pictures."""


def count_frames(path: Path) -> int:
    """Number of frames, by decoding them all. Raises VideoError where one can't be decoded."""
    with opened(path) as (container, stream):
        return sum(1 for _ in _decode(path, container, stream))


def decode_frames(
    path: Path,
    ranges: Sequence[range],
    index: PacketIndex | None,
    convert: Callable[[VideoFrame], Picture],
    threads: int = 0,
) -> Iterator[tuple[int, Picture | None]]:
    """Every frame of the ranges once, converted, in the order of the numbers; None for one that damage has cost.

    ``index`` is :func:`index_video` of the same file, made once and passed on. With it, frames that nobody
    wants are passed over by seeks. ``convert`` is called at once on the decoder's frame, which need not be kept.

    Raises
    ------
    VideoError
        The video ends before a range does, or is damaged where frames can only be counted.
    """
    wanted = merged(ranges)
    if not wanted:
        return
    if index is None:
        yield from _counted(path, wanted, convert, threads)
        return
    there = merged([range(r.start, min(r.stop, len(index))) for r in wanted])
    yield from _indexed(path, there, index, convert, threads)
    if wanted[-1].stop > len(index):
        raise VideoError(ends_early(open_video(path), len(index), wanted[-1].stop))


def merged(ranges: Sequence[range]) -> list[range]:
    """The same frame numbers as increasing ranges that do not touch."""
    result: list[range] = []
    for r in sorted((r for r in ranges if len(r)), key=lambda r: r.start):
        if result and r.start <= result[-1].stop:
            result[-1] = range(result[-1].start, max(result[-1].stop, r.stop))
        else:
            result.append(r)
    return result


def ends_early(info: VideoInfo, found: int, needed: int) -> str:
    """What to say where ``needed`` frames are asked for and ``found`` are there."""
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
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The container, and its largest stream of moving pictures. Raises VideoError where there is none."""
    if not path.is_file():
        raise VideoError(f"{path}: no such video; check the name in the label file")
    try:
        container = av.open(path, metadata_errors="replace")
    except (FFmpegError, OSError) as e:
        size = path.stat().st_size
        raise VideoError(
            f"{path}: not a video, or cut short so that its index is missing ({size:,} bytes);"
            " expected a video such as MP4, MKV, AVI, MOV, WebM or TS; fetch it again"
        ) from e
    with container:
        streams = _pictures(container)
        if container.format.name.endswith(("_pipe", "image2")):  # FFmpeg's readers of single pictures
            kind = streams[0].codec_context.name if streams else "of an unknown kind"
            raise VideoError(f"{path}: a single picture ({kind}), not a video; give a folder of pictures as --frames")
        if not streams:
            raise VideoError(f"{path}: holds no pictures ({_contents(container)}); expected a video stream")
        stream = max(streams, key=lambda s: (s.codec_context.width * s.codec_context.height, _is_default(s), -s.index))
        check_pixels(stream.codec_context.width, stream.codec_context.height, str(path), VideoError)
        stream.codec_context.options = {"max_pixels": str(max_pixels())}  # the size may change on the way
        yield container, stream


def _pictures(container: Any) -> list[Any]:
    """The streams that are moving pictures: no cover, no thumbnails of chapters."""
    still = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    streams = (s for s in container.streams.video if s.codec_context and s.codec_context.width)
    return [s for s in streams if not s.disposition & still]


def _is_default(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.default)


def _size(stream: Any) -> str:
    return f"stream {stream.index} ({stream.codec_context.width} x {stream.codec_context.height})"


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
        float(stream.time_base or 0),
    )


# -- known by their times -------------------------------------------------------------------------------------------


def _indexed(
    path: Path, wanted: list[range], index: PacketIndex, convert: Callable[[VideoFrame], Picture], threads: int
) -> Iterator[tuple[int, Picture | None]]:
    """Run by run; what a run lacks after a seek is tried again from the start of the file, which alone can tell."""
    for entry, ranges in _runs(wanted, index):
        left = deque(n for r in ranges for n in r)
        for start in dict.fromkeys((entry, 0)):
            for number, picture in _run(path, start, list(left), index, convert, threads) if left else ():
                if picture is None and start:
                    break
                yield number, picture
                left.popleft()


def _runs(wanted: list[range], index: PacketIndex) -> list[tuple[int, list[range]]]:
    """Ranges to read in one go, and the key frame to start from; 0 is the start of the file, without a seek."""
    runs: list[tuple[int, list[range]]] = [(0, [])]
    here = 0
    for r in wanted:
        key = index.key_before(r.start)
        if key - here >= _WORTH_A_SEEK:
            runs.append((key, []))
        runs[-1][1].append(r)
        here = r.stop
    return [run for run in runs if run[1]]


def _run(
    path: Path,
    start: int,
    wanted: list[int],
    index: PacketIndex,
    convert: Callable[[VideoFrame], Picture],
    threads: int,
) -> Iterator[tuple[int, Picture | None]]:
    """The wanted frames of one run. A frame waits until those decoded before it are there, so that damage has shown."""
    waiting: deque[int] = deque(wanted)
    pictures: dict[int, Picture] = {}
    lost: set[int] = set()
    chosen, due, last = set(wanted), start, index.settled(wanted[-1])
    with opened(path) as (container, stream):
        for frame in _decoded(container, stream, index.times[start] if start else None, threads):
            number = index.number(frame.pts)
            if number is None or number < due:
                continue
            for n in [*range(due, number), *([number] if frame.is_corrupt else [])]:
                if n not in lost:
                    lost |= index.touched_by(n)
            due = number + 1
            if number in chosen and number not in lost:
                pictures[number] = convert(frame)
            while waiting and index.settled(waiting[0]) < due:
                n = waiting.popleft()
                yield n, None if n in lost else pictures.pop(n, None)
            if due > last or (lost and index.unsure):
                break
    if lost and index.unsure:
        raise VideoError(_damaged(path, min(lost)))
    for n in range(due, min(last + 1, len(index))):
        if n not in lost:
            lost |= index.touched_by(n)
    yield from ((n, None if n in lost else pictures.get(n)) for n in waiting)


def _decoded(container: Any, stream: Any, time: int | None, threads: int) -> Iterator[VideoFrame]:
    """Frames from the key frame at ``time`` on, or all; what can't be decoded is left out, the rest goes on."""
    codec = stream.codec_context
    codec.thread_count, codec.thread_type = threads, "AUTO"
    codec.options = {
        **codec.options,
        "err_detect": "explode",
    }  # damage is an error, not a picture patched up from its neighbours
    if time is not None:
        container.seek(time, stream=stream)
    try:
        for packet in container.demux(stream):
            if packet.size and not packet.is_corrupt:
                with suppress(FFmpegError):
                    yield from packet.decode()
    except FFmpegError:
        pass
    for _ in range(_MOST_DELAYED):  # an error ends one call, not what waits behind it
        with suppress(FFmpegError):
            yield from codec.decode(None)
            return


_MOST_DELAYED = 64
"""Frames that may wait in a decoder at the end: its reordering and one a thread."""


# -- counted --------------------------------------------------------------------------------------------------------


def _counted(
    path: Path, wanted: list[range], convert: Callable[[VideoFrame], Picture], threads: int
) -> Iterator[tuple[int, Picture]]:
    last, number = wanted[-1].stop, 0
    with opened(path) as (container, stream):
        info = _info(path, stream)
        stream.codec_context.thread_count = threads
        for frame in _decode(path, container, stream):
            if any(number in r for r in wanted):
                yield number, convert(frame)
            number += 1
            if number == last:
                return
    raise VideoError(ends_early(info, number, last))


def _decode(path: Path, container: Any, stream: Any) -> Iterator[VideoFrame]:
    """All frames in presentation order, up to the point from which they can't be counted for sure.

    Where the file is cut short, frames that wait in the decoder for their
    neighbours are left out: with a neighbour missing they would be miscounted.
    A cut shows in a packet cut in two, in fewer packets than the header counts,
    or, where it does not count them, in a gap among the frames that waited.
    Decoders hide damage inside a file; there the first frame that they mark or
    drop is an error. Where packets don't carry the times at which pictures are
    shown (H.264 in AVI), the decoder's order counts, and damage is what it reports.
    """
    stream.thread_type = "AUTO"
    number = packets = 0
    before: VideoFrame | None = None
    shown = has_times_of_showing(path)
    due = DueFrames(stream.codec_context.name if shown else "")
    if not shown:
        stream.codec_context.options = {**stream.codec_context.options, "err_detect": "explode"}
    try:
        for packet in container.demux(stream):
            at_end = not packet.size
            if packet.is_corrupt or (at_end and packets < stream.frames):
                return
            packets += 1
            due.expect(packet)
            for frame in packet.decode():
                if shown and at_end and not stream.frames and before and _gap(before, frame):
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
