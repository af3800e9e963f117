"""The page of one dive: its video, pictures of it, what was measured, and what could not be."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np

from finediving_pose.clip import Clip
from finediving_pose.frames import FrameFolder
from finediving_pose.poses import ClipPoses, JointSource
from finediving_pose.report.contact_sheet import dive_in_words, evenly_spaced
from finediving_pose.report.embedding import data_uri, picture_uri
from finediving_pose.report.video import frame_of_video
from finediving_pose.report.views import draw_view, people_in, square_views
from finediving_pose.workspace import atomic_write

PICTURES, SIDE = 12, 300
"""Pictures of the diver, and the height and width of each, pixels."""
WELL_SEEN = 0.5
"""Share of the confidence of the surest quarter of the frames from which on a diver is shown in pictures: where less is
seen, the skeleton is mostly guessed."""
POSTER = 720
"""Height of the picture that stands for the video before it plays, pixels at most."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a dive, as its page shows it.

    Attributes
    ----------
    readings : name, value and remark of every quantity, in words; without a value, the remark says why
    doubts : what speaks against the picture's being upright
    flight : first and last frame number in the air, None where not known; the video's picture is one of these
    plot, narrow_plot : the dive over time, as pictures
    dive, every_frame : the tables
    """

    readings: Sequence[tuple[str, str, str]]
    doubts: Sequence[str]
    flight: tuple[int | None, int | None]
    plot: Path
    narrow_plot: Path
    dive: Path
    every_frame: Path


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a dive: a sentence, commands to type, and the page that says more."""

    text: str
    commands: tuple[str, ...] = ()
    page: Path | None = None

    def in_lines(self) -> Iterator[str]:
        """For printing on a terminal: a command a line."""
        yield self.text + ":" * bool(self.commands)
        yield from (f"  {command}" for command in self.commands)


def write_dive_page(
    target: Path,
    clip: Clip,
    frames: FrameFolder,
    poses: ClipPoses,
    video: Path,
    measured: Measured | None,
    notes: Sequence[str],
    parting: Sequence[str],
    scored: Told,
) -> Path:
    """Write the page, an HTML file, whole or not at all. The video and the tables stay beside it.

    Parameters
    ----------
    measured : None where the video holds several dives
    notes : what else is to be known, a sentence each
    parting : the commands that take each of several dives on its own
    scored : its score in words, or why it has none

    Raises
    ------
    FrameError
        A picture is missing or damaged.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    seen = sorted(set(poses.frame[poses.has_diver].tolist()))
    sure = confidences(poses)
    shown = well_seen(sure)
    flying = in_flight(shown, measured.flight if measured else (None, None)) or shown
    seconds, by_hand = frames.times[-1], int((poses.source == JointSource.MANUAL).sum())
    facts = [
        dive_in_words(clip.action_type) if clip.action_type else "",
        f"{clip.height_m:g} m" if clip.height_m else "",
        f"{len(frames.numbers):,} frames" + (f", {seconds:.2f} s" if seconds == seconds else ""),
        f"{frames.fps:g} frames a second" if frames.fps else "frame rate not known",
        f"a diver in {len(seen):,} frames",
        f"{by_hand:,} joints placed by hand" if by_hand else "",
    ]
    environment = Environment(
        loader=PackageLoader("finediving_pose", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("dive.html.j2").render(
        title=str(clip.key.video),
        folder=target.parent.name,
        facts=[fact for fact in facts if fact],
        notes=notes,
        parting=parting,
        video=_link(video, target),
        poster=_poster(video, frames.numbers.index(max(flying, key=sure.__getitem__))),
        scored=scored,
        score_page=_link(scored.page, target) if scored.page else "",
        pictures=list(_pictures(frames, poses, evenly_spaced(shown, PICTURES))),
        readings=measured.readings if measured else (),
        plots=[data_uri(p.read_bytes(), "png") for p in (measured.plot, measured.narrow_plot)] if measured else (),
        tables=[_link(table, target) for table in (measured.dive, measured.every_frame)] if measured else (),
    )
    with atomic_write(target) as part:
        part.write_text(page, encoding="utf-8")
    return target


def in_flight(numbers: Sequence[int], flight: tuple[int | None, int | None]) -> list[int]:
    """Those of the frame numbers, in order, in the middle half of the flight: neither on the platform nor in the water.

    An end of the flight that is not known is that of the numbers.
    """
    first, last = (flight[0] or numbers[0]), (flight[1] or numbers[-1])
    return [n for n in numbers if first + (last - first) / 4 <= n <= last - (last - first) / 4]


def confidences(poses: ClipPoses) -> dict[int, float]:
    """Mean confidence of the joints by frame number, of the diver who is surer; what a person placed counts as sure."""
    sure = np.where(poses.source == JointSource.MANUAL, 1.0, np.nan_to_num(poses.confidence)).mean(1)
    found: dict[int, float] = {}
    for frame, confidence in zip(poses.frame[poses.has_diver].tolist(), sure[poses.has_diver].tolist(), strict=True):
        found[frame] = max(confidence, found.get(frame, 0.0))
    return found


def well_seen(sure: dict[int, float]) -> list[int]:
    """The frames, in order, that show a diver well (:data:`WELL_SEEN`), by their confidences."""
    enough = WELL_SEEN * float(np.quantile(list(sure.values()), 0.75))
    return sorted(frame for frame, confidence in sure.items() if confidence >= enough)


def _pictures(frames: FrameFolder, poses: ClipPoses, numbers: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Squares that follow the diver, each with what it is."""
    views = square_views(frames, poses, numbers) or {}
    for number in numbers:
        picture = draw_view(frames.read(number), views[number], SIDE, people_in(poses, number))
        seconds = frames.times[frames.numbers.index(number)]
        yield f"{seconds:.2f} s" if np.isfinite(seconds) else f"frame {number}", picture_uri(picture)


def _poster(video: Path, place: int) -> str:
    """A frame of the video as the picture that stands for it."""
    picture = frame_of_video(video, place)
    share = min(1.0, POSTER / picture.shape[0])
    size = round(picture.shape[1] * share), round(picture.shape[0] * share)
    return picture_uri(np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8))


def _link(file: Path, page: Path) -> str:
    """Address of a file, relative to the page."""
    return quote(os.path.relpath(file, page.parent))
