"""The clips table, ``clips.parquet``: one row a clip, every field of :class:`~finediving_pose.clip.Clip` a column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finediving_pose.clip import Clip, composed
from finediving_pose.errors import LabelError, UsageError
from finediving_pose.labels.cells import COLUMNS, check_columns, clip_of_cells
from finediving_pose.parquet import read_parquet
from finediving_pose.workspace import Workspace, atomic_write, remove_part_files

if TYPE_CHECKING:
    from pandas import DataFrame

_LISTS = ("judge_scores", "stage_starts", "sub_actions")


def write_clips(path: Path, clips: Iterable[Clip]) -> None:
    """Write the table, sorted by key, whole or not at all.

    Raises LabelError where a clip's values are none that :func:`read_clips` would give back.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [_row(c) for c in sorted(clips, key=lambda c: c.key)]
    for row in rows:
        clip_of_cells(row)
    remove_part_files(path)
    with atomic_write(path) as part:
        pq.write_table(pa.Table.from_pylist(rows, schema=_schema()), part)


def read_clips(workspace: Workspace) -> list[Clip]:
    """All clips of a workspace, sorted by key.

    Raises LabelError where there is no readable table, or where it holds what no clip can be, naming clip and column.
    """
    path = workspace.clips_table
    try:
        table = read_parquet(path, "a clips table", LabelError)
    except FileNotFoundError:
        raise LabelError(
            f"{path}: no clips table; make one with: fdpose extract --videos PATH (and --labels PATH, if there are"
            " any), or try fdpose demo"
        ) from None
    try:
        check_columns(table.column_names)
        clips = [clip_of_cells(row) for row in table.select(list(COLUMNS)).to_pylist()]
    except LabelError as e:
        raise LabelError(f"{path}: {e}") from None
    except ValueError as e:  # text that is no UTF-8
        raise LabelError(f"{path}: not a clips table ({e}); run fdpose extract again") from e
    clips.sort(key=lambda c: c.key)
    for before, clip in pairwise(clips):
        if before.key == clip.key:
            raise LabelError(f"{path}: {clip.key} is there twice; keep one of its rows")
    return clips


def to_pandas(clips: Iterable[Clip]) -> DataFrame:
    """The clips as a pandas DataFrame: one row a clip in the order given, the columns of ``clips.parquet``.

    Text has the dtype ``str`` (missing: NaN), whole numbers ``Int64`` and flags ``boolean`` (missing: NA), reals
    ``float64`` (missing: NaN). ``judge_scores``, ``stage_starts`` and ``sub_actions`` hold a list each, empty where
    missing. For the table of a data directory: ``to_pandas(read_clips(workspace))``.
    """
    import pandas as pd
    import pyarrow as pa

    dtypes = {pa.string(): "str", pa.int64(): "Int64", pa.float64(): "float64", pa.bool_(): "boolean"}
    rows = [_row(c) for c in clips]
    return pd.DataFrame(
        {f.name: pd.Series([r[f.name] for r in rows], dtype=dtypes.get(f.type, "object")) for f in _schema()}
    )


def select(clips: Sequence[Clip], keys: Sequence[str] = (), split: str | None = None) -> list[Clip]:
    """The clips named by ``keys`` (``video/index``, or a video for all its dives) and in ``split``.

    Raises
    ------
    UsageError
        A key names no clip of the table.
    """
    chosen = [c for c in clips if split is None or c.split == split]
    keys = [composed(key) for key in keys]
    if not keys:
        return chosen
    for key in keys:
        if not any(key in (str(c.key), c.key.video) for c in clips):
            raise UsageError(f"--clip {key}: no such clip among the {len(clips)} of the table; write it as video/index")
    return [c for c in chosen if str(c.key) in keys or c.key.video in keys]


def _row(clip: Clip) -> dict[str, Any]:
    row: dict[str, Any] = {"video": clip.key.video, "index": clip.key.index}
    for field in fields(Clip):
        if field.name != "key":
            value = getattr(clip, field.name)
            row[field.name] = list(value) if field.name in _LISTS else value
    return row


def _schema() -> Any:
    import pyarrow as pa

    text, whole, real = pa.string(), pa.int64(), pa.float64()
    types = {
        "video": text, "index": whole, "split": text, "action_type": text, "difficulty": real, "dive_score": real,
        "judge_scores": pa.list_(real), "start_frame": whole, "end_frame": whole, "n_frames": whole, "fps": real,
        "height_m": real, "synchronised": pa.bool_(), "stage_starts": pa.list_(whole), "sub_actions": pa.list_(whole),
        "source": text, "image_width": whole, "image_height": whole,
    }  # fmt: skip
    return pa.schema(list(types.items()))
