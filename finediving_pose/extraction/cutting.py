"""The clips of one video into their frame folders: the work of one process on one video.

A video's groups of pictures are shared out among threads, each of which
decodes, scales and encodes its part; all three leave Python's lock alone, so
they overlap.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError, FrameError, VideoError
from finediving_pose.extraction import video as media
from finediving_pose.extraction.packets import PacketIndex
from finediving_pose.extraction.presentation import Presentation, read_presentation
from finediving_pose.extraction.scaling import Picture, Scaler
from finediving_pose.extraction.writer import FrameWriter
from finediving_pose.frames import frame_name, is_complete, open_frames, torn_picture
from finediving_pose.replacing import recover
from finediving_pose.workspace import Workspace

_PARTS_A_THREAD = 4
"""So that threads finish together although groups of pictures differ in length."""


_DECODER_THREADS = 2
"""Threads of each part's decoder: one decodes on while the part's own thread scales and encodes."""


@dataclass(frozen=True, slots=True)
class CutResult:
    """The clips of a video that failed, and why; the others are there. ``notes`` are what to know of the video."""

    failed: dict[ClipKey, FdposeError]
    notes: tuple[str, ...] = ()


def cut_video(
    workspace: Workspace,
    threads: int,
    force: bool,
    dives: frozenset[ClipKey],
    size: int | None,
    work: tuple[Path, Sequence[Clip]],
) -> CutResult:
    """Write the frames of one video's clips.

    A clip is written whole or not at all: one that damage cost a frame fails, and its error names the frames.
    Frames are numbered by the video, so what follows the damage is exact.

    Clips of no data set (source "unlabelled") are stored as their video asks to be shown. Those of a data set stay as
    they are coded, since its boxes and joints count the pixels so.

    Parameters
    ----------
    threads : share the video among this many
    force : make clips again that are complete
    dives : clips whose video is the dive itself, all of it; numbered as the labels say where their count is the
        same, else from 0
    size : height of the stored frames, None for the video's own
    work : the video, and clips with a frame range each, or one of ``dives``

    Raises
    ------
    VideoError
        The file is no video, or asks to be turned by an angle that is no quarter turn.
    """
    path, clips = work
    if not force:  # a second try after a killed worker keeps what the first one finished
        clips = [c for c in clips if not is_there(workspace, c.key)]
    info, index = media.open_video(path), media.index_video(path)
    failed: dict[ClipKey, FdposeError] = {}
    shift = 0
    if clips and clips[0].key in dives:
        clips, shift = _all_of_it(clips[0], len(index) if index else media.count_frames(path))
    elif index is not None:
        short = [c for c in clips if _stop(c) > len(index)]
        failed = {c.key: lacking(c, media.ends_early(info, len(index), _stop(c))) for c in short}
        clips = [c for c in clips if c.key not in failed]
    own = all(c.source == "unlabelled" for c in clips)
    asked = read_presentation(path).applied(path) if own else read_presentation(path).as_coded()
    job = _Cutting(workspace, info, asked, size, clips, shift)
    try:
        n_parts = threads * _PARTS_A_THREAD if threads > 1 else 1
        parts = _parts([c.frame_range or range(0) for c in clips], index, n_parts)
        if len(parts) <= 1:
            job.run(index, parts[0] if parts else [], threads)
        else:
            _in_threads(job, index, parts, threads)
    finally:
        job.close()
    return CutResult(failed | job.failed, (*([info.choice] if info.choice else []), *asked.notes(path)))


def _all_of_it(clip: Clip, n: int) -> tuple[list[Clip], int]:
    """The clip as frames 0 to n - 1 of its own video, and what to add to them for the labels' numbers."""
    if not n:
        raise VideoError(f"{clip.key}: its video holds no frames; fetch it again")
    labels = clip.frame_range
    shift = labels.start if labels and len(labels) == n else 0
    return [replace(clip, start_frame=0, end_frame=n - 1)], shift


def _stop(clip: Clip) -> int:
    return (clip.frame_range or range(0)).stop


def is_there(workspace: Workspace, key: ClipKey) -> bool:
    """Whether a clip is complete and its pictures whole, once what a killed run left is cleared away."""
    recover(workspace.frame_folder(key))
    try:
        return is_complete(workspace, key) and torn_picture(open_frames(workspace, key)) is None
    except FrameError:
        return False


