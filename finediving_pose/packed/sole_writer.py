"""One writer of a packed file at a time, without a lock file that a killed writer would leave behind.

A writer holds a lock on its own temporary file, which the system lets go when the process dies, however it dies. So
a temporary file that is locked is another writer's, and one that is not was left by a killed one.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from finediving_pose.errors import PackedError
from finediving_pose.workspace import atomic_write


@contextmanager
def sole_writer(target: Path) -> Iterator[Path]:
    """:func:`~finediving_pose.workspace.atomic_write` for one writer of ``target``; clears what a killed one left.

    Where the file system knows no locks, two writers both go on, and the last to end wins; what a killed one left
    stays.

    Raises
    ------
    PackedError
        Another process is writing ``target``.
    FdposeError
        The folder can't be written.
    """
    for left in target.parent.glob(f".{target.name}.*.part"):
        _clear(left, target)
    with ExitStack() as until_renamed, atomic_write(target) as part:
        with suppress(FileNotFoundError):
            held = until_renamed.enter_context(open(part, "r+b"))
            with suppress(OSError):
                _lock(held, part, target)
        if not part.exists():  # taken for a killed writer's between its creation and its lock
            raise _busy(target)
        yield part


def _clear(left: Path, target: Path) -> None:
    with suppress(FileNotFoundError), open(left, "r+b") as file:
        try:
            _lock(file, left, target)
        except OSError:
            return
        left.unlink(missing_ok=True)


def _lock(file: IO[bytes], path: Path, target: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _busy(target) from None


def _busy(target: Path) -> PackedError:
    return PackedError(
        f"{target}: another fdpose pack is writing it; wait until that ends, or write elsewhere with --out"
    )
