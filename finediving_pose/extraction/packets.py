"""Which frames a video holds and where it can be entered, by its packets alone, nothing decoded.

Packets come in decoding order and carry the time at which their picture is
shown. Sorted by it they are the frames of a sequential decode, so a decoded
picture's time says its number wherever decoding began. That holds where every
packet is one picture with a time of its own (H.264 and H.265, not in AVI); packets that an
edit list cuts off are marked by the container and are no frames.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from itertools import accumulate, pairwise
from typing import Any

from av.error import FFmpegError
from av.video.frame import VideoFrame

_ONE_PICTURE_A_PACKET = ("h264", "hevc")

_TELLING = 50
"""Packets among which an encoder that puts pictures into another order does so."""


class PacketIndex:
    """The frames of a video by their times.

    Parameters
    ----------
    times : presentation time of every packet that is a frame, in decoding order, each once; stream's time base
    keys : which of them are key frames
    counted : whether the container says how many frames there are, so that none is missing unseen
    """

    def __init__(self, times: list[int], keys: list[bool], counted: bool = True) -> None:
        self.times = sorted(times)
        self.counted = counted
        self._number = {t: n for n, t in enumerate(self.times)}
        self._order = [self._number[t] for t in times]
        highest = list(accumulate(self._order, max))
        self._position = {n: p for p, n in enumerate(self._order)}
        self._settled = {n: highest[p] for p, n in enumerate(self._order)}
        self._key_positions = [p for p, key in enumerate(keys) if key and highest[p] == self._order[p]]
        self._keys = [self._order[p] for p in self._key_positions]

    def __len__(self) -> int:
        return len(self.times)

    def number(self, time: int | None) -> int | None:
        """Number of the frame with this time; None where no frame has it."""
        return None if time is None else self._number.get(time)

    def key_before(self, number: int) -> int:
        """Number of the last key frame not after this frame; everything from it on can be decoded from it."""
        at = bisect_right(self._keys, number)
        return self._keys[at - 1] if at else 0

    def key_frames(self) -> list[int]:
        """Numbers of the key frames, increasing."""
        return list(self._keys)

    def settled(self, number: int) -> int:
        """The highest frame decoded before this one: once it is there, damage that could touch this one has shown."""
        return self._settled[number]

    def touched_by(self, number: int) -> set[int]:
        """Frames that may show the damage of this one: all that are decoded from it on, to the next key frame.

        Pictures that come after that key frame but are shown before it refer to both sides and count as touched.
        """
        start = self._position[number]
        at = bisect_right(self._key_positions, start)
        if at == len(self._key_positions):
            return set(self._order[start:])
        end, key = self._key_positions[at], self._keys[at]
        leading = set()
        for n in self._order[end + 1 :]:
            if n > key:
                break
            leading.add(n)
        return set(self._order[start:end]) | leading

    @property
    def unsure(self) -> bool:
        """Whether damage may have cost packets unseen: nobody counts them, and their times have gaps."""
        if self.counted:
            return False
        steps = [b - a for a, b in pairwise(self.times)]
        return bool(steps) and max(steps) > 1.5 * sorted(steps)[len(steps) // 2]


def index_packets(container: Any, stream: Any) -> PacketIndex | None:
    """Read all packets of a stream; None where they do not name the frames for sure.

    In a file that is cut short, frames are left out that follow, in time, one that may be missing.
    """
    if stream.codec_context.name not in _ONE_PICTURE_A_PACKET:
        return None
    packets, whole = _packets(container, stream)
    if not packets or not packets[0].is_keyframe or any(p.pts is None for p in packets):
        return None
    expected = _expected(container, stream)
    whole = whole and len(packets) >= expected
    if not are_shown_times(container, stream, [p.pts for p in packets]):
        return None
    frames = [p for p in packets if not p.is_discard]
    if len({p.pts for p in frames}) < len(frames) or any(p.pts < packets[0].pts for p in frames):
        return None
    if not whole or not expected:
        if packets[-1].dts is None:
            return None
        # a missing packet is decoded later than the last one, and shown later than it is decoded
        sure = packets[-1].dts if not whole else _before_gap(frames, packets[-1].dts)
        frames = [p for p in frames if p.pts <= sure]
    return PacketIndex([p.pts for p in frames], [p.is_keyframe for p in frames], counted=bool(expected))


def are_shown_times(container: Any, stream: Any, times: list[int | None]) -> bool:
    """Whether the packets' times, in decoding order, are those at which their pictures are shown.

    AVI has no times, and some tools write Matroska in its manner: FFmpeg then counts packets as they are decoded. In a
    stream whose decoder puts pictures into another order such times would rise all the same; few packets tell nothing.
    """
    if "avi" in container.format.name.split(","):
        return not stream.codec_context.has_b_frames
    known = [t for t in times if t is not None]
    rise = len(known) >= _TELLING and all(a < b for a, b in pairwise(known))
    return not (stream.codec_context.has_b_frames and rise)


def _packets(container: Any, stream: Any) -> tuple[list[Any], bool]:
    """Packets in decoding order, and whether they were read to the end of the file."""
    packets: list[Any] = []
    try:
        for packet in container.demux(stream):
            if packet.size:
                packets.append(_Packet(packet))
    except FFmpegError:
        return packets, False
    whole = not (packets and packets[-1].is_corrupt)
    return packets if whole else packets[:-1], whole


class _Packet:
    """What is kept of a packet: not its bytes."""

    __slots__ = ("dts", "duration", "is_corrupt", "is_discard", "is_keyframe", "pts")

    def __init__(self, packet: Any) -> None:
        self.pts, self.dts, self.duration = packet.pts, packet.dts, packet.duration
        self.is_keyframe, self.is_discard, self.is_corrupt = packet.is_keyframe, packet.is_discard, packet.is_corrupt


def _expected(container: Any, stream: Any) -> int:
    """Packets that the container counts, what its edit list cuts off left out; 0 where it does not count."""
    return len(stream.index_entries) if "mov" in container.format.name else stream.frames


def _before_gap(frames: list[_Packet], dts: int) -> int:
    """Time of the last frame that no gap precedes among those that no later packet vouches for."""
    ordered = sorted(frames, key=lambda p: p.pts)
    for before, after in pairwise(ordered):
        if after.pts > dts and before.duration and after.pts - before.pts > 1.5 * before.duration:
            return before.pts
    return ordered[-1].pts if ordered else dts


class DueFrames:
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
