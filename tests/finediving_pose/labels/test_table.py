"""The clips table gives back every field, missing ones too."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LabelError, UsageError
from finediving_pose.labels.table import read_clips, select, write_clips
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
