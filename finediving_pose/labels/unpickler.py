"""Label pickles, read without running what may be hidden in them.

The label files need only containers, strings, numbers and numpy arrays, so nothing else is let in
(:mod:`finediving_pose.plain_pickle`).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from finediving_pose.errors import LabelError
from finediving_pose.pickled_arrays import Refused
from finediving_pose.plain_pickle import ADMITTED, PlainUnpickler, one_line, plain

LARGEST = 256 << 20
"""Bytes of a label file; FineDiving's largest has 3.5 million."""


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
        return plain(PlainUnpickler(io.BytesIO(path.read_bytes()), ADMITTED).load())
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
            f"{path}: not a whole pickle ({type(e).__name__}: {one_line(e)}); the file is damaged or cut short, copy it"
            " again"
        ) from e
