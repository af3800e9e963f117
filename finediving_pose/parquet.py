"""Parquet tables, read within bounds: a few bytes can stand for any number of equal rows or copies of a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from finediving_pose.errors import FdposeError, first_line

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 1_000_000
MOST_VALUES = 40 * MOST_ROWS
"""Values of one column, those in lists counted singly."""
LONGEST_TEXT = 1000
"""Bytes; the names of videos have 200 at most."""


def read_parquet(path: Path, what: str, error: type[FdposeError], columns: Sequence[str] | None = None) -> pa.Table:
    """The table of a Parquet file, text as dictionaries; of these ``columns`` only, as far as they are there.

    Raises ``error``, with ``what`` it should have been, where the file is no such table or goes beyond the bounds;
    FileNotFoundError where it is missing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            facts, schema = file.metadata, file.schema_arrow
            groups = [facts.row_group(i) for i in range(facts.num_row_groups)]
        values = [sum(g.column(j).num_values for g in groups) for j in range(facts.num_columns)]
        if facts.num_rows > MOST_ROWS or max(values, default=0) > MOST_VALUES:
            raise error(f"{path}: {facts.num_rows:,} rows, more than the {MOST_ROWS:,} that {what} may have")
        texts = [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            table = file.read(None if columns is None else [c for c in columns if c in schema.names])
        for name in (t for t in texts if t in table.column_names):
            _check_texts(table.column(name), f"{path}: column {name}", error)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, ValueError, OSError) as e:
        raise error(f"{path}: not {what} ({first_line(e)})") from e
    return table


def _check_texts(column: pa.ChunkedArray, where: str, error: type[FdposeError]) -> None:
    from pyarrow.compute import call_function

    for chunk in column.chunks:
        longest = call_function("max", [call_function("binary_length", [chunk.dictionary])]).as_py()
        if (longest or 0) > LONGEST_TEXT:
            raise error(f"{where} has a text of {longest:,} bytes; {LONGEST_TEXT:,} are allowed")
