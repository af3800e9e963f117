"""Label pickles, read without running what may be hidden in them.

A pickle is a program. The label files need only containers, strings, numbers and numpy arrays, so nothing else is let
in (https://docs.python.org/3/library/pickle.html, "Restricting Globals"), and numpy's own functions are not either:
:mod:`finediving_pose.pickled_arrays` makes the arrays. Python's own unpickler lets every step be checked, the faster
one in C does not.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, ClassVar

from finediving_pose.errors import LabelError
from finediving_pose.pickled_arrays import MAKERS, ArrayRecord, DtypeRecord, Refused, is_key, one_line, plain

LARGEST = 256 << 20
"""Bytes of a label file; FineDiving's largest has 3.5 million."""

_MARKS = "MARK POP POP_MARK DUP PROTO FRAME STOP GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT MEMOIZE"
_VALUES = """
    NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING
    UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8
"""
_CONTAINERS = """
    EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_DICT DICT SETITEM SETITEMS EMPTY_SET
    ADDITEMS FROZENSET
"""
_CALLS = "GLOBAL STACK_GLOBAL REDUCE BUILD"
_OPCODES = frozenset(getattr(pickle, name)[0] for name in f"{_MARKS}{_VALUES}{_CONTAINERS}{_CALLS}".split())
"""The steps that containers, strings, numbers and arrays are written in; no classes, extensions or outside buffers."""


def _members(items: Any = ()) -> list[Any]:
    if not isinstance(items, (list, tuple)) or not all(is_key(v) for v in items):
        raise Refused("holds a set whose members are no names or numbers")
    return list(items)


def _ordered(pairs: Any = ()) -> dict[Any, Any]:
    made = {}
    for key, value in pairs:
        made[_key(key)] = value
    return made


def _encoded(text: Any = "", encoding: Any = None) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise Refused("wants to run _codecs.encode to another encoding than latin1")
    return text.encode("latin1")


def _no_bytes(*nothing: Any) -> bytes:
    if nothing:
        raise Refused("wants to run builtins.bytes with arguments")
    return b""


def _complex(real: Any = 0.0, imaginary: Any = 0.0) -> complex:
    return complex(float(real), float(imaginary))


_ADMITTED: dict[str, Any] = MAKERS | {
    "collections.OrderedDict": _ordered,
    "_codecs.encode": _encoded,  # bytes, as protocols 0 to 2 write them
    "builtins.bytes": _no_bytes,  # the empty bytes of the same
    "builtins.complex": _complex,
    "builtins.set": lambda *items: set(_members(*items)),
    "builtins.frozenset": lambda *items: frozenset(_members(*items)),
}


def _key(value: Any) -> Any:
    if not is_key(value):
        raise Refused("holds a dictionary whose keys are no names or numbers")
    return value


class _Unpickler(pickle._Unpickler):
    """Calls the functions of :data:`_ADMITTED` and refuses the rest."""

    dispatch: ClassVar[dict[int, Any]] = {
        code: step for code, step in pickle._Unpickler.dispatch.items() if code in _OPCODES
    }
    stack: list[Any]
    read: Any
    pop_mark: Any

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        module = module_name.replace("numpy.core", "numpy._core", 1).replace("__builtin__", "builtins")
        try:
            return _ADMITTED[f"{module}.{global_name}"]
        except KeyError:
            raise Refused(f"wants to run {module_name}.{global_name}") from None

    def load_reduce(self) -> None:
        args = self.stack.pop()
        maker = self.stack[-1]
        if type(args) is not tuple or not any(maker is admitted for admitted in _ADMITTED.values()):
            raise Refused(f"wants to run a {type(maker).__name__} as a function")
        self.stack[-1] = maker(*args)

    def load_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if not isinstance(target, (ArrayRecord, DtypeRecord)):
            raise Refused(f"wants to run {type(target).__name__}.__setstate__")
        target.__setstate__(state)

    def load_bytearray8(self) -> None:
        """Bytes of arrays, as protocol 5 writes them; Python's own step makes room before it looks what is there."""
        size = int.from_bytes(self.read(8), "little")
        self.stack.append(bytes(self.read(min(size, LARGEST))))

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.stack.append({_key(items[i]): items[i + 1] for i in range(0, len(items), 2)})

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._dict()[_key(key)] = value

    def load_setitems(self) -> None:
        items = self.pop_mark()
        target = self._dict()
        for i in range(0, len(items), 2):
            target[_key(items[i])] = items[i + 1]

    def load_additems(self) -> None:
        items = _members(self.pop_mark())
        if type(self.stack[-1]) is not set:
            raise Refused(f"adds members to a {type(self.stack[-1]).__name__}")
        self.stack[-1].update(items)

    def load_frozenset(self) -> None:
        items = self.pop_mark()
        self.stack.append(frozenset(_members(items)))

    def load_append(self) -> None:
        value = self.stack.pop()
        self._list().append(value)

    def load_appends(self) -> None:
        values = self.pop_mark()
        self._list().extend(values)

    def _dict(self) -> dict[Any, Any]:
        if type(self.stack[-1]) is not dict:
            raise Refused(f"sets entries of a {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def _list(self) -> list[Any]:
        if type(self.stack[-1]) is not list:
            raise Refused(f"adds elements to a {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    for _name in (
        "REDUCE BUILD BYTEARRAY8 DICT SETITEM SETITEMS ADDITEMS FROZENSET APPEND APPENDS"
    ).split():
        dispatch[getattr(pickle, _name)[0]] = locals()[f"load_{_name.lower()}"]


def load_pickle(path: Path) -> Any:
    """Content of a pickle that holds only containers, strings, numbers and numpy arrays.

    Raises
    ------
    LabelError
        The file can't be read, is no pickle or is cut short, is too large or too deep, or names any other class or
        function (which is then neither imported nor run).
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise LabelError(f"{path}: {size:,} bytes; a label file has at most {LARGEST:,}")
        return plain(_Unpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load())
    except Refused as e:
        raise LabelError(
            f"{path}: {one_line(e)}; refused, since a label file needs only containers, strings, numbers and"
            " numpy arrays; get the file again from its authors"
        ) from None
    except LabelError:
        raise
    except OSError as e:
        raise LabelError(f"{path}: can't be read ({e.strerror}); check the path given to --labels") from e
    except Exception as e:  # a damaged pickle can raise anything; what it says is in the message
        raise LabelError(
            f"{path}: not a whole pickle ({type(e).__name__}: {one_line(e)}); the file is damaged or cut short, copy it again"
        ) from e
