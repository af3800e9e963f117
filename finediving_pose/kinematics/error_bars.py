"""Error bars of what is measured, as found on synthetic dives whose truth is known, with machine poses.

The table is ``data_manifest/kinematics_errors.csv``, written by ``benchmarks/kinematics_errors.py``. An error bar is
the 68th percentile of the absolute errors: two of three measurements are nearer to the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from data_manifest import table

TABLE = "kinematics_errors.csv"

Case = Literal["one", "two", "unlabelled", "still"]
"""Whose poses, and how the take-off was found: one diver or two with labelled stages before a camera that turns, or one
without labels, by the spin; before a camera that turns, or that stands still, which heights need."""


@dataclass(frozen=True, slots=True)
class ErrorBar:
    """How far a quantity is from the truth, in the unit that its name ends with.

    Attributes
    ----------
    median, p68, p95 : percentiles of the absolute error
    bias : mean of measured less true
    count : frames, or dives, that were measured
    measured : share of those that could have been
    """

    median: float
    p68: float
    p95: float
    bias: float
    count: int
    measured: float


@cache
def error_bars(case: Case = "one") -> dict[str, ErrorBar]:
    """Error bars by quantity."""
    rows = [r for r in table(TABLE) if r["case"] == case]
    parts = ("median", "p68", "p95", "bias", "measured")
    return {r["quantity"]: ErrorBar(count=int(r["count"]), **{k: float(r[k]) for k in parts}) for r in rows}


def error_of(quantity: str, case: Case = "one") -> float:
    """The error bar of a quantity in a case, else in the first case that it was measured in; NaN where in none."""
    for other in (case, *get_args(Case)):
        if quantity in error_bars(other):
            return error_bars(other)[quantity].p68
    return float("nan")
