"""What has been published on FineDiving, to stand beside our own figures, never among them."""

from __future__ import annotations

from dataclasses import dataclass

from baselines.runs.figures import Figures
from data_manifest import table

COLUMNS = {"rho": 4, "r_l2_x100": 3, "aiou_50": 2, "aiou_75": 2}
"""Metrics that papers print, and with how many digits."""

CAVEAT = "no spread over seeds is published, and most public code picks each figure's epoch on the test split"


@dataclass(frozen=True, slots=True)
class Published:
    """Figures of one method and protocol as somebody ran and published them."""

    method: str
    with_number: bool
    figures: Figures
    run_by: str
    source: str


def published() -> list[Published]:
    """All published figures that are known, those of different runs of one method beside each other.

    Source: ``data_manifest/published.csv``.
    """
    return [
        Published(
            row["method"],
            row["dive_number"] == "with",
            Figures(**{c: float(row[c]) for c in COLUMNS if row[c]}),
            row["run_by"],
            row["source"],
        )
        for row in table("published.csv")
    ]


def published_figures(with_number: bool) -> dict[str, tuple[float | None, ...]]:
    """Figures of :data:`COLUMNS` by method, of one protocol: with dive number, or without.

    Of a method that several have run it is the first, that of the tables of papers.
    """
    found: dict[str, tuple[float | None, ...]] = {}
    for row in published():
        if row.with_number == with_number:
            found.setdefault(row.method, tuple(getattr(row.figures, c) for c in COLUMNS))
    return found
