"""A finished competition as people hold FineDiving: pictures of whole videos, of single dives, or a video a dive.

Beside ``videos/`` come ``frames/<video>/<frame>.jpg``, ``trimmed/<video>/<index>/<frame>.jpg`` and
``dives/<video>__<index>.mp4``, the layouts that ``fdpose extract`` knows. A frame has the number that the labels count.
What a video gives is whole or not there, so that the same call goes on after an interruption.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.errors import FdposeError, UsageError
from finediving_pose.frames import frame_name
from finediving_pose.parallel import map_clips
from finediving_pose.replacing import written_whole
from finediving_pose.workspace import atomic_write, remove_part_files

QUALITY = 95
"""Of the JPEG files."""
CRF = 18
"""Of a dive's own video: hardly worse than the video that it is cut from."""

Picture = NDArray[np.uint8]


def lay_out(out: Path, layouts: Sequence[str], jobs: int | None = None) -> None:
    """Write a finished competition in other layouts, too; what is there is kept.

    Parameters
    ----------
    out : folder of the competition
    layouts : names of :data:`LAYOUTS`

    Raises
    ------
    UsageError
        There is no such layout.
    FdposeError
        A video can't be read, or the folder can't be written.
    """
    check_layouts(layouts)
    if not layouts:
        return
    videos = sorted((out / "videos").glob("*.mp4"))
    for _, outcome in map_clips(partial(_lay_out_video, out, layouts), videos, jobs, "laying out", "videos"):
        if isinstance(outcome, FdposeError):
            raise outcome


def check_layouts(layouts: Iterable[str]) -> None:
    """Raise UsageError where there is no such layout."""
    for name in layouts:
        if name not in LAYOUTS:
            raise UsageError(f"--layout {name}: no such layout; there are {', '.join(LAYOUTS)}")


def _lay_out_video(out: Path, layouts: Sequence[str], video: Path) -> int:
    """Returns the number of layouts that were missing."""
    dives = json.loads((out / "truth" / "events" / f"{video.stem}.json").read_text(encoding="utf-8"))["dives"]
    try:
        return sum(LAYOUTS[name](out, video, dives) for name in layouts)
    except OSError as e:
        raise FdposeError(
            f"{out}: {video.stem} can't be laid out ({e.strerror or e}); free the space and run the same command again"
        ) from e


def _whole_frames(out: Path, video: Path, dives: Sequence[dict[str, Any]]) -> bool:
    """``frames/<video>/<frame>.jpg``, every frame of the video."""
    target = out / "frames" / video.stem
    if target.is_dir():
        return False
    with written_whole(target) as folder:
        for number, picture in enumerate(_pictures(video)):
            _write_jpeg(folder / frame_name(number), picture)
    return True


def _trimmed_frames(out: Path, video: Path, dives: Sequence[dict[str, Any]]) -> bool:
    """``trimmed/<video>/<index>/<frame>.jpg``, the frames of the dives."""
    target = out / "trimmed" / video.stem
    if target.is_dir():
        return False
    with written_whole(target) as folder:
        for dive, number, picture in _of_dives(video, dives):
            place = folder / str(dive["index"])
            place.mkdir(exist_ok=True)
            _write_jpeg(place / frame_name(number), picture)
    return True


def _a_video_a_dive(out: Path, video: Path, dives: Sequence[dict[str, Any]]) -> bool:
    """``dives/<video>__<index>.mp4``."""
    from finediving_pose.synth.filming import write_video

    names = {dive["index"]: out / "dives" / f"{video.stem}__{dive['index']}.mp4" for dive in dives}
    if all(path.is_file() for path in names.values()):
        return False
    for index, frames in groupby(_of_dives(video, dives), lambda found: found[0]["index"]):
        remove_part_files(names[index])
        if not names[index].is_file():
            with atomic_write(names[index]) as part:
                write_video(part, (picture for _, _, picture in frames), CRF)
    return True


LAYOUTS: dict[str, Callable[[Path, Path, Sequence[dict[str, Any]]], bool]] = {
    "frames": _whole_frames,
    "trimmed": _trimmed_frames,
    "dives": _a_video_a_dive,
}


def _of_dives(video: Path, dives: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], int, Picture]]:
    """The frames that belong to a dive: the dive, the frame's number in the video, the picture."""
    dive_of = {n: dive for dive in dives for n in range(dive["start_frame"], dive["end_frame"] + 1)}
    for number, picture in enumerate(_pictures(video)):
        if number in dive_of:
            yield dive_of[number], number, picture


def _pictures(video: Path) -> Iterator[Picture]:
    """Frames of a video from its start, uint8 (H, W, 3) RGB."""
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(video)) as container:
            for frame in container.decode(video=0):
                yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except FFmpegError as e:
        raise FdposeError(
            f"{video}: can't be read ({e.strerror or e}); remove it and run the same command again"
        ) from e


def _write_jpeg(path: Path, picture: Picture) -> None:
    import simplejpeg

    path.write_bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(picture), quality=QUALITY, colorsubsampling="420"))
