"""A person's journal: ``journals/<annotator>.jsonl``, one operation a line, only ever appended to.

A line counts once it is on the disk: :meth:`Journal.append` comes back after fsync. What a kill or a power cut leaves
of a line at the end was never acknowledged, and is cut off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from finediving_pose.errors import FdposeError, PoseError
from finediving_pose.journals.operations import Operation, line_of, parse_line
from finediving_pose.workspace import Workspace, fsync_directory

HEAD = {"fdpose_journal": 1}
"""The first line; the number is the format's version."""


class JournalFullError(FdposeError):
    """An operation can't be written (disk full, read-only); the journal is as it was before."""


def journal_file(workspace: Workspace, annotator: str) -> Path:
    """``journals/<annotator>.jsonl``."""
    return workspace.journals / f"{annotator}.jsonl"


def read_journal(path: Path) -> tuple[list[Operation], int]:
    """The operations of a journal, and the number of bytes that hold them; none and 0 where there is no file.

    Raises PoseError where a line other than an unfinished last one is damaged.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    except OSError as e:
        raise PoseError(f"{path}: can't be read ({e.strerror}); check its permissions") from e
    whole = raw.rfind(b"\n") + 1
    return list(_parsed(raw[:whole].splitlines(), path)), whole


def _parsed(lines: Sequence[bytes], path: Path) -> Iterator[Operation]:
    for number, line in enumerate(lines, 1):
        try:
            if number == 1:
                _check_head(line)
                continue
            yield parse_line(line)
        except ValueError as e:
            raise PoseError(
                f"{path}: line {number} is damaged ({str(e)[:160]}); move the file away to begin a new journal, and"
                " keep it: the other lines hold what was done"
            ) from e


def _check_head(line: bytes) -> None:
    head = json.loads(line)
    version = head.get("fdpose_journal") if isinstance(head, dict) else None
    if version != HEAD["fdpose_journal"]:
        raise ValueError(f"expected a journal of version {HEAD['fdpose_journal']}, found {version!r}")


class Journal:
    """A journal that is open for appending. Hold its lock (:func:`~finediving_pose.writing.writing`) meanwhile.

    Raises FdposeError where it can't be written.
    """

    def __init__(self, path: Path, length: int) -> None:
        """``length``: bytes of whole lines, from :func:`read_journal`; what follows them is cut off."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as e:
            raise FdposeError(
                f"{path}: can't write here ({e.strerror}); free the space or give the right to write"
            ) from e
        self.length = length
        os.ftruncate(self._fd, length)
        if not length:
            self._write(json.dumps(HEAD).encode() + b"\n")
            fsync_directory(path.parent)

    def append(self, operations: Sequence[Operation]) -> None:
        """Write them at the end, all or none; they are on the disk when this comes back. Raises JournalFullError."""
        self._write("".join(line_of(o) + "\n" for o in operations).encode())

    def _write(self, data: bytes) -> None:
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._fd, data[written:], self.length + written)
            os.fsync(self._fd)
        except OSError as e:
            with suppress(OSError):
                os.ftruncate(self._fd, self.length)
            raise JournalFullError(f"{self.path}: can't be written ({e.strerror})") from e
        self.length += len(data)

    def close(self) -> None:
        os.close(self._fd)
