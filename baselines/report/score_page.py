"""The page of scored dives: score and interval, what cost points, and the pictures of it. One file, no server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from baselines.report.scores import (
    MATTERS,
    NEAREST,
    compared_with,
    costliest,
    interval_in_words,
    scorer_in_words,
    seen_first,
    stage_names,
    warnings_of,
)
from baselines.report.wording import differs, number
from baselines.runs.predictions import Vote
from baselines.scorer.faults import Fault
from baselines.scorer.predict import Score
from baselines.scorer.run import ScoredDive
from finediving_pose.report.contact_sheet import dive_in_words
from finediving_pose.workspace import atomic_write


@dataclass(frozen=True, slots=True)
class Scale:
    """Where points lie on a line from the lowest to the highest of a dive's scores, in percent of its length."""

    low: float
    high: float

    @classmethod
    def of(cls, score: Score) -> Scale:
        """A line that holds the score, its interval, its exemplars and what judges gave."""
        values = [score.points, score.exemplars_mean, *(c.dive_score or 0.0 for c in score.exemplars)]
        values += [] if score.clip.dive_score is None else [score.clip.dive_score]
        values += [end for interval in score.intervals for end in (interval.low, interval.high)]
        margin = max((max(values) - min(values)) * 0.04, 0.5)
        return cls(min(values) - margin, max(values) + margin)

    def place(self, points: float) -> float:
        """Percent from the left."""
        return round(100 * (points - self.low) / (self.high - self.low), 2)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage as the page shows it: points above the exemplars (None where stages are not told) and a picture."""

    name: str
    points: float | None
    picture: str
    costs_most: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A scored dive with what its part of the page shows."""

    dive: ScoredDive

    @property
    def score(self) -> Score:
        return self.dive.score

    @property
    def about(self) -> str:
        """The dive in words."""
        clip = self.score.clip
        parts = [
            dive_in_words(clip.action_type) if clip.action_type else "",
            f"{clip.height_m:g} m" if clip.height_m else "",
        ]
        parts += [f"difficulty {clip.difficulty:g}" if clip.difficulty else ""]
        parts += [f"judges gave {clip.dive_score:.1f}" if clip.dive_score is not None else ""]
        return "; ".join(filter(None, parts))

    @property
    def interval(self) -> str:
        return interval_in_words(self.score)

    @property
    def compared_with(self) -> str:
        return compared_with(self.score)

    @property
    def warnings(self) -> list[str]:
        return warnings_of(self.score)

    @property
    def scale(self) -> Scale:
        return Scale.of(self.score)

    @property
    def stages(self) -> list[Stage]:
        """The stages that the dive has; the whole dive where none are told."""
        pictures, points = self.dive.stage_pictures, self.score.stages
        names = stage_names(self.score)
        there = [n for n in range(len(names)) if n < len(pictures) and pictures[n]]
        most = costliest(self.score)
        return [Stage(names[n], points[n] if points else None, pictures[n], n == most) for n in there]

    @property
    def largest(self) -> float:
        """Points that the longest bar stands for."""
        return max([abs(p) for p in self.score.stages] + [1.0])

    @property
    def faults(self) -> list[Fault]:
        """Those that are seen first."""
        return seen_first(self.dive.faults)

    @property
    def moments(self) -> list[tuple[str, str]]:
        """Pictures of the frames that show faults, and what they show."""
        shown = []
        for frame, picture in self.dive.moments.items():
            faults = [f"{f.words} {f.text}" for f in self.dive.faults if f.frame == frame]
            shown.append((picture, f"frame {frame}: {', '.join(faults)}"))
        return shown

    @property
    def nearest(self) -> tuple[Vote, ...]:
        return self.score.nearest[:NEAREST]


def breakable(name: object) -> Markup:
    """A name as HTML whose line may break between the parts of a long video name, and nowhere else."""
    return Markup(str(escape(str(name))).replace("_", "_<wbr>"))


def write_score_page(target: Path, dives: Sequence[ScoredDive], about: dict[str, Any]) -> Path:
    """Write the page of some dives, whole or not at all.

    ``about`` is what :func:`baselines.report.scores.about_scorer` says. Raises FdposeError where it can't be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("baselines", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"figure": number, "signed": differs, "breakable": breakable}
    page = environment.get_template("score.html.j2").render(
        sections=[Section(dive) for dive in dives],
        scorer=scorer_in_words(about),
        file=Path(about["file"]).name,
        synthetic=about["learned_from"] == ["synthetic"],
        matters=MATTERS,
    )
    with atomic_write(target) as part:
        part.write_text(page, encoding="utf-8")
    return target
