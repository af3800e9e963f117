"""One self-contained HTML file about a data directory: labels, poses and findings."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError, UsageError
from finediving_pose.frames import is_complete, open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import best_layer, read_poses
from finediving_pose.report import charts
from finediving_pose.report.contact_sheet import about_dive, contact_sheet, dive_in_words, evenly_spaced
from finediving_pose.report.embedding import picture_uri
from finediving_pose.validate.words import counted
from finediving_pose.workspace import Workspace, atomic_write

if TYPE_CHECKING:
    from finediving_pose.validate import Finding
    from finediving_pose.validate.kinds import Kind

SHEETS, SHEET_FRAMES = 3, 12
MOST_DIVE_NUMBERS = 10
EXAMPLES = 5


def write_report(
    workspace: Workspace,
    target: Path,
    run: Path | None = None,
    extra: dict[str, dict[str, Any]] | None = None,
    findings: Sequence[Finding] | None = None,
    in_words: dict[str, str] | None = None,
) -> Path:
    """Write the report, whole or not at all; sections without material are left out.

    Parameters
    ----------
    workspace : the data directory; its clips table has to exist, frames and poses may
    target : the HTML file to write
    run : folder of a run or a study of ``fdpose benchmark``, whose page is linked
    extra : tables of names and values by their title, e.g. the pose estimator's accuracy
    findings : what ``validate`` found; where not given, labels, splits and poses are validated here
    in_words : what a table of ``extra`` says, in a sentence, by its title

    Returns
    -------
    Path of the file written.

    Raises
    ------
    LabelError
        There is no clips table.
    UsageError
        ``run`` has no page.
    """
    from datetime import UTC, datetime

    from jinja2 import Environment, PackageLoader, StrictUndefined

    from finediving_pose.validate.kinds import in_short

    clips = read_clips(workspace)
    found = _findings(workspace, findings)
    context = {
        "title": workspace.root.resolve().name,
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "data": _data(workspace, clips),
        "sheets": _sheets(workspace, clips),
        "findings": found,
        "in_short": in_short(found),
        "examples": EXAMPLES,
        "pictures_checked": findings is not None,
        "run": {"name": run.name, "page": _link(run, target)} if run else None,
        "extra": extra or {},
        "in_words": in_words or {},
    }
    environment = Environment(
        loader=PackageLoader("finediving_pose", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("report.html.j2").render(context)
    with atomic_write(target) as part:
        part.write_text(page, encoding="utf-8")
    return target


def _data(workspace: Workspace, clips: Sequence[Clip]) -> dict[str, Any]:
    """Counts and charts of the clips table."""
    splits = {"train": "train", "test": "test", "none": "no split"}
    scores = {w: [c.dive_score for c in clips if c.split == s and c.dive_score is not None] for s, w in splits.items()}
    numbers = Counter(c.action_type for c in clips if c.action_type)
    shown = numbers.most_common(MOST_DIVE_NUMBERS)
    counts = {
        "dives": len(clips),
        "videos": len({c.key.video for c in clips}),
        "train": sum(c.split == "train" for c in clips),
        "test": sum(c.split == "test" for c in clips),
        "dive numbers": len(numbers),
        "synchronised": sum(bool(c.synchronised) for c in clips),
        "with frames": sum(is_complete(workspace, c.key) for c in clips),
        "with poses": sum(best_layer(workspace, c.key) is not None for c in clips),
    }
    return {
        "counts": {k: v for k, v in counts.items() if v},
        "stages": dict(sorted(Counter(c.n_stages for c in clips if c.n_stages).items())),
        "scores": charts.histogram(scores, "dive score"),
        "about_scores": _about_scores(scores),
        "numbers": charts.bars({dive_in_words(n): k for n, k in shown}),
        "about_numbers": _about_numbers(numbers),
        "more_numbers": len(numbers) - len(shown),
    }


def _about_scores(scores: dict[str, list[float]]) -> str:
    """How the scores of the splits compare, in a sentence; nothing where there are none."""
    known = {name: values for name, values in scores.items() if values}
    if not known:
        return ""
    means = {name: sum(values) / len(values) for name, values in known.items()}
    every = [v for values in known.values() for v in values]
    span = f"{counted(len(every), 'dive')}, {min(every):g} to {max(every):g} points, mean {sum(every) / len(every):.1f}"
    if not {"train", "test"} <= set(known):
        return f"{span}."
    apart = means["test"] - means["train"]
    more = "more" if apart > 0 else "less"
    return f"{span}. Test dives score {abs(apart):.1f} points {more} than training dives on average."


def _about_numbers(numbers: Counter[str]) -> str:
    """How many dives the dive numbers have, in a sentence; nothing where there are none."""
    if not numbers:
        return ""
    (first, most), least = numbers.most_common(1)[0], min(numbers.values())
    if most == least:
        each = " each" if len(numbers) > 1 else ""
        return f"{counted(len(numbers), 'dive number')}, {counted(most, 'dive')}{each}."
    once = sum(k == 1 for k in numbers.values())
    rest = (
        f"; {once:,} of {len(numbers):,} numbers have a single dive" if once else f"; every number has at least {least}"
    )
    return f"{dive_in_words(first)} is the most frequent ({counted(most, 'dive')}){rest}."


@dataclass(frozen=True, slots=True)
class Sheet:
    """A contact sheet of one clip, as a data URI, and what is said above it."""

    key: str
    words: str
    layer: str
    picture: str


def _sheets(workspace: Workspace, clips: Sequence[Clip]) -> list[Sheet]:
    """Contact sheets of a few clips with poses, each of another dive number, those with hand-placed joints first."""
    posed = [c for c in clips if is_complete(workspace, c.key) and best_layer(workspace, c.key)]
    layers = workspace.manual_layers()
    hand = {c.key for c in posed if any(workspace.pose_file(layer, c.key).is_file() for layer in layers)}
    posed.sort(key=lambda c: (c.key not in hand, c.key))
    chosen = list({c.action_type: c for c in reversed(posed)}.values())[::-1][:SHEETS]
    sheets = []
    for clip in chosen:
        layer = best_layer(workspace, clip.key)
        with suppress(FdposeError):  # a damaged clip is among the findings; the report shows the others
            assert layer
            frames, poses = open_frames(workspace, clip.key), read_poses(workspace.pose_file(layer, clip.key))
            picture = contact_sheet(
                frames, poses, evenly_spaced(frames.numbers, SHEET_FRAMES), clip, layer=layer, columns=4, titled=False
            )
            sheets.append(Sheet(str(clip.key), about_dive(clip), layer, picture_uri(picture)))
    return sheets


def _findings(workspace: Workspace, findings: Sequence[Finding] | None) -> list[Kind]:
    """Findings by kind; labels, splits and poses are validated here where none are given."""
    from finediving_pose.validate import validate
    from finediving_pose.validate.kinds import by_kind

    return by_kind(validate(workspace, ignore=["frame"]) if findings is None else findings)


def _link(run: Path, target: Path) -> str:
    """Address of the run's own page, relative to the report. Raises UsageError where there is none."""
    page = run / "report.html"
    if not page.is_file():
        raise UsageError(f"{run}: has no report.html; finish the run with: fdpose benchmark --resume {run}")
    return quote(os.path.relpath(page, target.parent))
