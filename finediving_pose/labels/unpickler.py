"""Label pickles, read without running what may be hidden in them.

A pickle is a program. The label files need only containers, strings, numbers and
numpy arrays, so nothing else is let in (https://docs.python.org/3/library/pickle.html,
"Restricting Globals"). numpy moved ``numpy.core`` to ``numpy._core`` in version 2;
both spellings are admitted, and both are found in the installed numpy.

numpy trusts the state that a pickle gives to a dtype, flags that turn numbers into
pointers included. So only dtypes of plain numbers and strings are made, and a state
may set no more than their byte order and size. Python's own unpickler lets that step
be checked, the faster one in C does not.
"""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from finediving_pose.errors import LabelError

_ADMITTED = {
    "builtins": {"set", "frozenset", "complex", "bytes"},  # bytes is given as _no_bytes
    "__builtin__": {"set", "frozenset", "complex", "bytes"},
    "collections": {"OrderedDict"},
    "_codecs": {"encode"},  # bytes, as protocols 0 to 2 write them
    "numpy": {"ndarray", "dtype"},  # dtype is given as _plain_dtype
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
}


class _Unpickler(pickle._Unpickler):
    """Looks up the admitted names and refuses the rest."""

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        module = module_name.replace("numpy.core", "numpy._core", 1)
        if global_name not in _ADMITTED.get(module, ()):
            raise _Refused(f"{module_name}.{global_name}")
        stand_in = {"dtype": _plain_dtype, "bytes": _no_bytes}.get(global_name)
        return stand_in or super().find_class(module, global_name)

    def load_build(self) -> None:
        target, state = self.stack[-2:]  # type: ignore[attr-defined]
        plain = isinstance(target, np.ndarray) or (isinstance(target, np.dtype) and _is_plain_state(state))
        if not plain:
            raise _Refused(f"{type(target).__name__}.__setstate__ with {str(state)[:60]}")
        super().load_build()  # type: ignore[misc]

    dispatch[pickle.BUILD[0]] = load_build


def _plain_dtype(spec: Any, *flags: Any) -> np.dtype:
    dtype = np.dtype(spec, *flags)
    if dtype.kind not in "biufcSU" or dtype.subdtype:
        raise _Refused(f"numpy.dtype({spec!r})")
    return dtype


def _no_bytes() -> bytes:
    """What ``bytes()`` is called for: protocols 0 to 2 write the empty bytes so."""
    return b""


def _is_plain_state(state: Any) -> bool:
    """Of a dtype: (version, byte order, no sub-array, no names, no fields, size, alignment, flags)."""
    return len(state) == 8 and state[2:5] == (None, None, None) and state[7] in (0, _NEEDS_INIT)


_NEEDS_INIT = 0x08
"""The one flag of numpy's that strings have."""


class _Refused(Exception):
    """The pickle names something outside the admitted list."""


def load_pickle(path: Path) -> Any:
    """Content of a pickle that holds only containers, strings, numbers and numpy arrays.

    Raises
    ------
    LabelError
        The file can't be read, is no pickle or is cut short, or names any other class or function
        (which is then neither imported nor run).
    """
    try:
        with open(path, "rb") as f, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _Unpickler(f, encoding="latin1").load()
    except _Refused as e:
        raise LabelError(
            f"{path}: wants to run {e}; refused, since a label file needs only containers, strings, numbers and"
            " numpy arrays; get the file again from its authors"
        ) from None
    except OSError as e:
        raise LabelError(f"{path}: can't be read ({e.strerror}); check the path given to --labels") from e
    except Exception as e:  # a damaged pickle can raise anything; what it says is in the message
        raise LabelError(
            f"{path}: not a whole pickle ({type(e).__name__}: {e}); the file is damaged or cut short, copy it again"
        ) from e
