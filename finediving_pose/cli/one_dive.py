"""A video of one dive, taken into a data directory of its own and annotated: what ``dive`` and ``score`` begin with."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finediving_pose.errors import FdposeError, PoseError, UsageError
from finediving_pose.workspace import Workspace

if TYPE_CHECKING:
    from finediving_pose.appearances import Appearance
    from finediving_pose.clip import Clip, ClipKey
    from finediving_pose.frames import FrameFolder
    from finediving_pose.poses import ClipPoses


@dataclass(frozen=True, slots=True)
class DiveVideo:
    """A video of one dive, before anything is done with it.

    Attributes
    ----------
    data : the data directory of this video alone; it need not exist yet
    clip : the dive, with what is told of it now, or was before
    recalled : what is taken from before, and what is not, a sentence each
    """

    video: Path
    data: Workspace
    clip: Clip
    recalled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OneDive:
    """A video of one dive with its frames and poses.

    Attributes
    ----------
    data : the data directory of this video alone
    layer : of the poses: ``merged`` where people corrected some, else ``auto``
    notes : what is to be known, a sentence each
    appearances : how often a diver is seen; more than once, and the video holds several dives
    parting : the commands that take each of several dives on its own
    """

    data: Workspace
    clip: Clip
    frames: FrameFolder
    layer: str
    poses: ClipPoses
    notes: list[str]
    appearances: int
    parting: tuple[str, ...]

    @property
    def joints_by_hand(self) -> int:
        """Joints that people placed."""
        from finediving_pose.poses import JointSource

        return int((self.poses.source == JointSource.MANUAL).sum())


def find_dive(video: Path, out: Path | None, facts: dict[str, Any]) -> DiveVideo:
    """A video with its data directory and what is known of its dive; nothing is written.

    Parameters
    ----------
    out : the folder that becomes its data directory; ``<video>-dive`` where not given
    facts : what is told of the dive, by the fields of Clip

    Raises
    ------
    UsageError
        There is no such video, or the folder holds another dive.
    VideoError
        It is no video by its ending.
    """
    from finediving_pose.clip import Clip
    from finediving_pose.extraction.own_videos import find_own_videos

    if not video.is_file():
        found = f"a folder; {of_a_folder(video)}" if video.is_dir() else "no such file"
        raise UsageError(f"{video}: expected a video, found {found}")
    data = Workspace(out or Path(f"{video.stem}-dive"))
    key = next(iter(find_own_videos(video).dives))
    known = _known(data, video, key) or Clip(key)
    return DiveVideo(video, data, replace(known, **facts), tuple(_recalled(known, facts)))


def of_a_folder(folder: Path) -> str:
    """What to do with a folder of videos where one video is expected."""
    return f"give one of its videos, or make clips of all with: fdpose extract --videos {shlex.quote(str(folder))}"


def _recalled(known: Clip, facts: dict[str, Any]) -> Iterator[str]:
    """What is said of facts that were told before: that they hold, or do no longer."""
    for field, (name, option, unit) in _FACTS.items():
        before, now = getattr(known, field), facts.get(field)
        if before is not None and now is None:
            yield f"{name} {_written(before)}{unit}, as given before; another: {option}"
        elif before not in (None, now):
            yield f"{name} {_written(now)}{unit} from now on; before, it was {_written(before)}{unit}"


_FACTS = {"action_type": ("dive number", "--dive-number", ""), "height_m": ("height", "--height", " m")}
"""What can be told of the dive of a video, by the field of Clip: its name, option and unit."""


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def take_dive(dive: DiveVideo, then: str = "kinematics") -> OneDive:
    """Extract and annotate a video; what is there already is kept.

    ``then`` is what a video that holds several dives is to be cut for: the last command of those that are told.

    Raises FdposeError where the video can't be read, or nobody is seen in it.
    """
    with _left_as_it_was(dive.data.root):
        clip, notes = _frames(dive)
    taken = _annotated(dive.data, clip, dive.video, notes, then)
    (dive.data.root / "score.html").unlink(missing_ok=True)  # maybe of another number; who scores writes it anew
    return taken


def _known(data: Workspace, video: Path, key: ClipKey) -> Clip | None:
    """The dive as the folder has it, None where it is empty.

    Raises UsageError where it holds anything but the dive of this very video.
    """
    from finediving_pose.frames import is_complete, open_frames
    from finediving_pose.labels.table import read_clips

    if not data.clips_table.is_file():
        return None
    table = {clip.key: clip for clip in read_clips(data)}
    others = [other for other in table if other != key]
    if not others and is_complete(data, key):
        frames = open_frames(data, key)
        same = Path(frames.source) == video.absolute() and frames.may_come_from(video)
        others = [] if same else [key]
    if others:
        raise UsageError(
            f"{data.root}: holds the dive of another video already ({others[0]}); give another folder with --out, or"
            " delete this one"
        )
    return table.get(key)


@contextmanager
def _left_as_it_was(folder: Path) -> Iterator[None]:
    """Remove what was made of ``folder`` where it was not there and the block fails."""
    there = folder.exists()
    try:
        yield
    except FdposeError:
        if not there:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _frames(dive: DiveVideo) -> tuple[Clip, list[str]]:
    """The video's frames, stored as one clip; the clip, and what is to be known of it."""
    from finediving_pose.extraction.own_videos import extract_own_videos
    from finediving_pose.labels.table import read_clips

    result = extract_own_videos(dive.data, dive.video, _told(dive.clip))
    for error in result.failed.values():
        raise error
    return next(c for c in read_clips(dive.data) if c.key == dive.clip.key), list(result.warnings)


