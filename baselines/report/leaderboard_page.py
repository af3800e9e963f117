"""A leaderboard as one HTML page: no server, no other file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from baselines.report.leaderboard import (
    FLOOR,
    HOW,
    PUBLISHED,
    WORDS,
    Grid,
    commands,
    floor_of,
    grids_of,
    heading,
    name_of,
    notes,
    protocol,
    published_grid,
    verdict,
    warnings,
)
from baselines.report.wording import number
from baselines.runs.leaderboard import Leaderboard, Section
from finediving_pose.workspace import atomic_write


@dataclass(frozen=True, slots=True)
class Span:
    """A row's mean rho and its interval on a line, in percent of its length from the left."""

    name: str
    low: float
    at: float
    high: float
    strong: bool
    words: str


@dataclass(frozen=True, slots=True)
class ShownSection:
    """What the page shows of a section."""

    section: Section

    @property
    def title(self) -> str:
        return protocol(self.section)

    @property
    def verdict(self) -> str:
        return verdict(self.section)

    @property
    def notes(self) -> list[str]:
        return list(notes(self.section))

    @property
    def grids(self) -> tuple[tuple[str, Grid], ...]:
        return grids_of(self.section)

    @property
    def spans(self) -> list[Span]:
        """Rows whose rho has an interval."""
        known = []
        for n, row in enumerate(self.section.rows):
            low, high = row.intervals.get("rho", (None, None))
            if low is not None and high is not None and row.mean.rho is not None:
                known.append((n, row, low, high, row.mean.rho))
        if not known:
            return []
        start, end = self.ends
        return [
            Span(
                name_of(row),
                *(round(100 * (value - start) / (end - start), 2) for value in (low, rho, high)),
                strong=self.section.proven and n == self.section.best,
                words=f"{number(rho, 3)}, 95 % {number(low, 3)} to {number(high, 3)}",
            )
            for n, row, low, high, rho in known
        ]

    @property
    def ends(self) -> tuple[float, float]:
        """Rho at both ends of the line that :attr:`spans` lie on."""
        values = [
            v for row in self.section.rows for v in (*row.intervals.get("rho", ()), row.mean.rho) if v is not None
        ]
        low, high = min(values, default=0.0), max(values, default=1.0)
        margin = max((high - low) * 0.05, 0.01)
        return max(low - margin, -1.0), min(high + margin, 1.0)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Marks on the line: place in percent, and rho."""
        start, end = self.ends
        step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if (end - start) / s <= 8)
        first, last = math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9)
        return [(100 * (n * step - start) / (end - start), number(n * step, 2)) for n in range(first, last + 1)]

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Names of rows and what makes them again."""
        return [(name_of(row), command) for row in self.section.rows for command in commands(row)]


def write_leaderboard_page(target: Path, leaderboard: Leaderboard) -> Path:
    """Write the page, whole or not at all. Raises FdposeError where it can't be written."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("baselines", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    page = environment.get_template("leaderboard.html.j2").render(
        warnings=list(warnings(leaderboard)),
        boards=[
            (heading(board), [ShownSection(section) for section in board.sections], floor_of(board))
            for board in leaderboard.boards
        ],
        floor_words=FLOOR,
        left_out=leaderboard.left_out,
        how=HOW,
        published=published_grid(),
        published_words=PUBLISHED,
        words=WORDS,
    )
    with atomic_write(target) as part:
        part.write_text(page, encoding="utf-8")
    return target
