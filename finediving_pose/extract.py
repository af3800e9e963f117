"""Videos, or ready-made frame folders, into ``frames/`` and the clips table.

A clip's folder is written under a temporary name and renamed when it is whole,
so it is there complete or not at all, and what is complete is not made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path

import simplejpeg

from finediving_pose import video as media
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError, FrameError, LabelError, VideoError
from finediving_pose.frame_layouts import PictureSet, find_pictures
from finediving_pose.frame_writer import FrameWriter, recover
from finediving_pose.frames import HEIGHT, frame_name, is_complete, open_frames
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.progress import track
from finediving_pose.scale import default_jobs, map_clips
from finediving_pose.workspace import Workspace

JPEG_QUALITY = 95


@dataclass(slots=True)
class Extraction:
    """What an extraction did: clips made now, clips that were complete before, failures, and what to know."""

    made: list[ClipKey] = field(default_factory=list)
    kept: list[ClipKey] = field(default_factory=list)
    failed: dict[ClipKey, FdposeError] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    n_frames: int = 0

    def summary(self) -> dict[str, int]:
        """Counts, for printing."""
        return {
            "clips_extracted": len(self.made),
            "clips_already_there": len(self.kept),
            "clips_failed": len(self.failed),
            "frames_extracted": self.n_frames,
        }


# -- the clips table ------------------------------------------------------------------------------------------------


def add_clips(workspace: Workspace, clips: Iterable[Clip]) -> list[Clip]:
    """Merge clips into the clips table and return the whole table; what a new row leaves open keeps its old value."""
    table = {c.key: c for c in _known(workspace)}
    for clip in clips:
        table[clip.key] = _merged(table[clip.key], clip) if clip.key in table else clip
    rows = sorted(table.values(), key=lambda c: c.key)
    write_clips(workspace.clips_table, rows)
    return rows


def _known(workspace: Workspace) -> list[Clip]:
    return read_clips(workspace) if workspace.clips_table.is_file() else []


def _merged(old: Clip, new: Clip) -> Clip:
    empty = Clip(old.key)
    said = {f.name: getattr(new, f.name) for f in fields(Clip) if getattr(new, f.name) != getattr(empty, f.name)}
    if "sub_actions" in said:
        said["stage_starts"] = new.stage_starts
    return replace(old, **said)


def _record(workspace: Workspace, keys: Iterable[ClipKey]) -> None:
    """Fill in what only the frames know: their count, size and rate."""
    seen = [open_frames(workspace, key) for key in keys]
    if seen:
        add_clips(
            workspace,
            [Clip(f.key, n_frames=len(f.numbers), fps=f.fps, image_width=f.width, image_height=f.height) for f in seen],
        )


# -- out of videos --------------------------------------------------------------------------------------------------


def extract_videos(
    workspace: Workspace, videos: Path, clips: Sequence[Clip], jobs: int | None = None, force: bool = False
) -> Extraction:
    """Cut clips out of the videos of a folder, frame-exact, and record them in the clips table.

    Frames are ``HEIGHT`` high, the width in proportion, JPEG quality 95. A video
    is found by its name, ``<video>.mp4`` (or mkv, avi, mov, webm).

    Raises
    ------
    VideoError
        The folder is missing, or holds none of the videos that the clips name.
    """
    add_clips(workspace, clips)
    found, warnings = _find_videos(videos, clips)
    result = Extraction(warnings=warnings)
    work: dict[Path, list[Clip]] = {}
    for clip in clips:
        if clip.key.video not in found:
            continue
        if _is_there(workspace, clip.key) and not force:
            _keep(workspace, clip, result)
        elif clip.frame_range is None:
            result.failed[clip.key] = LabelError(f"{clip.key}: the labels give no start_frame and end_frame")
        else:
            work.setdefault(found[clip.key.video], []).append(clip)
    jobs = min(jobs or default_jobs(), max(len(work), 1))
    cut = partial(_cut_video, workspace, max(1, default_jobs() // jobs))
    try:
        for (_, wanted), outcome in map_clips(cut, list(work.items()), jobs, "extracting", "videos"):
            if isinstance(outcome, FdposeError):
                result.failed |= {c.key: outcome for c in wanted}
                continue
            for clip in wanted:
                error = outcome.get(clip.key)
                if error:
                    result.failed[clip.key] = error
                else:
                    result.made.append(clip.key)
                    result.n_frames += len(clip.frame_range or ())
    finally:
        _record(workspace, [*result.made, *result.kept])
    return result


def _find_videos(folder: Path, clips: Sequence[Clip]) -> tuple[dict[str, Path], list[str]]:
    if not folder.is_dir():
        raise VideoError(f"{folder}: no such folder; give the folder that holds the videos")
    named = sorted({c.key.video for c in clips})
    files = {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in media.SUFFIXES and p.is_file()}
    missing = [v for v in named if v not in files]
    if not missing:
        return files, []
    count = f"{len(missing)} of {len(named)} videos are missing ({_few(missing)})"
    line = f"{folder}: {count}; expected files such as {missing[0]}.mp4"
    if len(missing) == len(named):
        raise VideoError(line)
    return files, [line]


def _cut_video(workspace: Workspace, threads: int, work: tuple[Path, list[Clip]]) -> dict[ClipKey, FdposeError]:
    """Write the frames of one video's clips in one pass; returns the clips that failed and why."""
    path, clips = work
    info = media.open_video(path)
    ranges = [c.frame_range or range(0) for c in clips]
    writers: dict[int, FrameWriter] = {}
    left = set(range(len(clips)))
    try:
        for i, number, rgb in media.read_ranges(path, ranges, HEIGHT, threads):
            if number == ranges[i].start:
                writers[i] = FrameWriter(workspace, clips[i].key, str(path), info.fps)
            jpeg = simplejpeg.encode_jpeg(rgb, quality=JPEG_QUALITY, colorsubsampling="420")
            writers[i].add(number, frame_name(number), jpeg, (rgb.shape[1], rgb.shape[0]))
            if number == ranges[i][-1]:
                writers.pop(i).finish()
                left.remove(i)
    except VideoError as e:
        return {clips[i].key: _lacking(clips[i], e) for i in left}
    finally:
        for writer in writers.values():
            writer.abandon()
    return {}


