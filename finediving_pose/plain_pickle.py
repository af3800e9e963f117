"""Pickles of plain values: containers, text, numbers and numpy arrays, and nothing that a pickle could run.

A pickle is a program. Python's own unpickler, the one in Python, lets every step be checked
(https://docs.python.org/3/library/pickle.html, "Restricting Globals"); steps that plain values do not need are left
out, and the functions that they need are ours. What comes out is copied, with a limit of depth and size.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import IO, Any, ClassVar

import numpy as np

from finediving_pose.pickled_arrays import MAKERS, ArrayRecord, DtypeRecord, Refused

DEEPEST = 64
"""Containers inside each other; label files and checkpoints have fewer than ten."""
MOST_VALUES = 20_000_000
"""Values in all, a shared one counted as often as it is met; FineDiving's labels are 700,000."""
MOST_BYTES = 1 << 30
"""Text and arrays in all, counted in the same way."""

_SCALARS = (str, bytes, int, float, complex, bool, type(None))
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


ADMITTED: dict[str, Any] = MAKERS | {
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


def _not_plain(unpickler: Any) -> None:
    raise Refused("holds more than plain values")


class PlainUnpickler(pickle._Unpickler):
    """Calls the functions that it is given and refuses the rest.

    Parameters
    ----------
    file : what is read
    admitted : functions by the names that a pickle has for them, :data:`ADMITTED` for plain values
    """

    dispatch: ClassVar[dict[int, Any]] = dict.fromkeys(pickle._Unpickler.dispatch, _not_plain) | {
        code: step for code, step in pickle._Unpickler.dispatch.items() if code in _OPCODES
    }
    stack: list[Any]
    read: Any
    pop_mark: Any

    def __init__(self, file: IO[bytes], admitted: Mapping[str, Any]) -> None:
        super().__init__(file, encoding="latin1")
        self.admitted = admitted

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        module = module_name.replace("numpy.core", "numpy._core", 1).replace("__builtin__", "builtins")
        try:
            return self.admitted[f"{module}.{global_name}"]
        except KeyError:
            raise Refused(f"wants to run {module_name}.{global_name}") from None

    def load_reduce(self) -> None:
        args = self.stack.pop()
        maker = self.stack[-1]
        if type(args) is not tuple or not any(maker is admitted for admitted in self.admitted.values()):
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
        self.stack.append(bytes(self.read(min(size, MOST_BYTES))))

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

    dispatch |= {
        pickle.REDUCE[0]: load_reduce,
        pickle.BUILD[0]: load_build,
        pickle.BYTEARRAY8[0]: load_bytearray8,
        pickle.DICT[0]: load_dict,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.ADDITEMS[0]: load_additems,
        pickle.FROZENSET[0]: load_frozenset,
        pickle.APPEND[0]: load_append,
        pickle.APPENDS[0]: load_appends,
    }


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
        return self._copied(value, DEEPEST)[0]

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
