"""numpy's arrays and numbers out of a pickle, made by our own code from what the pickle says of them.

numpy trusts a pickle: a dtype takes any state, ``ndarray`` takes any bytes for the addresses of objects, and an array
takes a dtype that is changed afterwards. So none of numpy's makers is called for a pickle. The stand-ins of
:data:`MAKERS` record what they are called with, and only a plain type, a shape and bytes that fit both become an array,
which is a copy. Both readers of pickles use them, :mod:`finediving_pose.labels.unpickler` and
:mod:`finediving_pose.checkpoints`, and :func:`plain` makes what they return.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

DEEPEST = 64
"""Containers inside each other; label files and checkpoints have fewer than ten."""
MOST_VALUES = 20_000_000
"""Values in all, a shared one counted as often as it is met; FineDiving's labels are 700,000."""
MOST_BYTES = 1 << 30
"""Text and arrays in all, counted in the same way."""

_PLAIN_TYPE = re.compile(r"[<>=|]?(b1|[iu][1248]|f(2|4|8|16)|c(8|16|32)|[SU][1-9]\d{0,5})|\?")
_NEEDS_INIT = 0x08
"""The one flag of a dtype that strings have."""
_SCALARS = (str, bytes, int, float, complex, bool, type(None))



class Refused(Exception):
    """A pickle asks for something that is no plain value; the message names it."""


def _said(value: Any) -> str:
    return reprlib.repr(value)[:80]


@dataclass(slots=True)
class DtypeRecord:
    """Stands in for ``numpy.dtype``: a type of plain numbers or strings, which later calls can't change any more."""

    dtype: np.dtype

    def __init__(self, spec: Any = None, *flags: Any) -> None:
        if not isinstance(spec, str) or not _PLAIN_TYPE.fullmatch(spec):
            raise Refused(f"wants to run numpy.dtype({_said(spec)})")
        self.dtype = np.dtype(spec)

    def __setstate__(self, state: Any) -> None:
        """(version, byte order, no sub-array, no names, no fields, size, alignment, flags): byte order alone is new."""
        plain = isinstance(state, tuple) and len(state) == 8 and state[2:5] == (None, None, None)
        if not plain or state[1] not in ("<", ">", "=", "|") or state[7] not in (0, _NEEDS_INIT):
            raise Refused(f"wants to run numpy.dtype.__setstate__ with {_said(state)}")
        if state[5] not in (-1, self.dtype.itemsize):
            raise Refused(f"wants to run numpy.dtype.__setstate__ with another size, {_said(state[5])}")
        if state[1] in "<>":
            self.dtype = self.dtype.newbyteorder(state[1])


class ArrayClass:
    """Stands in for ``numpy.ndarray``, which is named where an array is made and never called itself."""

    def __init__(self, *args: Any) -> None:
        raise Refused("wants to run numpy.ndarray as a function")


class ArrayRecord:
    """Stands in for an array: ``_reconstruct(ndarray, (0,), b"b")``, and then its state."""

    __slots__ = ("array",)

    def __init__(self, kind: Any = None, *shape_and_code: Any) -> None:
        if kind is not ArrayClass:
            raise Refused(f"wants to run numpy's _reconstruct for {_said(kind)}")
        self.array: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        """(version, shape, dtype, order is Fortran's, bytes)."""
        if not isinstance(state, tuple) or len(state) != 5 or self.array is not None:
            raise Refused(f"wants to run numpy.ndarray.__setstate__ with {_said(state)}")
        _, shape, dtype, fortran, data = state
        self.array = _array(data, dtype, shape, "F" if fortran is True else "C")


def array_from_buffer(data: Any = None, dtype: Any = None, shape: Any = None, order: Any = "C") -> np.ndarray:
    """Stands in for numpy's ``_frombuffer``, which pickles of protocol 5 call."""
    return _array(data, dtype, shape, order)


def scalar(dtype: Any = None, data: Any = None) -> Any:
    """Stands in for numpy's ``scalar``: one number or string."""
    return _array(data, dtype, (), "C")[()]


