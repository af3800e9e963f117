"""A training that a scheduler asks to end: SIGTERM, or SIGUSR1, which SLURM sends some time before the limit."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from finediving_pose.errors import Stopped

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class _Request:
    """What this process was asked.

    Attributes
    ----------
    came : name of the first signal; None while there was none
    waits : whether it is answered by whoever looks at :func:`is_asked`, not at once
    """

    came: str | None = None
    waits: bool = False


_request = _Request()


@contextmanager
def stoppable() -> Iterator[None]:
    """Until the block ends, a signal raises :class:`~finediving_pose.errors.Stopped` in it, or is kept for later."""
    before = {number: signal.signal(number, _hear) for number in SIGNALS}
    _request.came, _request.waits = None, False
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _request.came, _request.waits = None, False


def _hear(number: int, frame: FrameType | None) -> None:
    _request.came = _request.came or signal.Signals(number).name
    if not _request.waits:
        raise Stopped(_request.came)


@contextmanager
def kept_for_later(kept: bool = True) -> Iterator[None]:
    """Within the block a signal is kept, for :func:`is_asked`; with ``kept`` false it raises at once, as outside."""
    before, _request.waits = _request.waits, kept
    try:
        if not kept:
            raise_if_asked()
        yield
    finally:
        _request.waits = before


def is_asked() -> bool:
    """Whether a signal has come."""
    return _request.came is not None


def asked_by() -> str:
    """The signal that came, or that another process was asked."""
    return _request.came or "a signal to another process"


def raise_if_asked() -> None:
    """Raise :class:`~finediving_pose.errors.Stopped` where a signal has come."""
    if _request.came is not None:
        raise Stopped(_request.came)


def leave_to_parent(worker: int = 0) -> None:
    """In a process that reads data: a scheduler's signals go to all processes, and the one that trains answers."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
