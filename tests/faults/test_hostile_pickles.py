"""Label pickles that want more than plain values: memory of other people, endless sizes, code. One line each."""

from __future__ import annotations

import pickle
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finediving_pose.errors import LabelError
from finediving_pose.labels.unpickler import load_pickle
from tests.finediving_pose.labels.made_up import COARSE, DIVE, FINE


def text(t: str) -> bytes:
    return b"X" + struct.pack("<I", len(t.encode())) + t.encode()


def whole(n: int) -> bytes:
    return b"J" + struct.pack("<i", n)


def octets(data: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(data)) + data


def together(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def put(n: int) -> bytes:
    return b"r" + struct.pack("<I", n)


def get(n: int) -> bytes:
    return b"j" + struct.pack("<I", n)


FALSE = b"\x89"
NDARRAY = name("numpy", "ndarray")
RECONSTRUCT = name("numpy._core.multiarray", "_reconstruct")
SCALAR = name("numpy._core.multiarray", "scalar")
FROM_BUFFER = name("numpy._core.numeric", "_frombuffer")


def dtype(spec: bytes) -> bytes:
    return name("numpy", "dtype") + together(spec, FALSE, b"\x88") + b"R"


def array(kind: bytes, shape: bytes, data: bytes, fortran: bytes = FALSE) -> bytes:
    made = RECONSTRUCT + together(NDARRAY, together(whole(0)), octets(b"b")) + b"R"
    return made + together(whole(1), shape, kind, fortran, data) + b"b"


F8, ONE = dtype(text("f8")), together(whole(1))
ADDRESS = octets(struct.pack("<Q", 0x414141414140))
GROWN = (
    dtype(text("S8")) + put(9) + array(get(9), together(whole(4)), octets(b"A" * 32)) + put(8) + b"0"
    + get(9) + together(whole(3), text("|"), b"N", b"N", b"N", whole(1 << 26), whole(1), whole(0)) + b"b0" + get(8)
)  # fmt: skip

HOSTILE = {
    "an array whose items grow later": GROWN,
    "ndarray called for objects": NDARRAY + together(ONE, text("O"), ADDRESS) + b"R",
    "ndarray called with a buffer": NDARRAY + together(ONE, F8, octets(b"8" * 8)) + b"R",
    "ndarray made new": NDARRAY + together(ONE) + b"\x81",
    "objects as a dtype": dtype(text("O")),
    "objects spelt out": dtype(text("object")),
    "objects of eight bytes": dtype(text("|O8")),
    "a dtype of a class": dtype(name("builtins", "object")),
    "objects in _reconstruct": RECONSTRUCT + together(NDARRAY, ONE, text("O")) + b"R" + together(
        whole(1), ONE, text("O"), FALSE, b"](K\x01e") + b"b",
    "another class in _reconstruct": RECONSTRUCT + together(name("numpy", "dtype"), ONE, text("b")) + b"R",
    "a dtype by a name in an array": array(text("O"), ONE, ADDRESS),
    "a structured dtype": dtype(b"](" + together(text("a"), text("O")) + b"e"),
    "a structured dtype in words": dtype(text("i4,O")),
    "a sub-array in words": dtype(text("(2,2)f8")),
    "a void dtype": dtype(text("V8")),
    "a date": dtype(text("M8[s]")),
    "fields by a state": F8 + together(
        whole(3), text("<"), b"N", together(text("a")), b"}", whole(8), whole(8), whole(0)) + b"b",
    "a sub-array by a state": F8 + together(
        whole(3), text("<"), together(F8, together(whole(9))), b"N", b"N", whole(8), whole(8), whole(0)) + b"b",
    "flags of objects by a state": F8 + together(
        whole(3), text("<"), b"N", b"N", b"N", whole(-1), whole(-1), whole(63)) + b"b",
    "a dtype's state with metadata": F8 + together(
        whole(4), text("<"), b"N", b"N", b"N", whole(-1), whole(-1), whole(0), b"}") + b"b",
    "more items than bytes": array(F8, together(whole(1 << 30)), octets(b"8" * 8)),
    "a negative size": array(F8, together(whole(-1)), octets(b"8" * 8)),
    "two negative sizes": array(F8, together(whole(-1), whole(-1)), octets(b"8" * 8)),
    "a size that overflows": array(F8, together(*[b"\x8a\x09" + b"\0" * 8 + b"\1"] * 2), octets(b"")),
    "no items of endless rows": array(F8, together(whole(0), *[whole(2**31 - 1)] * 4), octets(b"")) + b"K\x01\x86R",
    "items of no size": array(dtype(text("S0")), together(whole(2**31 - 1)), octets(b"")),
    "a state twice": array(F8, ONE, octets(b"8" * 8)) + together(whole(1), ONE, F8, FALSE, octets(b"9" * 8)) + b"b",
    "bytes in a list": array(F8, ONE, b"](K\x01e"),
    "strides and more in the state": RECONSTRUCT + together(NDARRAY, ONE, text("b")) + b"R" + together(
        whole(1), ONE, F8, FALSE, octets(b"8" * 8), together(whole(-800))) + b"b",
    "characters that there are not": array(dtype(text("U1")), ONE, octets(b"\xff" * 4)),
    "a scalar of an object": SCALAR + together(dtype(text("O")), ADDRESS) + b"R",
    "a scalar with too few bytes": SCALAR + together(F8, octets(b"8")) + b"R",
    "objects out of a buffer": FROM_BUFFER + together(ADDRESS, text("O"), ONE, text("C")) + b"R",
    "a buffer read past its end": FROM_BUFFER + together(octets(b"8"), F8, together(whole(99)), text("C")) + b"R",
    "a buffer from outside": b"\x97",
    "a buffer from outside, read only": b"\x97\x98",
    "something kept elsewhere": b"Px\n",
    "something else kept elsewhere": text("x") + b"Q",
    "an extension": b"\x82\x01",
    "a longer extension": b"\x84\x01\0\0\0",
    "an instance": b"(" + b"icollections\nOrderedDict\n",
    "an object": b"(" + name("collections", "OrderedDict") + b"o",
    "bytes of an endless number": name("builtins", "bytes") + together(b"\x8a\x06\0\0\0\0\0\1") + b"R",
    "a bytearray of an endless size": b"\x96" + struct.pack("<Q", 1 << 50) + b"x",
    "text of an endless size": b"\x8d" + struct.pack("<Q", 1 << 50) + b"x",
    "a number of a million digits": b"\x8b" + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20),
    "a number of a negative size": b"\x8b" + struct.pack("<i", -5),
    "a number in words": b"L" + b"9" * 700 + b"L\n",
    "a list in itself": b"]" + put(1) + get(1) + b"a",
    "a dictionary in itself": b"}" + put(1) + text("k") + get(1) + b"s",
    "lists a million deep": b"]" * 10**6 + b"a" * (10**6 - 1),
    "tuples a million deep": b")" + b"\x85" * 10**6,
    "a key a million deep": b"})" + b"\x85" * 10**6 + b"K\x01s",
    "a member a million deep": b"(" + b")" + b"\x85" * 10**6 + b"\x91",
    "lists that double": b"](K\x01K\x02e" + b"".join(put(i) + b"0](" + get(i) + get(i) + b"e" for i in range(60)),
    "tuples that double": b"K\x01" + b"".join(put(i) + b"0" + get(i) * 2 + b"\x86" for i in range(60)),
    "a key that doubles": b"}K\x01" + b"".join(put(i) + b"0" + get(i) * 2 + b"\x86" for i in range(60)) + b"Ns",
    "text that is met too often": text("x" * 10**6) + put(1) + b"0](" + get(1) * 2000 + b"e",
    "an array as a key": b"}" + array(F8, ONE, octets(b"8" * 8)) + b"K\x01s",
    "a list as a key": b"}]K\x01s",
    "a set of lists": b"\x8f(]\x90",
    "an entry of a list": b"](K\x00K\x01u",
    "an element of text": text("x") + b"K\x01a",
    "a state of a dictionary": b"}}b",
    "a call of what is no function": text("x") + b")R",
    "a call without a tuple": name("collections", "OrderedDict") + b"]R",
    "another encoding": name("_codecs", "encode") + together(text("x"), text("zlib")) + b"R",
    "a name that goes on in the next line": text("os\n") + text("sys\x1b[2J\ntem") + b"\x93)R",
    "a set of a million deep": name("builtins", "set") + together(b"](" + b")" + b"\x85" * 10**5 + b"e") + b"R",
}  # fmt: skip


