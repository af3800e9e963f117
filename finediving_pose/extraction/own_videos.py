"""Videos without labels: each is one dive, whole, named by its file.

``IMG_1234.MOV`` becomes clip ``IMG_1234/0``, ``club__2.mp4`` clip ``club/2``. What a folder's name can't hold is
replaced: ``2026-05-01 18:30.mp4`` becomes ``2026-05-01 18_30/0``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from finediving_pose.clip import MOST_BYTES_OF_A_NAME, UNSAFE, Clip, ClipKey, composed
from finediving_pose.droppings import entries
from finediving_pose.errors import FdposeError, FrameError, UsageError, VideoError
from finediving_pose.extraction.clips_table import add_clips, extracting, known_clips
from finediving_pose.extraction.run import Extraction, cut_clips
from finediving_pose.extraction.sources import Videos, dive_in, video_files
from finediving_pose.frames import HEIGHT, HIGHEST_FPS, LOWEST_FPS, is_complete, open_frames
from finediving_pose.labels.table import select
from finediving_pose.workspace import Workspace

LONG = 60.0
"""Seconds above which a video is hardly one dive."""

_NAMELESS = "video"
_EDGES = re.compile(r"^[\s.]+|\s+$")


@dataclass(slots=True)
class OwnVideos:
    """Videos by the clip that each is; clips that several files claim; and what to know of the names."""

    dives: dict[ClipKey, Path] = field(default_factory=dict)
    failed: dict[ClipKey, FdposeError] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def extract_own_videos(
    workspace: Workspace,
    videos: Path,
    facts: Mapping[str, Any] | None = None,
    *,
    keys: Sequence[str] = (),
    split: str | None = None,
    jobs: int | None = None,
    force: bool = False,
    scheduler: str | None = None,
    size: int | None = HEIGHT,
) -> Extraction:
    """Take every video of a folder, or one file, as one dive, and record it in the clips table.

    Frames are stored as the video asks to be shown, turned and with square pixels, and timed as it was filmed.

    Parameters
    ----------
    videos : the folder, or one video
    facts : what is known of every dive, by the fields of Clip, e.g. ``{"action_type": "107b", "height_m": 3.0}``
    keys, split : take these clips only (``video/index`` or ``video``), or those of a split
    jobs, force, scheduler, size : as for :func:`finediving_pose.extraction.run.extract_videos`

    Raises
    ------
    VideoError
        The folder is missing, or holds no videos.
    UsageError
        ``keys`` and ``split`` choose none of them.
    """
    own = find_own_videos(videos)
    with extracting(workspace, force):
        table = {c.key: c for c in known_clips(workspace)}
        clips = _chosen([replace(table.get(key, Clip(key)), **(facts or {})) for key in own.dives], keys, split, videos)
        taken = {} if force else _taken(workspace, own.dives, [c.key for c in clips])
        clips = [c for c in clips if c.key not in taken]
        result = cut_clips(workspace, Videos({}, own.dives), clips, jobs, force, scheduler, size)
        add_clips(workspace, [Clip(c.key, **(facts or {})) for c in clips if c.key not in result.failed])
        result.failed |= own.failed | taken
        doubtful = _doubtful(workspace, result.made, own.dives)
        result.warnings = [*own.notes, *result.warnings, *doubtful]
    return result


def labelled_clips(workspace: Workspace, videos: Path) -> list[Clip]:
    """Clips of the table that labels name, which say where the dives of videos are; those of one file, if it is one."""
    named = [c for c in known_clips(workspace) if c.frame_range or c.source != "unlabelled"]
    if not videos.is_file():
        return named
    name = composed(videos.stem)
    return [c for c in named if name == c.key.video or dive_in(name) == (c.key.video, c.key.index)]


def find_own_videos(place: Path) -> OwnVideos:
    """The videos of a folder, or one file, by the clip that each is. Raises VideoError where there is none."""
    claims: dict[ClipKey, list[Path]] = {}
    found = OwnVideos()
    for path in video_files(place):
        key = _key(path.stem)
        claims.setdefault(key, []).append(path.absolute())
        if key != _plain_key(path.stem):
            found.notes.append(f"{path}: is clip {key}; a clip can't be called {path.stem!r}")
    for key, paths in claims.items():
        if len(paths) == 1:
            found.dives[key] = paths[0]
        else:
            names = " and ".join(p.name for p in paths)
            found.failed[key] = VideoError(f"{place}: {names} are both clip {key}; rename one of them")
    if place.is_dir():
        others = [p.name for p in entries(place) if p.is_file() and p.absolute() not in _flat(claims)]
        if others:
            names = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
            found.notes.append(f"{place}: left out what is no video by its ending: {names}")
    return found


def video_name(stem: str) -> str:
    """The name of a file, without its ending, as a clip key can hold it: the same wherever it can."""
    name = _EDGES.sub("", UNSAFE.sub("_", composed(stem)))
    return _EDGES.sub("", name.encode()[:MOST_BYTES_OF_A_NAME].decode(errors="ignore")) or _NAMELESS


def _key(stem: str) -> ClipKey:
    video, index = _parts(stem)
    return ClipKey(video_name(video), index)


def _plain_key(stem: str) -> ClipKey | None:
    """The key if the name needs no change, else None."""
    video, index = _parts(stem)
    return ClipKey(video, index) if video_name(video) == composed(video) else None


def _parts(stem: str) -> tuple[str, int]:
    dive = dive_in(stem)
    return dive if dive and dive[1] < 2**31 else (stem, 0)


def _flat(claims: dict[ClipKey, list[Path]]) -> set[Path]:
    return {p for paths in claims.values() for p in paths}


def _chosen(clips: list[Clip], keys: Sequence[str], split: str | None, videos: Path) -> list[Clip]:
    for key in map(composed, keys):
        if not any(key in (str(c.key), c.key.video) for c in clips):
            there = ", ".join(str(c.key) for c in clips[:3]) + (", ..." if len(clips) > 3 else "")
            raise UsageError(f"--clip {key}: not among the videos of {videos}, which are the clips {there}")
    return select(clips, keys, split)


def _taken(workspace: Workspace, dives: dict[ClipKey, Path], keys: Sequence[ClipKey]) -> dict[ClipKey, FdposeError]:
    """Clips of the data directory that another video of the same name is already."""
    taken: dict[ClipKey, FdposeError] = {}
    for key in keys:
        if not is_complete(workspace, key):
            continue
        try:
            source = Path(open_frames(workspace, key).source)
        except FrameError:
            continue  # it is made again
        if source.exists() and not source.samefile(dives[key]):
            taken[key] = VideoError(
                f"{dives[key]}: clip {key} is another video's already, {source}; rename one of the two files, or"
                f" replace it with: fdpose extract --videos {shlex.quote(str(dives[key]))} --force"
            )
    return taken


def _doubtful(workspace: Workspace, made: Sequence[ClipKey], dives: dict[ClipKey, Path]) -> list[str]:
    """What to say of videos that are too long for one dive, or whose frame rate can't be right."""
    notes = []
    for key in made:
        frames = open_frames(workspace, key)
        seconds = frames.times[-1]
        if seconds > LONG:
            notes.append(
                f"{dives[key]}: {seconds:.0f} seconds are taken as one dive; where it holds several, name the frames of"
                " each in a CSV file and give it as --labels"
            )
        if frames.fps is not None and not LOWEST_FPS <= frames.fps <= HIGHEST_FPS:
            notes.append(
                f"{dives[key]}: {frames.fps:g} frames a second can't be right, so no time will be; make the video again"
                " at its true rate"
            )
    return notes
