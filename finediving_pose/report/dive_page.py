"""The page of one dive: its video, pictures of it, what was measured, and what could not be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from finediving_pose.clip import Clip
from finediving_pose.frames import FrameFolder
from finediving_pose.poses import ClipPoses
from finediving_pose.report.contact_sheet import contact_sheet, dive_in_words, evenly_spaced
from finediving_pose.report.embedding import data_uri, picture_uri
from finediving_pose.workspace import atomic_write

PICTURES = 12


@dataclass(frozen=True, slots=True)
class DiveFiles:
    """Files of a dive that its page shows or links to."""

    video: Path
    plot: Path
    dive: Path
    every_frame: Path


def write_dive_page(
    target: Path,
    clip: Clip,
    frames: FrameFolder,
    poses: ClipPoses,
    layer: str,
    measured: Sequence[tuple[str, str, str]],
    notes: Sequence[str],
    files: DiveFiles,
    scored: tuple[str, Path] | None = None,
) -> Path:
    """Write the page, an HTML file, whole or not at all. The video and the tables stay beside it.

    Parameters
    ----------
    measured : name, value and remark of every quantity, in words; without a value, the remark says why
    notes : what else is to be known, a sentence each
    scored : its score in words, and the page that explains it

    Raises
    ------
    FrameError
        A picture is missing or damaged.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    seen = sorted(set(poses.frame[poses.has_diver].tolist()))
    sheet = contact_sheet(frames, poses, evenly_spaced(seen, PICTURES), clip, layer=layer)
    seconds = frames.times[-1]
    facts = [
        dive_in_words(clip.action_type) if clip.action_type else "",
        f"{clip.height_m:g} m" if clip.height_m else "",
        f"{len(frames.numbers):,} frames" + (f", {seconds:.2f} s" if seconds == seconds else ""),
        f"{frames.fps:g} frames a second" if frames.fps else "frame rate not known",
        f"a diver in {len(seen):,} frames",
    ]
    environment = Environment(
        loader=PackageLoader("finediving_pose", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("dive.html.j2").render(
        title=str(clip.key.video),
        folder=target.parent.name,
        facts=[fact for fact in facts if fact],
        notes=notes,
        video=_link(files.video, target),
        scored=(scored[0], _link(scored[1], target)) if scored else None,
        sheet=picture_uri(sheet),
        plot=data_uri(files.plot.read_bytes(), "png"),
        measured=measured,
        tables=[(name, _link(table, target)) for name, table in (("dive", files.dive), ("frames", files.every_frame))],
    )
    with atomic_write(target) as part:
        part.write_text(page, encoding="utf-8")
    return target


def _link(file: Path, page: Path) -> str:
    """Address of a file, relative to the page."""
    return quote(os.path.relpath(file, page.parent))
