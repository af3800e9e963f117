"""A clips table that was edited by hand is read as it is meant, or its clip and column are told."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LabelError
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.workspace import Workspace

CLIPS = [
    Clip(
        ClipKey("men", i), "train", "107b", 3.0, 72.0, (8.0,) * 7, 100 * i, 100 * i + 90, 91, 25.0, 10.0, False,
        (20, 60), (1, 2, 3), "finediving", 455, 256,
    )
    for i in range(3)
]  # fmt: skip

Rows = list[dict[str, Any]]


@pytest.fixture
def table(workspace: Workspace) -> Workspace:
    write_clips(workspace.clips_table, CLIPS)
    return workspace


def edit(workspace: Workspace, change: Callable[[Rows], object]) -> None:
    rows = pq.read_table(workspace.clips_table).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows), workspace.clips_table)


def put(column: str, value: Any) -> Callable[[Rows], object]:
    """In the second row; in a column of text, in all rows."""

    def change(rows: Rows) -> None:
        for row in rows if isinstance(value, str) else rows[1:2]:
            row[column] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put("split", "Train"), "men/0: split is 'Train', not a split: train, test, none"),
        (put("split", "validation"), "men/0: split is 'validation', not a split"),
        (put("split", None), "men/1: split is missing"),
        (put("source", "imaginary"), "men/0: source is 'imaginary', not a data set: finediving, mtl_aqa"),
        (put("difficulty", math.nan), "men/1: difficulty is nan, not a finite number; leave a missing value empty"),
        (put("dive_score", math.inf), "men/1: dive_score is inf"),
        (put("dive_score", "72"), "men/0: dive_score is '72', not a finite number"),
        (put("judge_scores", [8.0, math.nan]), r"men/1: judge_scores is [8.0, nan], not a list of finite numbers"),
        (put("judge_scores", [8.0, None]), "men/1: judge_scores is [8.0, None]"),
        (put("judge_scores", "8 8 8"), "men/0: judge_scores is '8 8 8'"),
        (put("start_frame", -1), "men/1: start_frame is -1, not a whole number, 0 or more"),
        (put("start_frame", 2**40), "men/1: start_frame is 1099511627776"),
        (put("end_frame", 5), "men/1: ends at frame 5, before its start"),
        (put("index", 0), "men/0 is there twice"),
        (put("index", None), "men/None: index is missing"),
        (put("video", "a/b"), "'a/b' can't be a folder name"),
        (put("video", None), "video is missing"),
        (put("action_type", "107b\x1b[31m"), "men/0: action_type is '107b\\x1b[31m', not text"),
        (put("stage_starts", [20]), "men/1: 3 sub-actions but 1 stage starts"),
        (put("stage_starts", [-1, 5]), "men/1: stage_starts is [-1, 5]"),
        (put("synchronised", "yes"), "men/0: synchronised is 'yes', not true or false"),
        (put("notes", "mine"), "the column 'notes' is unknown"),
        (lambda rows: [row.pop("split") for row in rows], "no column 'split'; add it, with empty cells"),
        (lambda rows: [row.pop("index") for row in rows], "no column 'index'"),
    ],
)
def test_what_is_wrong_is_told_with_clip_and_column(
    table: Workspace, change: Callable[[Rows], object], says: str
) -> None:
    edit(table, change)
    with pytest.raises(LabelError) as caught:
        read_clips(table)
    assert says in str(caught.value) and str(caught.value).startswith(str(table.clips_table))
    for command in ("validate", "pack", "info"):
        run = CliRunner().invoke(main, [command, "--data", str(table.root)])
        assert run.exit_code == 1 and says in run.stderr
        assert len(run.stderr.strip().splitlines()) == 1


def test_a_table_edited_with_pandas_is_read(table: Workspace) -> None:
    """Whole numbers become real where one is missing, rows get out of order, and an index is added."""
    frame = pd.read_parquet(table.clips_table)
    frame["start_frame"] = frame["start_frame"].astype(float)
    frame.loc[1, ["start_frame", "end_frame"]] = None
    frame = frame.sort_values("dive_score").iloc[::-1]
    frame.to_parquet(table.clips_table)
    found = read_clips(table)
    assert [c.key.index for c in found] == [0, 1, 2]
    assert found[1].start_frame is None and found[2].start_frame == 200 and found[0] == CLIPS[0]


@pytest.mark.parametrize("clip", [Clip(ClipKey("v", 1), judge_scores=(math.nan,)), Clip(ClipKey("v", 1), fps=math.inf)])
def test_what_could_not_be_read_is_not_written(workspace: Workspace, clip: Clip) -> None:
    with pytest.raises(LabelError, match="v/1: "):
        write_clips(workspace.clips_table, [clip])
    assert not workspace.clips_table.exists()


def test_a_small_file_of_many_rows_or_long_texts_is_refused(table: Workspace) -> None:
    rows = pq.read_table(table.clips_table)
    pq.write_table(pa.concat_tables([rows] * 400_000).combine_chunks(), table.clips_table)
    with pytest.raises(LabelError, match=r"1,200,000 rows, more than the 1,000,000 that a clips table may have"):
        read_clips(table)
    edited = rows.to_pylist()
    edited[0]["action_type"] = "x" * 10**6
    pq.write_table(pa.Table.from_pylist(edited * 50), table.clips_table)
    with pytest.raises(LabelError, match="column action_type has a text of 1,000,000 bytes"):
        read_clips(table)


@pytest.mark.parametrize("field", ["split", "source"])
def test_a_clip_has_no_other_split_or_source(field: str) -> None:
    with pytest.raises(LabelError, match=f"v/1: {field} is 'Train', not a {field}; it can be"):
        Clip(ClipKey("v", 1), **dict[str, Any]({field: "Train"}))
