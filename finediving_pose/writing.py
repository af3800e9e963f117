"""Who is writing what: a second writer is told which command is at work, where, and since when.

A command names the paths that it writes over and those that it reads while it does so. Several may read a path at a
time, only one may write it, and nobody reads it meanwhile. What only adds whole files beside others needs no lock.

The lock of ``folder/name`` is held on the file ``folder/.name.lock``, with a note of who holds it. The system lets go
of it when the process dies, however it dies; a file that was left behind is only a file.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import IO

from finediving_pose.errors import BusyError, FdposeError
from finediving_pose.progress import tell

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
_PAUSE = 0.05
_SECONDS_TO_SIGN = 0.5
"""Time between getting a lock and the note that says who has it, at most."""

_held: ContextVar[Mapping[Path, bool]] = ContextVar("held", default=MappingProxyType({}))
"""Paths that the caller holds already, and whether for writing."""
_files: set[IO[bytes]] = set()
_without_locks: set[Path] = set()


@contextmanager
def writing(
    command: str, writes: Iterable[Path] = (), reads: Iterable[Path] = (), patience: float = 0.0
) -> Iterator[None]:
    """Hold ``writes`` alone and ``reads`` together with other readers, until the block ends.

    Blocks may lie in each other: what an outer one holds is not asked for again. Where the file system knows no locks,
    that is said and the block runs. A path to be read whose folder is missing or read-only is not locked.

    Parameters
    ----------
    command : what others are told, such as ``fdpose merge``
    patience : seconds to wait for others; for what is written in a moment

    Raises
    ------
    BusyError
        Another command is writing one of the paths, or reading one of ``writes``.
    FdposeError
        The folder of one of ``writes`` can't be written.
    """
    wanted = {_absolute(p): False for p in reads} | {_absolute(p): True for p in writes}
    held = _held.get()
    new = {path: alone for path, alone in wanted.items() if path not in held}
    if stronger := [path for path, alone in wanted.items() if alone and held.get(path) is False]:
        raise RuntimeError(f"{stronger[0]}: held for reading only; hold it for writing from the start")
    with _lock_all(command, new, patience):
        before = _held.set({**held, **new})
        try:
            yield
        finally:
            _held.reset(before)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  (a link stays: it is the link that is replaced)


@contextmanager
def _lock_all(command: str, wanted: Mapping[Path, bool], patience: float) -> Iterator[None]:
    """All locks or none, in the order of the paths: of two commands that want the same, one gets all."""
    until = time.monotonic() + patience
    told = False
    while True:
        with ExitStack() as locks:
            try:
                for path, alone in sorted(wanted.items()):
                    locks.enter_context(_lock(command, path, alone))
            except BusyError as e:
                if time.monotonic() >= until:
                    raise
                busy = e
            else:
                yield
                return
        if not told:
            tell(f"waiting: {busy.who}")
            told = True
        time.sleep(_PAUSE)


@contextmanager
def _lock(command: str, path: Path, alone: bool) -> Iterator[None]:
    place = path.with_name(f".{path.name}.lock")
    made = _make_folder(path, place.parent) if alone else []
    try:
        file = _locked(path, place, alone)
        if file is None:
            yield
            return
        _files.add(file)
        try:
            holder = _Holder.here(command, alone)
            holder.sign(file)
            yield
        finally:
            _files.discard(file)
            if not file.closed:  # it is in a forked child, where it is the parent's business
                _release(file, place, holder)
    finally:
        for folder in made:
            with suppress(OSError):  # something was written
                folder.rmdir()


def _make_folder(path: Path, folder: Path) -> list[Path]:
    """Make ``folder``; the folders that were missing, the innermost first."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise _unwritable(path, e) from e
    return missing


def _locked(path: Path, place: Path, alone: bool) -> IO[bytes] | None:
    """The lock file, locked; None where there can't be a lock."""
    while True:
        try:
            file = open(place, "a+b", buffering=0)  # noqa: SIM115  (it stays open as long as it is locked)
        except OSError as e:
            if alone:
                raise _unwritable(path, e) from e
            return None
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise _busy(path, place) from None
        except OSError as e:
            file.close()
            if e.errno not in _NO_LOCKS:
                raise _unwritable(path, e) from e
            _say_without_locks(place.parent, e)
            place.unlink(missing_ok=True)
            return None
        if _is_at(place, file):
            return file
        file.close()  # whoever had it removed the file between our opening and locking it


def _release(file: IO[bytes], place: Path, holder: _Holder) -> None:
    with suppress(OSError):  # others read on: the last of them removes the file
        if not holder.alone:
            replace(holder, ended=True).sign(file)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(place, file):
            place.unlink()
    file.close()


def _is_at(place: Path, file: IO[bytes]) -> bool:
    with suppress(OSError):
        return os.path.samestat(place.stat(), os.fstat(file.fileno()))
    return False


def _say_without_locks(folder: Path, e: OSError) -> None:
    if folder not in _without_locks:
        _without_locks.add(folder)
        tell(f"{folder}: its file system has no locks ({e.strerror}); let no other fdpose command write here meanwhile")


def _unwritable(path: Path, e: OSError) -> FdposeError:
    return FdposeError(f"{path}: can't write here ({e.strerror}); free the space or write elsewhere")


# -- who --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who holds a lock: the command, its process, and since when (UTC); or, in a second note, held it until now."""

    command: str
    host: str
    pid: int
    since: str
    alone: bool
    ended: bool = False

    @classmethod
    def here(cls, command: str, alone: bool) -> _Holder:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        return cls(command, platform.node(), os.getpid(), now, alone)

    def sign(self, file: IO[bytes]) -> None:
        """Write the note: the only one of a writer, one more of a reader."""
        note = json.dumps(astuple(self)).encode() + b"\n"
        with suppress(OSError):  # a full disk
            if self.alone:
                file.truncate(0)
            file.write(note)
            file.flush()

    def is_dead(self) -> bool:
        """Whether it is a process of this machine that has ended."""
        if self.host != platform.node():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass
        return False

    def __str__(self) -> str:
        does = "writing" if self.alone else "reading"
        return f"{self.command} is {does} it (process {self.pid} on {self.host}, since {self.since} UTC)"


def _busy(path: Path, place: Path) -> BusyError:
    until = time.monotonic() + _SECONDS_TO_SIGN
    while not (holders := _holders(place)) and time.monotonic() < until and place.exists():
        time.sleep(_PAUSE)
    who = f"{path}: {holders[-1] if holders else 'another fdpose command is using it'}"
    return BusyError(f"{who}; run this command again when that has ended", who)


def _holders(place: Path) -> list[_Holder]:
    """Those who signed the lock file and are, as far as can be seen, still at work."""
    found: list[_Holder] = []
    with suppress(OSError):
        for line in place.read_bytes().splitlines():
            with suppress(ValueError, TypeError):
                holder = _Holder(*json.loads(line))
                if holder.ended:
                    found.remove(replace(holder, ended=False))
                else:
                    found.append(holder)
    return [h for h in found if not h.is_dead()]


def _leave_to_the_parent() -> None:
    """A forked child holds nothing: a killed parent's locks are free at once, though its children end later."""
    for file in _files:
        file.close()
    _files.clear()


os.register_at_fork(after_in_child=_leave_to_the_parent)
