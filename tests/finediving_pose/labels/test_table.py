"""The clips table gives back every field, missing ones too."""

import pandas as pd
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LabelError, UsageError
from finediving_pose.labels.table import read_clips, select, to_pandas, write_clips
from finediving_pose.workspace import Workspace


@st.composite
def clips(draw: st.DrawFn) -> Clip:
    n_stages = draw(st.sampled_from([0, 3, 4, 5]))
    start = draw(st.none() | st.integers(0, 10**6))
    return Clip(
        key=ClipKey(draw(st.sampled_from(["01", "Men10m", "Женщины 3m"])), draw(st.integers(0, 99))),
        split=draw(st.sampled_from(["train", "test", "none"])),
        action_type=draw(st.none() | st.sampled_from(["5253b", "107b"])),
        difficulty=draw(st.none() | st.floats(1, 5)),
        judge_scores=tuple(draw(st.lists(st.sampled_from([0.0, 7.5, 10.0]), max_size=7))),
        start_frame=start,
        end_frame=None if start is None else start + 90,
        n_frames=draw(st.none() | st.integers(1, 300)),
        synchronised=draw(st.none() | st.booleans()),
        stage_starts=tuple(range(5, 5 + n_stages - 1)) if n_stages else (),
        sub_actions=tuple(range(n_stages)),
        source=draw(st.sampled_from(["finediving", "mtl_aqa", "synthetic", "unlabelled"])),
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(clips(), max_size=8, unique_by=lambda c: c.key))
def test_the_table_gives_back_what_went_in(tmp_path_factory, rows):
    workspace = Workspace(tmp_path_factory.mktemp("table"))
    write_clips(workspace.clips_table, rows)
    assert read_clips(workspace) == sorted(rows, key=lambda c: c.key)


def test_a_missing_table_says_how_to_make_one(workspace):
    with pytest.raises(LabelError, match="fdpose extract --videos"):
        read_clips(workspace)


def test_selection_by_clip_by_video_and_by_split():
    rows = [Clip(ClipKey("A", 1), split="train"), Clip(ClipKey("A", 2), split="test"), Clip(ClipKey("B", 1))]
    assert [str(c.key) for c in select(rows, ["A/2"])] == ["A/2"]
    assert [str(c.key) for c in select(rows, ["A"])] == ["A/1", "A/2"]
    assert [str(c.key) for c in select(rows, ["A"], split="train")] == ["A/1"]
    assert select(rows) == rows
    with pytest.raises(UsageError, match="--clip C/1: no such clip"):
        select(rows, ["C/1"])


@settings(max_examples=30, deadline=None)
@given(st.lists(clips(), max_size=8, unique_by=lambda c: c.key))
def test_a_data_frame_has_every_field_and_says_what_is_missing(tmp_path_factory, rows):
    """Its columns are those of the file; pandas writes and reads it as any other table."""
    workspace = Workspace(tmp_path_factory.mktemp("table"))
    table = to_pandas(rows)
    write_clips(workspace.clips_table, rows)
    assert list(table.columns) == pyarrow.parquet.read_schema(workspace.clips_table).names
    assert [ClipKey(v, i) for v, i in zip(table["video"], table["index"], strict=True)] == [c.key for c in rows]
    for name in set(table.columns) - {"video", "index"}:
        for value, clip in zip(table[name], rows, strict=True):
            known = getattr(clip, name)
            if isinstance(known, tuple):
                assert value == list(known)
            else:
                assert pd.isna(value) if known is None else value == known


def test_a_data_frame_has_one_type_a_column_whatever_is_missing():
    some, none = Clip(ClipKey("v", 1), action_type="107b", n_frames=9, synchronised=True), Clip(ClipKey("v", 1))
    assert to_pandas([some]).dtypes.equals(to_pandas([none]).dtypes)
    dtypes = to_pandas([]).dtypes.astype(str).to_dict()
    assert (dtypes["action_type"], dtypes["difficulty"]) == ("str", "float64")
    assert (dtypes["n_frames"], dtypes["synchronised"], dtypes["judge_scores"]) == ("Int64", "boolean", "object")
