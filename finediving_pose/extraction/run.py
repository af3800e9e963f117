"""Videos, or ready-made frame folders, into ``frames/`` and the clips table.

A clip's folder is written under a temporary name and renamed when it is whole,
so it is there complete or not at all, and what is complete is not made again.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError, FrameError, LabelError, VideoError
from finediving_pose.extraction.clips_table import add_clips, extracting, facts_of, known_clips, record, twins
from finediving_pose.extraction.cutting import CutResult, cut_video
from finediving_pose.extraction.layouts import PictureSet, find_pictures
from finediving_pose.extraction.presentation import read_presentation
from finediving_pose.extraction.scaling import stored_size
from finediving_pose.extraction.sources import Videos, find_videos, other_case
from finediving_pose.extraction.video import open_video
from finediving_pose.extraction.writer import FrameWriter
from finediving_pose.frames import HEIGHT, FrameFolder, is_complete, open_frames, size_of_file, torn_picture
from finediving_pose.parallel import default_jobs, map_clips
from finediving_pose.replacing import recover
from finediving_pose.workspace import Workspace


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


# -- out of videos --------------------------------------------------------------------------------------------------


def extract_videos(
    workspace: Workspace,
    videos: Path,
    clips: Sequence[Clip],
    jobs: int | None = None,
    force: bool = False,
    scheduler: str | None = None,
    size: int | None = HEIGHT,
) -> Extraction:
    """Cut clips out of the videos of a folder, frame-exact, and record them in the clips table.

    Frames have JPEG quality 95, their width is in proportion. A video is found
    by its name, ``<video>.mp4`` (or mov, mkv, avi, ts, ...), or
    ``<video>__<index>.mp4`` where every dive has a video of its own. For videos
    without labels: :func:`finediving_pose.extraction.own_videos.extract_own_videos`.

    Parameters
    ----------
    videos : the folder, or one video
    jobs : processes, one video each; with fewer videos than that, each video is shared among threads
    force : make clips again that are complete
    scheduler : address of a Dask scheduler whose workers see the same paths
    size : height of the stored frames in pixels, None for the video's own

    Raises
    ------
    VideoError
        The folder is missing, of no kind that is known, or holds none of the videos that the clips name.
    """
    found = find_videos(videos, clips)
    missing = _missing(found, videos, clips)
    with extracting(workspace, force):
        add_clips(workspace, clips)
        result = cut_clips(workspace, found, clips, jobs, force, scheduler, size)
    result.warnings[:0] = missing
    return result


def cut_clips(
    workspace: Workspace,
    found: Videos,
    clips: Sequence[Clip],
    jobs: int | None = None,
    force: bool = False,
    scheduler: str | None = None,
    size: int | None = HEIGHT,
) -> Extraction:
    """:func:`extract_videos` where the videos are found already; clips without a video are left out.

    What could be cut gets its facts into the clips table.
    """
    with extracting(workspace, force):
        result = Extraction(warnings=twins(clips))
        facts: list[Clip] = []
        work: dict[Path, list[Clip]] = {}
        for clip in clips:
            path = found.of(clip.key)
            if path is None:
                continue
            kept = _keep(workspace, clip, force, result, path)
            if clip.key in result.failed:
                continue
            if kept and kept.image_height != (wanted := size or _own_height(path, clip)):
                result.kept.remove(clip.key)
                result.failed[clip.key] = _of_other_size(kept, wanted, path)
            elif kept:
                facts.append(kept)
            elif clip.key not in found.dives and clip.frame_range is None:
                result.failed[clip.key] = LabelError(f"{clip.key}: the labels give no start_frame and end_frame")
            else:
                work.setdefault(path, []).append(clip)
        jobs = jobs or default_jobs()
        threads = 1 if scheduler else max(1, jobs // max(len(work), 1))  # a cluster's workers have a core each
        cut = partial(cut_video, workspace, threads, force, frozenset(found.dives), size)
        try:
            for (_, wanted), outcome in map_clips(
                cut, list(work.items()), jobs, "extracting", scheduler=scheduler, count=lambda video: len(video[1])
            ):
                facts += _note(workspace, wanted, outcome, result)
        finally:
            record(workspace, facts)
        return result


def _own_height(path: Path, clip: Clip) -> int:
    """Height of the frames that are stored as large as the video is."""
    info, display = open_video(path), read_presentation(path).display
    shown = replace(display, applied=clip.source == "unlabelled")
    return stored_size(info.width, info.height, shown, None)[1]


def _of_other_size(kept: Clip, wanted: int, path: Path) -> FrameError:
    key = shlex.quote(str(kept.key))
    return FrameError(
        f"{kept.key}: its frames are {kept.image_height} pixels high, not {wanted}; poses count their pixels, so make"
        f" both again: fdpose extract --videos {shlex.quote(str(path))} --size {wanted} --clip {key} --force, then"
        f" fdpose annotate --auto --clip {key} --force; or keep them with: --size {kept.image_height}"
    )


def _of_another_file(frames: FrameFolder, video: Path) -> VideoError:
    key = shlex.quote(str(frames.key))
    return VideoError(
        f"{video}: not the file that the frames of {frames.key} came from ({size_of_file(video):,} bytes, that one had"
        f" {frames.source_bytes:,}); make frames and poses again: fdpose extract --videos {shlex.quote(str(video))}"
        f" --clip {key} --force, then fdpose annotate --auto --clip {key} --force; or give the file another name"
    )


def _missing(found: Videos, folder: Path, clips: Sequence[Clip]) -> list[str]:
    named = sorted({c.key.video for c in clips})
    missing = sorted({c.key.video for c in clips if found.of(c.key) is None})
    if not missing:
        return []
    lacking = [c.key for c in clips if found.of(c.key) is None]
    if any(key.video == missing[0] for key in found.dives):
        count, example = f"no video for {len(lacking)} clips ({_few(lacking)})", f"{missing[0]}__{lacking[0].index}.mp4"
    else:
        count = f"{len(missing)} of {len(named)} videos are missing ({_few(missing)})"
        example = f"{missing[0]}.mp4"
    line = f"{folder}: {count}; expected files such as {example}"
    if near := other_case(missing[0], [*found.whole, *(key.video for key in found.dives)]):
        line += f"; there is {near!r}, spelled with other capitals: make the labels' name and the file's the same"
    if len(lacking) == len(clips):
        raise VideoError(f"{line}; for videos that no label names, give each by its file, or another --data")
    return [line]


def _note(
    workspace: Workspace, wanted: Sequence[Clip], outcome: CutResult | FdposeError, result: Extraction
) -> list[Clip]:
    """Enter one video's clips into the result and return the facts of those that were made.

    A clip that is not there and has no error of its own shares the video's.
    """
    made = []
    if isinstance(outcome, CutResult):
        result.warnings += outcome.notes
    for clip in wanted:
        error = outcome if isinstance(outcome, FdposeError) else outcome.failed.get(clip.key)
        if error:
            result.failed[clip.key] = error
        else:
            made.append(facts_of(open_frames(workspace, clip.key)))
            _enter(clip, made[-1], result)
    return made


def _enter(clip: Clip, facts: Clip, result: Extraction) -> None:
    """Enter a clip that was made; one whose labels count another number of frames gets a warning, no correction."""
    n, labels = facts.n_frames or 0, clip.frame_range
    result.made.append(clip.key)
    result.n_frames += n
    if labels and len(labels) != n:
        result.warnings.append(f"{clip.key}: {n} frames, but the labels count {len(labels)}")


# -- out of frame folders -------------------------------------------------------------------------------------------


def extract_frames(
    workspace: Workspace,
    frames: Path,
    clips: Sequence[Clip] | None = None,
    force: bool = False,
    jobs: int | None = None,
    scheduler: str | None = None,
) -> Extraction:
    """Take in ready-made frames, by hard link or copy, and record them in the clips table.

    They are never altered, but that pictures with a note to turn them (EXIF) are stored upright, which is told.

    Parameters
    ----------
    frames : a folder in one of the layouts of :mod:`finediving_pose.extraction.layouts`
    clips : take in these only; None takes everything the folder holds, with the labels the clips table has
    force : take in again what is complete already
    jobs : processes
    scheduler : address of a Dask scheduler whose workers see the same paths

    Raises
    ------
    FrameError
        The folder is missing, has an unknown layout, or holds none of ``clips``.
    """
    with extracting(workspace, force):
        sets = find_pictures(frames, known_clips(workspace) if clips is None else clips)
        result = Extraction()
        facts: list[Clip] = []
        if clips is not None:
            sets = _only(sets, clips, frames, result)
        add_clips(workspace, [s.clip for s in sets] if clips is None else clips)
        result.warnings += twins(s.clip for s in sets)
        todo: list[PictureSet] = []
        for pictures in sets:
            kept = _keep(workspace, pictures.clip, force, result)
            if kept:
                facts.append(kept)
            else:
                todo.append(pictures)
        take = partial(_take_in, workspace)
        how = {"scheduler": scheduler, "worth": _WORTH_A_PROCESS}
        try:
            for pictures, outcome in map_clips(take, todo, jobs, "taking in frames", **how):
                if isinstance(outcome, FdposeError):
                    result.failed[pictures.clip.key] = outcome
                else:
                    taken, turned = outcome
                    facts.append(taken)
                    _enter(pictures.clip, taken, result)
                    if turned:
                        result.warnings.append(
                            f"{pictures.clip.key}: {turned} pictures have a note to turn them (EXIF); they are stored"
                            " upright, coded anew"
                        )
        finally:
            record(workspace, facts)
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


_WORTH_A_PROCESS = 16
"""Clips for which it pays to start one more process."""


def _take_in(workspace: Workspace, source: PictureSet) -> tuple[Clip, int]:
    """Make one clip's folder and return its facts, and how many pictures were turned."""
    key = source.clip.key
    recover(workspace.frame_folder(key))
    if source.error:
        raise source.error
    if not source.pictures:
        asked = f"{source.clip.start_frame} to {source.clip.end_frame}"
        raise FrameError(f"{key}: no picture of frames {asked} in {source.folder}; check the labels")
    writer = FrameWriter(workspace, key, str(source.folder), source.clip.fps)
    try:
        turned = sum(writer.take(number, path) for number, path in source.pictures)
        return facts_of(writer.finish()), turned
    finally:
        writer.abandon()