def _lacking(clip: Clip, e: VideoError) -> VideoError:
    return VideoError(f"{clip.key}: frames {clip.start_frame} to {clip.end_frame} can't be cut out of {e}")


# -- out of frame folders -------------------------------------------------------------------------------------------


def extract_frames(
    workspace: Workspace, frames: Path, clips: Sequence[Clip] | None = None, force: bool = False
) -> Extraction:
    """Take in ready-made frames, by hard link or copy, never altered, and record them in the clips table.

    Parameters
    ----------
    frames : a folder in one of the layouts of :mod:`finediving_pose.frame_layouts`
    clips : take in these only; None takes everything the folder holds, with the labels the clips table has
    force : take in again what is complete already

    Raises
    ------
    FrameError
        The folder is missing, has an unknown layout, or holds none of ``clips``.
    """
    sets = find_pictures(frames, _known(workspace) if clips is None else clips)
    result = Extraction()
    if clips is not None:
        sets = _only(sets, clips, frames, result)
    add_clips(workspace, [s.clip for s in sets] if clips is None else clips)
    try:
        for pictures in track(sets, "taking in frames"):
            _take_in(workspace, pictures, force, result)
    finally:
        _record(workspace, [*result.made, *result.kept])
    return result


def _only(sets: list[PictureSet], clips: Sequence[Clip], frames: Path, result: Extraction) -> list[PictureSet]:
    wanted = {c.key for c in clips}
    chosen = [s for s in sets if s.clip.key in wanted]
    lacking = sorted(wanted - {s.clip.key for s in chosen})
    if not chosen:
        found = _few(s.clip.key for s in sets)
        raise FrameError(
            f"{frames}: holds none of the {len(wanted)} clips asked for; expected {lacking[0]}, found {found}"
        )
    if lacking:
        result.warnings.append(f"{frames}: no frames for {len(lacking)} of {len(wanted)} clips ({_few(lacking)})")
    if len(chosen) < len(sets):
        extra = [s.clip.key for s in sets if s.clip.key not in wanted]
        result.warnings.append(f"{frames}: {len(extra)} more clips are not asked for and left out ({_few(extra)})")
    return chosen


def _take_in(workspace: Workspace, source: PictureSet, force: bool, result: Extraction) -> None:
    key, labels = source.clip.key, source.clip.frame_range
    if _is_there(workspace, key) and not force:
        _keep(workspace, source.clip, result)
        return
    if source.error:
        result.failed[key] = source.error
        return
    if not source.pictures:
        asked = f"{source.clip.start_frame} to {source.clip.end_frame}"
        result.failed[key] = FrameError(f"{key}: no picture of frames {asked} in {source.folder}; check the labels")
        return
    writer = FrameWriter(workspace, key, str(source.folder), source.clip.fps)
    try:
        for number, path in source.pictures:
            writer.take(number, path)
        writer.finish()
    except FrameError as e:
        result.failed[key] = e
        return
    finally:
        writer.abandon()
    result.made.append(key)
    result.n_frames += len(source.pictures)
    if labels and len(labels) != len(source.pictures):
        result.warnings.append(f"{key}: {len(source.pictures)} frames, but the labels count {len(labels)}")


# -- both -----------------------------------------------------------------------------------------------------------


def _is_there(workspace: Workspace, key: ClipKey) -> bool:
    """Whether a clip is complete, once what a killed run left is cleared away."""
    recover(workspace, key)
    return is_complete(workspace, key)


def _keep(workspace: Workspace, clip: Clip, result: Extraction) -> None:
    """Leave a complete folder as it is, and say so where the labels now name other frames."""
    try:
        labels, numbers = clip.frame_range, open_frames(workspace, clip.key).numbers
    except FrameError as e:
        result.failed[clip.key] = e
        return
    result.kept.append(clip.key)
    if labels and (labels.start, len(labels)) != (numbers[0], len(numbers)):
        result.warnings.append(
            f"{clip.key}: its frames are {numbers[0]} to {numbers[-1]} ({len(numbers)}), the labels say {labels.start}"
            f" to {labels.stop - 1}; cut it again with: fdpose extract --clip {clip.key} --force"
        )


def _few(keys: Iterable[ClipKey | str]) -> str:
    keys = list(keys)
    return ", ".join(map(str, keys[:3])) + (", ..." if len(keys) > 3 else "")
