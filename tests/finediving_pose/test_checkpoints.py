"""Checkpoints hold tensors, arrays and plain values; whatever else is in one is refused in a line, and nothing runs."""

from __future__ import annotations

import collections
import io
import os
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finediving_pose.checkpoints import read_checkpoint, write_checkpoint
from finediving_pose.errors import CheckpointError, FdposeError

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]

CONTENT: dict[str, Any] = {
    "state_dict": collections.OrderedDict(
        a=torch.arange(6.0).reshape(2, 3).t(), b=torch.tensor(3), c=torch.zeros(0, 4)
    ),
    "half": torch.ones(3).half(),
    "parameter": torch.nn.Parameter(torch.ones(2)),
    "meta": {"epoch": 3, "name": "é", "raw": b"\xff", "none": None, "list": [1.5, True, (1, 2)], 7: {"x"}},
    "joints": {"sigmas": np.linspace(0, 1, 16), "n": np.float32(16), "names": np.array(["a", "bc"])},
    "size": torch.Size([2, 3]),
    "ordered": collections.OrderedDict(a=1, b=2),
}


@pytest.mark.parametrize("new", [True, False], ids=["archive", "as before torch 1.6"])
def test_tensors_arrays_and_plain_values_come_back(tmp_path: Path, new: bool) -> None:
    torch.save(CONTENT, tmp_path / "x.pth", _use_new_zipfile_serialization=new)
    found = read_checkpoint(tmp_path / "x.pth")
    for name, tensor in CONTENT["state_dict"].items():
        assert torch.equal(found["state_dict"][name], tensor)
    assert found["half"].dtype == torch.float16 and torch.equal(found["parameter"], torch.ones(2))
    assert type(found["parameter"]) is torch.Tensor
    assert found["meta"] == CONTENT["meta"] and found["ordered"] == {"a": 1, "b": 2}
    np.testing.assert_array_equal(found["joints"]["sigmas"], CONTENT["joints"]["sigmas"])
    assert found["joints"]["n"] == 16 and found["joints"]["names"].tolist() == ["a", "bc"]
    assert found["size"] == (2, 3)


def test_arrays_of_numpy_1_read(tmp_path: Path) -> None:
    """Pickled as ``numpy.core``; published checkpoints of mmpose are."""
    torch.save({"a": np.arange(3), "n": np.float64(2)}, tmp_path / "x.pth", _use_new_zipfile_serialization=False)
    old = (tmp_path / "x.pth").read_bytes().replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray")
    (tmp_path / "x.pth").write_bytes(old)
    assert b"numpy.core" in old
    assert read_checkpoint(tmp_path / "x.pth")["a"].tolist() == [0, 1, 2]


class Call:
    """Pickled as a call, and then a state for what it returns."""

    def __init__(self, function: Any, *args: Any, state: Any = None) -> None:
        self.parts = (function, args) if state is None else (function, args, state)

    def __reduce__(self) -> Any:
        return self.parts