MAKERS: dict[str, Any] = {
    "numpy.dtype": DtypeRecord,
    "numpy.ndarray": ArrayClass,
    "numpy._core.multiarray._reconstruct": ArrayRecord,
    "numpy._core.multiarray.scalar": scalar,
    "numpy._core.numeric._frombuffer": array_from_buffer,
}
"""The stand-ins, by the names that numpy 2 pickles; up to version 1 ``numpy._core`` was ``numpy.core``."""


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(dtype, DtypeRecord):
        raise Refused(f"holds an array of type {_said(dtype)}")
    if isinstance(data, str):  # bytes of Python 2
        data = data.encode("latin1", "replace")
    sizes = isinstance(shape, tuple) and len(shape) <= 16 and all(type(n) is int and 0 <= n < 1 << 40 for n in shape)
    if not sizes or order not in ("C", "F") or not isinstance(data, bytes):
        raise Refused(f"holds an array of shape {_said(shape)} in {type(data).__name__}")
    if len(data) != math.prod(shape) * dtype.dtype.itemsize:
        raise Refused(f"holds an array of shape {shape} of {dtype.dtype} in {len(data):,} bytes")
    if not data:
        return np.zeros(shape, dtype.dtype, order) if math.prod(n or 1 for n in shape) < MOST_VALUES else np.zeros(0)
    flat = np.frombuffer(data, dtype.dtype)
    if flat.dtype.kind == "b":
        flat = flat.view(np.uint8) != 0
    if flat.dtype.kind == "U" and (flat.view(flat.dtype.str[0] + "u4") > 0x10FFFF).any():
        raise Refused("holds an array of text with characters that there are not")
    return flat.reshape(shape, order=order).copy(order)


def one_line(error: Exception) -> str:
    """What an error says, in one line of characters that can be printed: a stranger's file chose the words."""
    return "".join(c if c.isprintable() else " " for c in str(error)[:200])


def is_key(value: Any) -> bool:
    """Whether a value may be a key of a dictionary or a member of a set: hashing it is quick, however it was made."""
    scalars = (*_SCALARS, np.generic)
    return isinstance(value, scalars) or (
        isinstance(value, tuple) and len(value) <= DEEPEST and all(isinstance(v, scalars) for v in value)
    )


def plain(value: Any, leaf: Callable[[Any], Any] | None = None) -> Any:
    """A copy made of plain containers, text, numbers and arrays, of limited depth and size.

    Parameters
    ----------
    leaf : the copy of a value of another kind; raises :class:`Refused` for what is not admitted

    Raises
    ------
    Refused
        There is something else in it, it contains itself, or it is too deep or too large.
    """
    return _Copy(leaf)(value)


class _Copy:
    """Copies shared values once, and counts them as often as they are met: what is read is walked without a limit."""

    def __init__(self, leaf: Callable[[Any], Any] | None) -> None:
        self.leaf = leaf
        self.done: dict[int, tuple[Any, int, int, int]] = {}
        self.inside: set[int] = set()
        self.originals: list[Any] = []  # so that no id is used twice

    def __call__(self, value: Any) -> Any:
        copied, values, size, depth = self._copied(value, DEEPEST)
        return copied

    def _copied(self, value: Any, left: int) -> tuple[Any, int, int, int]:
        """The copy, its number of values, its bytes, and its depth."""
        kind = type(value)
        if kind in (str, bytes):
            return value, 1, len(value), 0
        if kind is int and value.bit_length() > 2048:
            raise Refused("holds a number of more than 600 digits")
        if kind in _SCALARS or isinstance(value, np.generic):
            return value, 1, 8, 0
        found = self.done.get(id(value))
        if found is None:
            if id(value) in self.inside:
                raise Refused(f"holds a {kind.__name__} that contains itself")
            if left <= 0:
                raise Refused(f"holds containers nested deeper than {DEEPEST}")
            self.inside.add(id(value))
            found = self._made(value, left)
            self.inside.discard(id(value))
            self.done[id(value)] = found
            self.originals.append(value)
        if found[3] > left:
            raise Refused(f"holds containers nested deeper than {DEEPEST}")
        return found

    def _made(self, value: Any, left: int) -> tuple[Any, int, int, int]:
        if isinstance(value, ArrayRecord):
            value = value.array
        if isinstance(value, np.ndarray):
            return value, 1, value.nbytes, 0
        if isinstance(value, dict):
            if not all(is_key(k) for k in value):
                raise Refused("holds a dictionary whose keys are no names or numbers")
            parts = [self._copied(v, left - 1) for v in value.values()]
            copied: Any = dict(zip(value, (p[0] for p in parts), strict=True))
        elif isinstance(value, (list, tuple)):
            parts = [self._copied(v, left - 1) for v in value]
            copied = [p[0] for p in parts]
            copied = tuple(copied) if isinstance(value, tuple) else copied
        elif isinstance(value, (set, frozenset)):
            if not all(is_key(k) for k in value):
                raise Refused("holds a set whose members are no names or numbers")
            copied, parts = type(value)(value), [(k, 1, 8, 0) for k in value]
        elif self.leaf is not None:
            return self.leaf(value), 1, 8, 0
        else:
            raise Refused(f"holds a {type(value).__name__}")
        values, size = 1 + sum(p[1] for p in parts), 8 + sum(p[2] for p in parts)
        if values > MOST_VALUES or size > MOST_BYTES:
            raise Refused(f"holds more than {MOST_VALUES:,} values or {MOST_BYTES:,} bytes")
        return copied, values, size, 1 + max((p[3] for p in parts), default=0)
