"""Measures as tables: one row a frame and diver, or one row a diver and dive; Parquet, CSV and plain values for JSON.

Every quantity has three columns: the number, its error bar (``_error``), and why there is no number (``_why``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.clip import Clip
from finediving_pose.kinematics.error_bars import error_of
from finediving_pose.kinematics.measure import DiverMeasures
from finediving_pose.kinematics.quantities import DIVE_QUANTITIES, FRAME_QUANTITIES, PAIR_QUANTITIES
from finediving_pose.kinematics.readings import Reason, Value
from finediving_pose.lexicon import SUB_ACTIONS
from finediving_pose.spreadsheet import write_csv
from finediving_pose.workspace import atomic_write

_LABELS = [reason.label for reason in Reason]


def _three(name: str) -> tuple[str, str, str]:
    return name, f"{name}_error", f"{name}_why"


FRAME_COLUMNS = (
    "video", "index", "person", "frame", "time_s", "stage",
    *(column for name in FRAME_QUANTITIES for column in _three(name)),
)  # fmt: skip
DIVE_COLUMNS = (
    "video", "index", "person", "dive_number", "platform_m", "take_off_frame", "touch_frame", "take_off_from",
    "head_first", "half_turns", "half_somersaults_expected", "count_agrees",
    *(column for name in (*DIVE_QUANTITIES, *PAIR_QUANTITIES) for column in _three(name)),
)  # fmt: skip


def frame_rows(clip: Clip, divers: Sequence[DiverMeasures]) -> list[dict[str, Any]]:
    """One row a frame and diver, by :data:`FRAME_COLUMNS`; None where there is nothing."""
    stages = [SUB_ACTIONS.get(s) for s in clip.frame_labels()]
    rows = []
    for diver in divers:
        times, case = diver.line.times, diver.line.case(len(divers) == 2)
        bars = {name: _number(error_of(name, case)) for name in FRAME_QUANTITIES}
        for i, frame in enumerate(diver.frames):
            row: dict[str, Any] = {"video": clip.key.video, "index": clip.key.index, "person": diver.person}
            row |= {"frame": frame, "time_s": None if times is None else round(float(times[i]), 6)}
            row["stage"] = stages[i] if i < len(stages) else None
            for name in FRAME_QUANTITIES:
                series = diver.series[name]
                number = _number(series.values[i])
                cells = (number, None if number is None else bars[name], _LABELS[series.reason[i]])
                row |= dict(zip(_three(name), cells, strict=True))
            rows.append(row)
    return rows


def dive_rows(clip: Clip, divers: Sequence[DiverMeasures]) -> list[dict[str, Any]]:
    """One row a diver, by :data:`DIVE_COLUMNS`; None where there is nothing."""
    rows = []
    for diver in divers:
        row: dict[str, Any] = {"video": clip.key.video, "index": clip.key.index, "person": diver.person}
        row |= {"dive_number": clip.action_type, "platform_m": clip.height_m}
        row |= {"take_off_frame": diver.take_off_frame, "touch_frame": diver.touch_frame}
        row |= {"take_off_from": diver.line.take_off_from, "head_first": diver.head_first}
        row["half_turns"] = None if diver.half_turns is None else _number(diver.half_turns)
        row |= {"half_somersaults_expected": diver.half_somersaults_expected, "count_agrees": diver.count_agrees}
        for name in (*DIVE_QUANTITIES, *PAIR_QUANTITIES):
            value = diver.values.get(name, Value.missing(Reason.NO_PARTNER))
            cells = (_number(value.value), _number(value.error), value.reason.label)
            row |= dict(zip(_three(name), cells, strict=True))
        rows.append(row)
    return rows


def _number(value: float) -> float | None:
    """The number to six digits, which is more than is measured; None for NaN."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def write_tables(parquet: Path, csv: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Write the same rows as Parquet and as CSV, each whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, _type(name)) for name in columns])
    with atomic_write(parquet) as part:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), part)
    write_csv(csv, columns, _cells(columns, rows))


def _cells(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> Iterable[list[Any]]:
    for row in rows:
        yield ["" if row[name] is None else row[name] for name in columns]


_TEXTS = {"video", "stage", "dive_number", "take_off_from"}
_WHOLE = {"index", "person", "frame", "take_off_frame", "touch_frame", "half_somersaults_expected"}


def _type(column: str) -> Any:
    import pyarrow as pa

    if column in _TEXTS or column.endswith("_why"):
        return pa.string()
    if column in ("head_first", "count_agrees"):
        return pa.bool_()
    return pa.int64() if column in _WHOLE else pa.float64()