def _told(clip: Clip) -> dict[str, Any]:
    """Those of the facts that are known of a clip."""
    return {name: value for name in _FACTS if (value := getattr(clip, name)) is not None}


def _annotated(data: Workspace, clip: Clip, video: Path, notes: list[str], then: str) -> OneDive:
    from annotate.auto import Machinery, annotate_clips
    from annotate.estimators.presets import DEFAULT, resolve
    from finediving_pose.appearances import appearances
    from finediving_pose.cli.options import device_names
    from finediving_pose.frames import open_frames
    from finediving_pose.poses import read_poses

    summary = annotate_clips(data, [clip], Machinery(resolve(DEFAULT, data), device_names("auto")))
    for outcome in summary.failed:
        raise outcome.error or FdposeError(f"{clip.key}: not annotated")
    layer = _most_trusted(data, clip)
    frames, poses = open_frames(data, clip.key), read_poses(data.pose_file(layer, clip.key))
    seen = appearances(poses, frames.numbers, frames.times)
    if not seen and poses.has_diver.any():
        raise PoseError(
            f"{video}: a diver is seen in {int(poses.has_diver.sum())} frames at {frames.fps or 0:g} a second, which is"
            f" too short for a dive{''.join(f'; {note}' for note in notes)}"
        )
    if not seen:
        raise PoseError(
            f"{video}: no diver was found in its {len(frames.numbers):,} frames, so nothing is measured; look at them"
            f" in {data.frame_folder(clip.key)}"
        )
    said, parting = _several(data, video, clip, frames, seen, then)
    return OneDive(data, clip, frames, layer, poses, [*notes, *said], len(seen), parting)


def _most_trusted(data: Workspace, clip: Clip) -> str:
    """The most trusted layer of a clip's poses, with all that people corrected by now: their poses are merged first."""
    from annotate.merge import merge_clips
    from finediving_pose.journals.catch_up import catch_up
    from finediving_pose.poses import best_layer

    catch_up(data, "fdpose dive")
    layers = ("merged", *data.manual_layers())  # merged alone: the last correction was taken back
    if any(data.pose_file(layer, clip.key).is_file() for layer in layers):
        merge_clips(data, [clip])
    return best_layer(data, clip.key) or "auto"


def _several(
    data: Workspace, video: Path, clip: Clip, frames: FrameFolder, seen: list[Appearance], then: str
) -> tuple[list[str], tuple[str, ...]]:
    """What to say and to type, and a table to write, where a diver comes several times."""
    from finediving_pose.spreadsheet import write_csv

    if len(seen) == 1:
        return [], ()
    table = data.root / "dives-of-the-video.csv"
    borders = [frames.numbers[0], *(_between(a, b) for a, b in pairwise(seen)), frames.numbers[-1] + 1]
    told = {field: _written(value) for field, value in _told(clip).items()}
    rows = [
        [clip.key.video, str(i), str(a), str(b - 1), *told.values()] for i, (a, b) in enumerate(pairwise(borders), 1)
    ]
    write_csv(table, ["video", "index", "start_frame", "end_frame", *told], rows)
    times = " and ".join(f"{a.begins:.1f} to {a.ends:.1f} s" for a in seen)
    each = tuple(
        f"fdpose {words} --data dives"
        for words in (
            f"extract --videos {shlex.quote(str(video))} --labels {shlex.quote(str(table))}",
            "annotate --auto",
            then,
        )
    )
    number = f" Correct its action_type first, where not both are {clip.action_type}." if clip.action_type else ""
    return [
        f"a diver is seen {len(seen)} times ({times}), as if the video held {len(seen)} dives. Nothing is measured:"
        f" numbers would mix them. {shlex.quote(str(table))} says where each begins and ends.{number}"
    ], each


def _between(one: Appearance, two: Appearance) -> int:
    """The frame that begins the second appearance's clip: a quarter of the gap before it."""
    return two.first - (two.first - one.last) // 4