# -- both -----------------------------------------------------------------------------------------------------------


def _keep(workspace: Workspace, clip: Clip, force: bool, result: Extraction, video: Path | None = None) -> Clip | None:
    """Leave a whole folder as it is and return its facts; warn where the labels now name other frames.

    None where the folder is to be made: by ``force``, since it is not complete, or since it lost pictures (a warning).
    Where ``video`` is another file than the one that the frames came from, the clip is failed.
    """
    recover(workspace.frame_folder(clip.key))
    if force or not is_complete(workspace, clip.key):
        return None
    try:
        frames = open_frames(workspace, clip.key)
        torn = torn_picture(frames)
    except FrameError as e:
        frames, torn = None, str(e)
    if frames is None or torn:
        result.warnings.append(f"{clip.key}: was not whole any more ({torn}); extracted again")
        return None
    if video is not None and not frames.may_come_from(video):
        result.failed[clip.key] = _of_another_file(frames, video)
        return None
    labels, numbers = clip.frame_range, frames.numbers
    result.kept.append(clip.key)
    if labels and (labels.start, len(labels)) != (numbers[0], len(numbers)):
        result.warnings.append(
            f"{clip.key}: its frames are {numbers[0]} to {numbers[-1]} ({len(numbers)}), the labels say {labels.start}"
            f" to {labels.stop - 1}; cut it again with: fdpose extract --clip {clip.key} --force"
        )
    return facts_of(frames)


def _few(keys: Iterable[ClipKey | str]) -> str:
    keys = list(keys)
    return ", ".join(map(str, keys[:3])) + (", ..." if len(keys) > 3 else "")
