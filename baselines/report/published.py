"""What has been published on FineDiving, to stand beside our own figures, never among them."""

from __future__ import annotations

from data_manifest import table

COLUMNS = {"rho": 4, "r_l2_x100": 3, "aiou_50": 2, "aiou_75": 2}
"""Metrics that papers print, and with how many digits."""

CAVEAT = "no spread over seeds is published, and the public code picks each figure's epoch on the test split"


def published_figures(with_number: bool) -> dict[str, tuple[float | None, ...]]:
    """Figures of :data:`COLUMNS` by method, of one protocol: with dive number, or without.

    Source: ``data_manifest/published.csv``.
    """
    protocol = "with" if with_number else "without"
    rows = [row for row in table("published.csv") if row["dive_number"] == protocol]
    return {row["method"]: tuple(float(row[c]) if row[c] else None for c in COLUMNS) for row in rows}
