"""numpy's arrays and numbers out of a pickle, made by our own code from what the pickle says of them.

numpy trusts a pickle: a dtype takes any state, ``ndarray`` takes any bytes for the addresses of objects, and an array
takes a dtype that is changed afterwards. So none of numpy's makers is called for a pickle. The stand-ins of
:data:`MAKERS` record what they are called with, and only a plain type, a shape and bytes that fit both become an array,
which is a copy. :mod:`finediving_pose.plain_pickle` and :mod:`finediving_pose.checkpoints` use them.
"""

from __future__ import annotations

import math
import re
import reprlib
from dataclasses import dataclass
from typing import Any

import numpy as np

_PLAIN_TYPE = re.compile(r"[<>=|]?(b1|[iu][1248]|f(2|4|8|16)|c(8|16|32)|[SU][1-9]\d{0,5})|\?")
_NEEDS_INIT = 0x08
"""The one flag of a dtype that strings have."""


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
        if math.prod(n or 1 for n in shape) >= 1 << 40:
            raise Refused(f"holds an array of shape {shape}")
        return np.zeros(shape, dtype.dtype, order)
    flat = np.frombuffer(data, dtype.dtype)
    if flat.dtype.kind == "b":
        flat = flat.view(np.uint8) != 0
    if flat.dtype.kind == "U" and (flat.view(flat.dtype.str[0] + "u4") > 0x10FFFF).any():
        raise Refused("holds an array of text with characters that there are not")
    return flat.reshape(shape, order=order).copy(order)
