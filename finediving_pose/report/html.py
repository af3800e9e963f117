"""One self-contained HTML file about a data directory: labels, poses and findings."""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError, LexiconError, UsageError
from finediving_pose.frames import is_complete, open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.lexicon import parse_dive_number
from finediving_pose.poses import best_layer, read_poses
from finediving_pose.report import charts
from finediving_pose.workspace import Workspace, atomic_write

if TYPE_CHECKING:
    from finediving_pose.validate import Finding

SHEETS, SHEET_FRAMES = 3, 12
MOST_DIVE_NUMBERS = 10
EXAMPLES = 5


def write_report(
    workspace: Workspace,
    target: Path,
    run: Path | None = None,
    extra: dict[str, dict[str, Any]] | None = None,
    findings: Sequence[Finding] | None = None,
) -> Path:
    """Write the report, whole or not at all; sections without material are left out.

    Parameters
    ----------
    workspace : the data directory; its clips table has to exist, frames and poses may
    target : the HTML file to write
    run : folder of a run or a study of ``fdpose benchmark``, whose page is linked
    extra : tables of names and values by their title, e.g. the pose estimator's accuracy
    findings : what ``validate`` found; where not given, labels, splits and poses are validated here

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

    clips = read_clips(workspace)
    context = {
        "title": workspace.root.resolve().name,
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "data": _data(workspace, clips),
        "sheets": _sheets(workspace, clips),
        "findings": _findings(workspace, findings),
        "pictures_checked": findings is not None,
        "run": {"name": run.name, "page": _link(run, target)} if run else None,
        "extra": extra or {},
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
        "scores": charts.histogram(scores, "dive score") if any(scores.values()) else None,
        "numbers": charts.bars({_in_words(n): k for n, k in shown}) if shown else None,
        "more_numbers": len(numbers) - len(shown),
    }


@dataclass(frozen=True, slots=True)
class Sheet:
    """A contact sheet of one clip, as a data URI, and what is said above it."""

    key: str
    words: str
    layer: str
    picture: str


def _sheets(workspace: Workspace, clips: Sequence[Clip]) -> list[Sheet]:
    """Contact sheets of a few clips with poses, each of another dive number, those with hand-placed joints first."""
    from finediving_pose.report.contact_sheet import contact_sheet, evenly_spaced

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
            picture = contact_sheet(frames, poses, evenly_spaced(frames.numbers, SHEET_FRAMES), clip, layer=layer)
            sheets.append(Sheet(str(clip.key), _about(clip), layer, _data_uri(picture)))
    return sheets


def _findings(workspace: Workspace, findings: Sequence[Finding] | None) -> list[dict[str, Any]]:
    """Findings by rule: the gravest first, then the most frequent."""
    from finediving_pose.validate import RULES, SEVERITIES, validate

    found = validate(workspace, ignore=["frame"]) if findings is None else findings
    by_rule: dict[str, list[Finding]] = {}
    for f in found:
        by_rule.setdefault(f.rule, []).append(f)
    rows = [
        {
            "rule": name,
            "severity": RULES[name].severity,
            "says": RULES[name].says,
            "count": len(fs),
            "examples": [(f.place, f.message) for f in fs[:EXAMPLES]],
            "more": max(0, len(fs) - EXAMPLES),
        }
        for name, fs in by_rule.items()
    ]
    return sorted(rows, key=lambda r: (SEVERITIES.index(r["severity"]), -r["count"]))


def _link(run: Path, target: Path) -> str:
    """Address of the run's own page, relative to the report. Raises UsageError where there is none."""
    page = run / "report.html"
    if not page.is_file():
        raise UsageError(f"{run}: has no report.html; finish the run with: fdpose benchmark --resume {run}")
    return quote(os.path.relpath(page, target.parent))


def _about(clip: Clip) -> str:
    """``5253b, back 2 1/2 somersaults 1 1/2 twists, pike; 10 m; score 76.8``."""
    parts = [_in_words(clip.action_type)] if clip.action_type else []
    parts += [f"{clip.height_m:g} m"] if clip.height_m else []
    parts += [f"score {clip.dive_score:g}"] if clip.dive_score is not None else []
    return "; ".join(parts)


def _in_words(number: str | None) -> str:
    try:
        return f"{number}  {parse_dive_number(number or '').words()}"
    except LexiconError:
        return number or ""


def _data_uri(picture: Any) -> str:
    import simplejpeg

    return "data:image/jpeg;base64," + base64.b64encode(simplejpeg.encode_jpeg(picture, quality=88)).decode()
