"""Label pickles, read without running what may be hidden in them.

A pickle is a program. The label files need only containers, strings, numbers and
numpy arrays, so nothing else is let in (https://docs.python.org/3/library/pickle.html,
"Restricting Globals"). numpy moved ``numpy.core`` to ``numpy._core`` in version 2;
both spellings are admitted, and both are found in the installed numpy.
"""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

from finediving_pose.errors import LabelError

_ADMITTED = {
    "builtins": {"set", "frozenset", "complex"},
    "__builtin__": {"set", "frozenset", "complex"},
    "collections": {"OrderedDict"},
    "_codecs": {"encode"},  # bytes, as protocols 0 to 2 write them
    "numpy": {"ndarray", "dtype"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
}


class _Unpickler(pickle.Unpickler):
    """Looks up the admitted names and refuses the rest."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        module = module_name.replace("numpy.core", "numpy._core", 1)
        if global_name not in _ADMITTED.get(module, ()):
            raise _Refused(f"{module_name}.{global_name}")
        return super().find_class(module, global_name)


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