def _parts(ranges: Sequence[range], index: PacketIndex | None, n: int) -> list[list[range]]:
    """The frame numbers in up to ``n`` parts of about the same work, none sharing a group of pictures."""
    wanted = media.merged(ranges)
    if index is None or n <= 1 or not wanted:
        return [wanted]
    groups = _by_group(wanted, index.key_frames())
    work = [sum(map(len, rs)) + rs[-1].stop - key for key, rs in groups]
    total, done = sum(work), 0
    share: list[int] = []
    for w in work:
        share.append(min(n - 1, (2 * done + w) * n // (2 * total)))
        done += w
    parts = groupby(zip(share, groups, strict=True), key=lambda x: x[0])
    return [media.merged([r for _, (_, rs) in part for r in rs]) for _, part in parts]


def _by_group(wanted: list[range], keys: list[int]) -> list[tuple[int, list[range]]]:
    """The ranges cut at the key frames, as (key frame, its ranges)."""
    groups: dict[int, list[range]] = {}
    for r in wanted:
        start = r.start
        while start < r.stop:
            at = bisect_right(keys, start)
            stop = min(keys[at] if at < len(keys) else r.stop, r.stop)
            groups.setdefault(keys[at - 1] if at else 0, []).append(range(start, stop))
            start = stop
    return list(groups.items())


def _in_threads(job: _Cutting, index: PacketIndex | None, parts: list[list[range]], threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        try:
            for future in [pool.submit(job.run, index, part, _DECODER_THREADS) for part in parts]:
                future.result()
        except BaseException:
            job.stop.set()
            raise


class _Cutting:
    """The clips of one video while their frames come in, from several threads."""

    def __init__(
        self,
        workspace: Workspace,
        info: media.VideoInfo,
        asked: Presentation,
        size: int | None,
        clips: Sequence[Clip],
        shift: int,
    ) -> None:
        self.path, self.workspace, self.shift = info.path, workspace, shift
        self._info, self._asked, self._size = info, asked, size
        self.stop = threading.Event()
        self.failed: dict[ClipKey, FdposeError] = {}
        self._clips = list(clips)
        self._lock = threading.Lock()
        self._writers: dict[ClipKey, FrameWriter] = {}
        self._left = {c.key: len(c.frame_range or ()) for c in clips}
        self._lost: dict[ClipKey, list[int]] = {}
        self._done: set[ClipKey] = set()
        self._disk = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None

    def run(self, index: PacketIndex | None, ranges: list[range], threads: int) -> None:
        """Decode these frames and hand them to their clips; what goes wrong is noted for the clips that it stops."""
        try:
            scaler = Scaler(self._asked.display, self._size)
            for number, picture in media.decode_frames(self.path, ranges, index, scaler, threads):
                if self.stop.is_set():
                    return
                for clip in self._clips:
                    if number in (clip.frame_range or ()) and clip.key not in self.failed:
                        self._place(clip, number, picture)
        except VideoError as e:
            self._fail_rest({c.key: lacking(c, e) for c in self._clips})
        except FdposeError as e:
            self._give_up(e)

    def _place(self, clip: Clip, number: int, picture: Picture | None) -> None:
        if picture is None:
            self._lost.setdefault(clip.key, []).append(number)
        else:
            self._writer(clip.key).add(number + self.shift, frame_name(number), *picture)
        with self._lock:
            self._left[clip.key] -= 1
            done = not self._left[clip.key]
        if done and clip.key in self._lost:
            self.failed[clip.key] = _damaged(clip, self._lost[clip.key], self.path)
            self._close(clip.key)
        elif done:
            self._finish(clip.key)

    def _finish(self, key: ClipKey) -> None:
        """Put a clip in place while the next one is decoded: its pictures take a moment to reach the disk."""
        with self._lock:
            before, self._last = self._last, self._disk.submit(self._put_in_place, key)
        if before is not None:
            before.result()  # a slow disk is not left ever further behind

    def _put_in_place(self, key: ClipKey) -> None:
        try:
            self._writers[key].finish()
            self._done.add(key)
        except FdposeError as e:
            self._give_up(e)
        finally:
            self._close(key)

    def _give_up(self, e: FdposeError) -> None:
        """What can't be written for one clip can't be for the next one."""
        self.stop.set()
        self._fail_rest({c.key: e for c in self._clips})

    def _writer(self, key: ClipKey) -> FrameWriter:
        with self._lock:
            if key not in self._writers:
                self._writers[key] = FrameWriter(
                    self.workspace,
                    key,
                    str(self.path),
                    self._info.fps and self._info.fps * self._asked.slowed,
                    self._info.tick / self._asked.slowed,
                    self._asked.display,
                )
            return self._writers[key]

    def _fail_rest(self, errors: dict[ClipKey, FdposeError]) -> None:
        with self._lock:
            for key, error in errors.items():
                if key not in self._done:
                    self.failed.setdefault(key, error)

    def _close(self, key: ClipKey) -> None:
        with self._lock:
            writer = self._writers.pop(key, None)
        if writer:
            writer.abandon()

    def close(self) -> None:
        """Wait for the last clip; leave no trace of those that did not become whole."""
        self._disk.shutdown()
        if self._last is not None:
            self._last.result()
        for key in list(self._writers):
            self._close(key)


def lacking(clip: Clip, e: object) -> VideoError:
    return VideoError(f"{clip.key}: frames {clip.start_frame} to {clip.end_frame} can't be cut out of {e}")


def _damaged(clip: Clip, lost: list[int], path: Path) -> VideoError:
    return VideoError(
        f"{clip.key}: {len(lost)} of {len(clip.frame_range or ())} frames can't be decoded, {_spans(lost)}: {path} is"
        " damaged there; its other clips are exact; fetch the video again, then run the same command"
    )


def _spans(numbers: list[int]) -> str:
    """``[3, 4, 5, 9]`` as ``3 to 5, 9``."""
    spans: list[list[int]] = []
    for n in sorted(numbers):
        if spans and n == spans[-1][-1] + 1:
            spans[-1].append(n)
        else:
            spans.append([n])
    return ", ".join(f"{s[0]} to {s[-1]}" if len(s) > 1 else str(s[0]) for s in spans)
