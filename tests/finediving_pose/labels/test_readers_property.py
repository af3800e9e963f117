"""Any dive, written in upstream's layout, comes back as it went in."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.labels.read import read_labels
from finediving_pose.labels.unpickler import load_pickle
from finediving_pose.lexicon import SUB_ACTIONS

AWARD = st.integers(0, 20).map(lambda n: n / 2)
NUMBERS = st.from_regex(r"[1-4]0[1-9][abc]|5[1-4][1-9][1-9][bd]|6[12][1-9][bc]", fullmatch=True)


@st.composite
def dives(draw: st.DrawFn) -> Clip:
    """A dive of three to five stages, of any panel."""
    lengths = draw(st.lists(st.integers(1, 30), min_size=3, max_size=5))
    ids = draw(st.lists(st.sampled_from(sorted(SUB_ACTIONS)), min_size=len(lengths), max_size=len(lengths)))
    for i in range(1, len(ids)):
        if ids[i] == ids[i - 1]:  # a change of label is what makes a stage
            ids[i] = next(s for s in sorted(SUB_ACTIONS) if s not in (ids[i - 1], *ids[i + 1 : i + 2]))
    start = draw(st.integers(0, 10**6))
    return Clip(
        ClipKey(draw(st.sampled_from(["Worlds_Men10m_final_r1", "Cup_Women3mSynchronised_r2", "07"])), 0),
        draw(st.sampled_from(["train", "test", "none"])),
        draw(NUMBERS),
        draw(st.integers(12, 49)) / 10,
        draw(st.integers(0, 12000)) / 100,
        tuple(draw(st.sampled_from([3, 5, 7]).flatmap(lambda n: st.lists(AWARD, min_size=n, max_size=n)))),
        start,
        start + sum(lengths) - 1,
        sum(lengths),
        stage_starts=tuple(int(x) for x in np.cumsum(lengths)[:-1]),
        sub_actions=tuple(ids),
    )


def numbered(clips: list[Clip]) -> list[Clip]:
    return [Clip(ClipKey(c.key.video, i), *_rest(c)) for i, c in enumerate(clips)]


def _rest(clip: Clip) -> list[Any]:
    return [getattr(clip, name) for name in Clip.__dataclass_fields__ if name != "key"]


def write_finediving(folder: Path, clips: list[Clip], as_arrays: bool, training_only: bool) -> None:
    """The five files; ``steps_transit_frames`` count one less than the frame where the label changes."""
    keys = [(c.key.video, c.key.index) for c in clips]
    coarse = {
        k: {
            "action_type": (c.action_type or "").upper(), "start_frame": c.start_frame, "end_frame": c.end_frame,
            "dive_score": c.dive_score, "difficulty": c.difficulty, "judge_scores": list(c.judge_scores),
        }
        for k, c in zip(keys, clips, strict=True)
    }  # fmt: skip
    as_list: Any = np.array if as_arrays else list
    fine = {
        k: {
            "action_type": c.action_type, "dive_score": c.dive_score, "difficulty": c.difficulty,
            "steps_transit_frames": as_list([s - 1 for s in c.stage_starts]),
            "frames_labels": as_list(c.frame_labels()),
            "sub-action_types": {s: SUB_ACTIONS[s] for s in c.sub_actions},
        }
        for k, c in zip(keys, clips, strict=True)
    }  # fmt: skip
    training = {k: list(v.values())[:5] for k, v in fine.items()}
    contents: dict[str, Any] = {"coarse.pkl": coarse, "aqa.pkl": training}
    contents |= {} if training_only else {"fine.pkl": fine}
    for split in ("train", "test"):
        contents[f"{split}_split.pkl"] = [k for k, c in zip(keys, clips, strict=True) if c.split == split]
    for name, content in contents.items():
        (folder / name).write_bytes(pickle.dumps(content))


@settings(max_examples=60, deadline=None)
@given(st.lists(dives(), min_size=1, max_size=6), st.booleans(), st.booleans())
def test_finediving_files_give_back_every_dive(
    tmp_path_factory: pytest.TempPathFactory, clips: list[Clip], as_arrays: bool, training_only: bool
) -> None:
    folder = tmp_path_factory.mktemp("labels")
    clips = numbered(clips)
    write_finediving(folder, clips, as_arrays, training_only)
    read = {c.key: c for c in read_labels(folder)}
    assert set(read) == {c.key for c in clips}
    for clip in clips:
        found = read[clip.key]
        same = [n for n in Clip.__dataclass_fields__ if n not in ("height_m", "synchronised", "source")]
        assert [getattr(found, n) for n in same] == [getattr(clip, n) for n in same]
        heights = {"Worlds_Men10m_final_r1": 10, "Cup_Women3mSynchronised_r2": 3, "07": None}
        assert (found.height_m, found.source) == (heights[clip.key.video], "finediving")


@settings(max_examples=40, deadline=None)
@given(st.lists(dives(), min_size=1, max_size=6))
def test_mtl_aqa_files_give_back_every_dive(tmp_path_factory: pytest.TempPathFactory, clips: list[Clip]) -> None:
    folder = tmp_path_factory.mktemp("labels")
    labels = {
        (7, i): {
            "dive_number": (c.action_type or "").upper(), "difficulty": c.difficulty, "final_score": c.dive_score,
            "judge_scores": list(c.judge_scores), "start_frame": c.start_frame, "end_frame": c.end_frame,
        }
        for i, c in enumerate(clips)
    }  # fmt: skip
    (folder / "annotations.pkl").write_bytes(pickle.dumps(labels))
    (folder / "train_split_0.pkl").write_bytes(pickle.dumps([(7, 0)]))
    read = read_labels(folder)
    assert [c.key for c in read] == [ClipKey("07", i) for i in range(len(clips))]
    assert [c.split for c in read] == ["train"] + ["none"] * (len(clips) - 1)
    same = ("action_type", "difficulty", "dive_score", "judge_scores", "start_frame", "end_frame", "n_frames")
    assert [[getattr(c, n) for n in same] for c in read] == [[getattr(c, n) for n in same] for c in clips]


@settings(max_examples=40, deadline=None)
@given(st.lists(dives(), min_size=1, max_size=6))
def test_a_csv_file_gives_back_every_dive(tmp_path_factory: pytest.TempPathFactory, clips: list[Clip]) -> None:
    path = tmp_path_factory.mktemp("labels") / "dives.csv"
    clips = sorted(numbered(clips), key=lambda c: c.key)
    lists = ("judge_scores", "stage_starts", "sub_actions")
    names = [
        "split", "action_type", "difficulty", "dive_score", "start_frame", "end_frame", "n_frames", *lists,
    ]  # fmt: skip
    with open(path, "w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(["video", "index", *names])
        for c in clips:
            cells = [" ".join(map(str, v)) if isinstance(v := getattr(c, n), tuple) else v for n in names]
            writer.writerow([c.key.video, c.key.index, *cells])
    assert read_labels(path) == clips


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(VALUES, st.integers(0, 5))
def test_containers_text_and_numbers_of_any_protocol_are_admitted(
    tmp_path_factory: pytest.TempPathFactory, value: Any, protocol: int
) -> None:
    path = tmp_path_factory.mktemp("pickle") / "x.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    assert load_pickle(path) == value


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["i1", "<i4", ">i8", "u2", "f4", "<f8", ">f8", "?", "U5", "S3"]),
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
    st.integers(0, 5),
)
def test_arrays_of_plain_types_are_admitted(
    tmp_path_factory: pytest.TempPathFactory, dtype: str, shape: list[int], protocol: int
) -> None:
    array = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)
    path = tmp_path_factory.mktemp("pickle") / "x.pkl"
    path.write_bytes(pickle.dumps(array, protocol))
    found = load_pickle(path)
    assert found.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")  # numpy swaps the bytes up to protocol 4
    assert np.array_equal(found, array)
