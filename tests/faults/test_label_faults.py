"""Label files that are damaged, hostile or contradict themselves: one line says which and why."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finediving_pose.errors import LabelError
from finediving_pose.labels.read import read_labels
from finediving_pose.labels.unpickler import load_pickle
from tests.finediving_pose.labels.made_up import COARSE, DIVE, FINE, save


class Hostile:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_runs_a_command_is_refused_and_nothing_runs(tmp_path: Path, protocol: int) -> None:
    path, victim = tmp_path / "coarse.pkl", tmp_path / "made-by-the-pickle"
    path.write_bytes(pickle.dumps({DIVE: Hostile(os.system, f"touch {victim}")}, protocol))
    with pytest.raises(LabelError, match=r"coarse\.pkl: wants to run \w+\.system; refused"):
        read_labels(path)
    assert not victim.exists()


@pytest.mark.parametrize("call", [(eval, "1"), (getattr, 1, "real"), (print, "x"), (np.load, "x"), (Path, "x")])
def test_anything_but_containers_numbers_and_arrays_is_refused(tmp_path: Path, call: tuple[Any, ...]) -> None:
    path = save(tmp_path / "labels.pkl", [Hostile(*call)])
    with pytest.raises(LabelError, match=r"wants to run .*; refused"):
        load_pickle(path)


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_and_scalars_of_any_pickle_protocol_read(tmp_path: Path, protocol: int) -> None:
    content = {
        "array": np.arange(6, dtype=np.int32).reshape(2, 3).T,
        "scalar": np.float64(7.5),
        "words": np.array(["Entry", "Back"]),
        "rest": [1, "é", b"\xff", None, True, {1, 2}, frozenset("a"), 1e400, 2**80],
    }
    path = tmp_path / "labels.pkl"
    path.write_bytes(pickle.dumps(content, protocol))
    found = load_pickle(path)
    assert found["rest"] == content["rest"]
    assert found["scalar"] == 7.5
    assert found["words"].tolist() == ["Entry", "Back"]
    np.testing.assert_array_equal(found["array"], content["array"])


class Raw:
    """Pickled as a call and then a state for what it returns."""

    def __init__(self, call: Any, args: tuple[Any, ...], state: Any) -> None:
        self.parts = (call, args, state)

    def __reduce__(self) -> Any:
        return self.parts


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (np.dtype("O"), r"numpy\.dtype\('O8'\)"),
        (np.dtype([("a", "O")]), r"numpy\.dtype\('V8'\)"),
        (Raw(np.dtype, ("f8", False, True), (3, "<", None, None, None, -1, -1, 63)), r"numpy\.dtype\.__setstate__"),
        (Raw(np.dtype, ("f8", False, True), (3, "<", None, ("a",), {"a": 1}, 8, 8, 0)), r"numpy\.dtype\.__setstate__"),
        (Raw(set, ((),), {"x": 1}), r"set\.__setstate__"),
    ],
)
def test_a_dtype_that_would_turn_numbers_into_pointers_is_refused(tmp_path: Path, what: Any, says: str) -> None:
    with pytest.raises(LabelError, match=says + ".*refused, since"):
        load_pickle(save(tmp_path / "labels.pkl", [what]))


def test_both_spellings_of_the_numpy_module_read(tmp_path: Path) -> None:
    new = pickle.dumps(np.arange(3), 2)
    old = new.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert old != new
    for name, data in (("new", new), ("old", old)):
        (tmp_path / name).write_bytes(data)
        assert load_pickle(tmp_path / name).tolist() == [0, 1, 2]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 0.999), flip=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_damaged_pickle_never_shows_a_traceback(tmp_path: Path, cut: float, flip: int, byte: int) -> None:
    data = bytearray(pickle.dumps({DIVE: {**COARSE, **FINE}}))
    path = tmp_path / "labels.pkl"
    path.write_bytes(data[: int(cut * len(data))])
    with pytest.raises(LabelError, match=r"labels\.pkl: (not a whole pickle|wants to run|not a label file)"):
        read_labels(path)
    data[flip % len(data)] = byte
    path.write_bytes(data)
    try:
        read_labels(path)
    except LabelError as e:
        assert str(path.parent) in str(e)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train_split.pkl": [DIVE]}, r"train_split\.pkl: lists of dives only; put FineDiving_coarse"),
        ({"a.pkl": {DIVE: COARSE}, "b.pkl": {DIVE: COARSE}}, r"b\.pkl: coarse labels are in a\.pkl already"),
        ({"a.pkl": {DIVE: COARSE}, "split.pkl": [DIVE]}, r"split\.pkl: a list of dives, but its name does not say"),
        (
            {"a.pkl": {DIVE: COARSE}, "test.pkl": [DIVE], "train.pkl": [DIVE]},
            r"train\.pkl: dive Worlds_Men10m_final_r1/4 is in the train and the test split",
        ),
        ({"a.pkl": {DIVE: COARSE}, "test.pkl": [("x", 1)]}, r"test\.pkl: lists 1 dives that no label file .* x/1;"),
        ({"a.pkl": {DIVE: COARSE}, "b.pkl": {"other": 1}}, r"b\.pkl: not a label file that is known here; looked for"),
        ({"a.pkl": {DIVE: COARSE}, "b.pkl": {(1, 1): {"final_score": 1}}}, r"belongs to another data set"),
        ({"train.pkl": [(1, 1)]}, r"0 MTL-AQA annotation files; there has to be one"),
        ({"a.pkl": {(1, 1): {"final_score": 1.0}}}, r"a\.pkl: dive \(1, 1\): 'start_frame' is missing"),
        ({"a.pkl": {DIVE: {**COARSE, "end_frame": 110}}, "b.pkl": {DIVE: FINE}}, r"10 frame labels, but frames 100 to"),
        ({"a.pkl": {DIVE: {**COARSE, "end_frame": 90}}}, r"ends at frame 90, before its start at 100"),
        ({"a.pkl": {DIVE: {**COARSE, "difficulty": "hard"}}}, r"dive \('Worlds_Men10m_final_r1', 4\): could not"),
        ({"a.pkl": {("../x", 1): COARSE}}, r"video name '../x' can't be a folder name"),
        ({"a.pkl": {}}, r"a\.pkl: not a label file that is known here"),
        ({}, r"no label file; looked for FineDiving's pickles"),
    ],
)
def test_labels_that_can_not_be_joined_are_refused(tmp_path: Path, files: dict[str, Any], message: str) -> None:
    for name, content in files.items():
        save(tmp_path / name, content)
    with pytest.raises(LabelError, match=message) as e:
        read_labels(tmp_path)
    assert "\n" not in str(e.value)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"nowhere: no such file or folder; give --labels a folder"):
        read_labels(tmp_path / "nowhere")