class Name:
    """Pickled as the name of something, which a call may be given."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> str:
        return self.name


_rebuild_tensor: Any = torch.ones(1).__reduce_ex__(2)[0]
ADDRESS = struct.pack("<Q", 0x414141414140)
_reconstruct: Any = np.arange(1).__reduce__()[0]
HOSTILE: dict[str, Any] = {
    "a command": Call(os.system, "touch ran"),
    "eval": Call(eval, "open('ran', 'w')"),
    "an import": Call(__import__, "os"),
    "getattr": Call(getattr, "x", "upper"),
    "an open file": Call(open, "ran", "w"),
    "objects in ndarray": Call(np.ndarray, (1,), "O", ADDRESS),
    "a buffer in ndarray": Call(np.ndarray, (9,), "f8", b"8" * 8),
    "objects in a dtype": Call(np.dtype, "O"),
    "an array of objects": np.array([1, "a"], dtype=object),
    "an array of records": np.zeros(2, [("a", "f8")]),
    "an array whose state is of objects": Call(
        _reconstruct, np.ndarray, (1,), b"O", state=(1, (1,), np.dtype("O"), False, [1])),
    "an array larger than its bytes": Call(
        _reconstruct, np.ndarray, (0,), b"b", state=(1, (1 << 30,), np.dtype("f8"), False, b"8" * 8)),
    "flags for a dtype": Call(np.dtype, "f8", False, True, state=(3, "<", None, None, None, -1, -1, 63)),
    "a memory of its own choice": Call(bytearray, 1 << 40),
    "a tensor of its own choice": Call(torch.Tensor, 1 << 40),
    "text that doubles": Call(collections.Counter, "x"),
    "a codec": Call(__import__("codecs").encode, b"x" * 99, "hex"),
    "a tensor beyond its bytes": Call(
        _rebuild_tensor, torch.ones(2).storage(), 0, (9,), (1,), False, collections.OrderedDict()),
    "a tensor before its bytes": Call(
        _rebuild_tensor, torch.ones(2).storage(), 0, (2,), (-1,), False, collections.OrderedDict()),
    "a tensor that is met again and again": Call(
        _rebuild_tensor, torch.ones(2).storage(), 0, (1 << 40, 2), (0, 1), False,
        collections.OrderedDict()),
    "a sparse tensor": torch.eye(3).to_sparse(),
    "a network": torch.nn.Linear(2, 2),
    "a device": torch.device("cpu"),
    "lists that double": [[]],
}  # fmt: skip
for _ in range(60):
    HOSTILE["lists that double"] = [HOSTILE["lists that double"]] * 2
_inside: list[Any] = []
_inside.append(_inside)
HOSTILE["a list in itself"] = _inside


@pytest.mark.parametrize("new", [True, False], ids=["archive", "old"])
@pytest.mark.parametrize("what", HOSTILE.values(), ids=HOSTILE)
def test_anything_else_is_refused_in_a_line_and_nothing_runs(
    tmp_path: Path, what: Any, new: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.pth"
    torch.save({"state_dict": {}, "meta": what}, path, pickle_module=pickle, _use_new_zipfile_serialization=new)
    ran = tmp_path / "ran"
    with pytest.raises(CheckpointError, match=r"x\.pth: not a checkpoint of tensors and plain values") as e:
        read_checkpoint(path)
    assert str(e.value).isprintable() and len(str(e.value)) < 500
    assert not ran.exists()


def repacked(path: Path, change: Callable[[dict[str, bytes]], Any], how: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def shorter(entries: dict[str, bytes]) -> None:
    """The bytes of a tensor, fewer than its pickle says: torch reads past them."""
    name = next(n for n in entries if re.search(r"/data/\d+$", n) and len(entries[n]) > 8)
    entries[name] = entries[name][:4]


def without_pickle(entries: dict[str, bytes]) -> None:
    entries.pop(next(n for n in entries if n.endswith("/data.pkl")))


def deep_key(entries: dict[str, bytes]) -> None:
    """A key a million tuples deep: hashing it would overflow the stack."""
    entries[next(n for n in entries if n.endswith("/data.pkl"))] = b"\x80\x02})" + b"\x85" * 10**6 + b"K\x01s."


@pytest.mark.parametrize("change", [shorter, without_pickle, deep_key])
def test_an_archive_that_lies_about_itself_is_refused(tmp_path: Path, change: Callable[..., Any]) -> None:
    path = tmp_path / "x.pth"
    torch.save(CONTENT, path)
    repacked(path, change)
    with pytest.raises(CheckpointError, match=r"x\.pth: not a checkpoint of tensors and plain values"):
        read_checkpoint(path)


def test_a_compressed_archive_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save({"a": torch.zeros(1 << 20)}, path)
    repacked(path, lambda entries: None, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="compressed entries, which torch does not write"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"x", b"PK\3\4", b"PK\3\4" + bytes(99), pickle.dumps({"a": 1}), bytes(9999)])
def test_what_is_no_checkpoint_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x\.pth: not a checkpoint of tensors and plain values"):
        read_checkpoint(tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"none\.pth: no such checkpoint"):
        read_checkpoint(tmp_path / "none.pth")
    with pytest.raises(CheckpointError, match="can't be read"):
        read_checkpoint(tmp_path)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.booleans(),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6), st.integers(0, 6)), max_size=3),
)
def test_a_mutated_checkpoint_is_read_or_refused(
    tmp_path: Path, new: bool, changes: list[tuple[float, bytes, int]]
) -> None:
    saved = io.BytesIO()
    torch.save({"a": torch.ones(2), "m": {"b": [1, "x"]}}, saved, _use_new_zipfile_serialization=new)
    data = bytearray(saved.getvalue())
    for where, put, removed in changes:
        at = int(where * len(data))
        data[at : at + removed] = put
    (tmp_path / "x.pth").write_bytes(data)
    try:
        read_checkpoint(tmp_path / "x.pth")
    except CheckpointError as e:
        assert str(e).isprintable()


def test_a_checkpoint_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    write_checkpoint(path, {"a": torch.ones(2)})
    with pytest.raises(TypeError):
        write_checkpoint(path, {"a": (n for n in range(3))})
    assert torch.equal(read_checkpoint(path)["a"], torch.ones(2))
    assert [p.name for p in tmp_path.iterdir()] == ["x.pth"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_a_full_disk(file: Any, mode: str = "r") -> Any:
        return open("/dev/full" if mode == "wb" else file, mode)

    monkeypatch.setattr("finediving_pose.checkpoints.open", on_a_full_disk, raising=False)
    with pytest.raises(FdposeError, match=r"x\.pth: writing failed \(No space left on device\)"):
        write_checkpoint(tmp_path / "x.pth", {"a": torch.ones(1 << 20)})
    assert not list(tmp_path.iterdir())


LOADS = re.compile(
    r"\btorch\.(jit\.)?load\(|\bpickle\.(load|loads|Unpickler)\b|\b(joblib|dill|cloudpickle|shelve|marshal)\b"
    r"|\bhub\.load|(?<!after)_load_checkpoint\b|\bload_checkpoint\(|load_state_dict_from_url|CheckpointLoader|allow_pickle=True"
    r"|\bread_pickle\(|weights_only=False|yaml\.(unsafe_)?load\(|(?<![.\w])(eval|exec)\("
)
"""Ways to load a checkpoint or a pickle, or to run a text."""
ADMITTED = {
    "finediving_pose/checkpoints.py": {"torch.load("},
    "finediving_pose/resuming.py": {"load_checkpoint("},  # our own, which mmengine's Runner calls
}


def test_no_other_line_of_the_source_loads_a_checkpoint_or_a_pickle() -> None:
    found: dict[str, set[str]] = collections.defaultdict(set)
    for package in ("finediving_pose", "annotate", "baselines"):
        for path in (REPOSITORY / package).rglob("*.py"):
            code = re.sub(r'"""[\s\S]*?"""', "", path.read_text(encoding="utf-8"))
            found[str(path.relative_to(REPOSITORY))] |= {m[0] for m in LOADS.finditer(code)}
    assert {path: what for path, what in found.items() if what} == ADMITTED
