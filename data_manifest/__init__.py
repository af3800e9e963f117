"""Facts about the data sets, no data: read with ``importlib.resources.files("data_manifest")``."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """Rows of one of the CSV files here, every value as text by the name of its column."""
    return tuple(csv.DictReader((files(__name__) / name).read_text(encoding="utf-8").splitlines()))
