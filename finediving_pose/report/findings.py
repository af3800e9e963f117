"""One self-contained HTML page about what is wrong: by rule, by video, each finding, with pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finediving_pose.clip import Clip
from finediving_pose.lexicon import awards_total
from finediving_pose.report import charts
from finediving_pose.report.evidence import Evidence, evidence
from finediving_pose.workspace import Workspace, atomic_write

if TYPE_CHECKING:
    from finediving_pose.validate import Finding
    from finediving_pose.validate.kinds import Kind

SHOWN = 200
PICTURES = 6
VIDEOS = 12
WORDS = {"error": "errors", "warning": "warnings", "note": "notes"}


@dataclass(frozen=True, slots=True)
class Section:
    """A kind of findings on the page.

    Attributes
    ----------
    kind : the rule and everything that it found
    pictures : a few of them to look at, for the rules on frames and poses
    """

    kind: Kind
    pictures: list[Evidence] = field(default_factory=list)

    @property
    def findings(self) -> Sequence[Finding]:
        """The first 200."""
        return self.kind.findings[:SHOWN]

    @property
    def more(self) -> int:
        return self.kind.count - len(self.findings)

    @property
    def has_values(self) -> bool:
        """Whether a finding says what should be there, beside its message."""
        return any(f.expected for f in self.findings)

    @property
    def paragraphs(self) -> list[str]:
        """The rule's reference, a paragraph each."""
        return [" ".join(p.split()) for p in self.kind.rule.reference.split("\n\n") if p.strip()]


SOURCES = {
    "finediving": "FineDiving",
    "mtl_aqa": "MTL-AQA",
    "synthetic": "synthetic dives",
    "unlabelled": "frame ranges",
}


def write_findings_page(
    findings: Sequence[Finding], target: Path, workspace: Workspace | None, clips: Sequence[Clip]
) -> Path:
    """Write the page of findings, whole or not at all.

    Parameters
    ----------
    findings : what the rules found, the gravest first
    target : the HTML file to write
    workspace : the data directory, for pictures; None where only label files were looked at
    clips : all clips that were looked at

    Returns
    -------
    Path of the file written.
    """
    from datetime import UTC, datetime

    from jinja2 import Environment, PackageLoader, StrictUndefined

    from finediving_pose.validate.kinds import in_short

    sections = _sections(findings, workspace, clips)
    videos = _by_video(findings)
    context = {
        "title": workspace.root.resolve().name if workspace else _source_names(clips),
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "tiles": _tiles(findings, clips),
        "sections": sections,
        "most": max((s.kind.count for s in sections), default=1),
        "meters": len({s.kind.count for s in sections}) > 1,
        "in_short": in_short([s.kind for s in sections]),
        "videos": videos if _tells(videos) else [],
        "in_videos": _in_videos(videos),
        "more_videos": max(0, len({f.key.video for f in findings if f.key}) - VIDEOS),
        "formula": _formula(findings, clips),
        "words": WORDS,
        "sources": SOURCES if len({f.source for f in findings}) > 1 else {},
    }
    environment = Environment(
        loader=PackageLoader("finediving_pose", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("findings.html.j2").render(context)
    with atomic_write(target) as part:
        part.write_text(page, encoding="utf-8")
    return target


def _tiles(findings: Sequence[Finding], clips: Sequence[Clip]) -> list[tuple[str, int, str]]:
    """(words, count, severity) of the header."""
    counts = Counter(f.severity for f in findings)
    shown = [s for s in WORDS if s != "note" or counts["note"]]
    tiles = [(WORDS[s] if counts[s] != 1 else s, counts[s], s) for s in shown]
    touched = len({(f.source, f.key) for f in findings if f.key})
    return [
        *tiles,
        (f"of {len(clips):,} clips touched", touched, ""),
        ("rules with findings", len({f.rule for f in findings}), ""),
    ]


def _sections(findings: Sequence[Finding], workspace: Workspace | None, clips: Sequence[Clip]) -> list[Section]:
    """The gravest first, then the most frequent."""
    from finediving_pose.progress import track
    from finediving_pose.validate.kinds import by_kind

    kinds = by_kind(findings)
    sections = []
    for kind in track(kinds, "writing the page", "rules") if workspace else kinds:
        on_pictures = workspace and kind.rule.scope in ("frames", "poses")
        pictures = evidence(workspace, kind.findings, clips, PICTURES) if workspace and on_pictures else []
        sections.append(Section(kind, pictures))
    return sections


def _tells(videos: Sequence[tuple[str, dict[str, int]]]) -> bool:
    """Whether bars of the videos would differ; equal ones say nothing that a sentence does not."""
    return len({sum(counts.values()) for _, counts in videos}) > 1


def _in_videos(videos: Sequence[tuple[str, dict[str, int]]]) -> str:
    """Which video has most findings, in words; nothing where no finding is about a clip."""
    if not videos:
        return ""
    totals = [(video, sum(counts.values())) for video, counts in videos]
    video, most = totals[0]
    if len(totals) == 1:
        return f"All findings on clips are in {video}."
    if _tells(videos):
        return f"{video} has most findings: {most:,}."
    return f"{len(totals)} videos have findings, each {most:,}."


def _by_video(findings: Sequence[Finding]) -> list[tuple[str, dict[str, int]]]:
    """The videos with most findings: (video, count by severity)."""
    videos = Counter(f.key.video for f in findings if f.key).most_common(VIDEOS)
    counts = Counter((f.key.video, f.severity) for f in findings if f.key)
    return [(video, {s: counts[video, s] for s in WORDS if counts[video, s]}) for video, _ in videos]


def _formula(findings: Sequence[Finding], clips: Sequence[Clip]) -> dict[str, Any] | None:
    """Listed scores against awards x difficulty, where a score does not fit its awards."""
    odd = {(f.source, f.key) for f in findings if f.rule.startswith(("label.score", "label.award", "label.difficulty"))}
    points: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for c in clips:
        total = awards_total(c.judge_scores, c.synchronised)
        if total is not None and c.difficulty is not None and c.dive_score is not None:
            points[(c.source, c.key) in odd].append((total * c.difficulty, c.dive_score))
    if not points[True]:
        return None
    return {
        "svg": charts.formula(points[False], points[True]),
        "odd": len(points[True]),
        "all": sum(map(len, points.values())),
        "edge": f"{charts.SCORE_EDGE:g}",
    }


def _source_names(clips: Sequence[Clip]) -> str:
    return "Labels of " + (" and ".join(SOURCES[s] for s in sorted({c.source for c in clips})) or "no dives")