@pytest.mark.parametrize("program", HOSTILE.values(), ids=HOSTILE)
def test_a_label_file_that_wants_more_than_plain_values_is_refused_in_one_line(tmp_path: Path, program: bytes) -> None:
    path, started = tmp_path / "labels.pkl", time.process_time()
    path.write_bytes(b"\x80\x05" + program + b".")
    with pytest.raises(LabelError, match=r"labels\.pkl: ") as e:
        load_pickle(path)
    assert str(e.value).isprintable()
    assert len(str(e.value)) < 500
    assert time.process_time() - started < 10


def test_a_dtype_keeps_the_size_that_its_arrays_were_made_with(tmp_path: Path) -> None:
    kind = dtype(text("S8")) + put(9)
    same = together(whole(3), text("|"), b"N", b"N", b"N", whole(8), whole(1), whole(0)) + b"b0"
    (tmp_path / "x").write_bytes(b"\x80\x05" + kind + same + array(get(9), ONE, octets(b"12345678")) + b".")
    assert load_pickle(tmp_path / "x").tolist() == [b"12345678"]


def test_a_file_of_endless_size_is_refused_unread(tmp_path: Path) -> None:
    with open(tmp_path / "x.pkl", "wb") as f:
        f.truncate(1 << 40)
    with pytest.raises(LabelError, match=r"x\.pkl: 1,099,511,627,776 bytes; a label file has at most"):
        load_pickle(tmp_path / "x.pkl")


def test_arrays_are_copies_and_truth_values_are_true_or_false(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\x80\x05" + array(dtype(text("b1")), together(whole(3)), octets(b"\0\1\7")) + b".")
    found = load_pickle(tmp_path / "x")
    assert found.tolist() == [False, True, True]
    assert found.view(np.uint8).tolist() == [0, 1, 1]
    assert found.flags.owndata and found.flags.writeable


CONTENT: dict[Any, Any] = {
    DIVE: {**COARSE, **FINE, "awards": np.array([7.5, 8.0]), "names": np.array(["a", "bc"]), "score": np.float64(3.5)},
    ("Worlds_Men10m_final_r1", 5): {**COARSE, "set": {1, 2}, "mask": np.zeros((4, 5), bool), "raw": b"\xff\0"},
}


@settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 5),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=9), st.integers(0, 9)), max_size=4),
)
def test_a_mutated_label_file_is_read_or_refused(
    tmp_path: Path, protocol: int, changes: list[tuple[float, bytes, int]]
) -> None:
    data = bytearray(pickle.dumps(CONTENT, protocol))
    for where, new, removed in changes:
        at = int(where * len(data))
        data[at : at + removed] = new
    path = tmp_path / "labels.pkl"
    path.write_bytes(data)
    try:
        load_pickle(path)
    except LabelError as e:
        assert str(path) in str(e)
        assert str(e).isprintable()
