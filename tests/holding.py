"""Another process that holds paths for writing, as a command does."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from pathlib import Path
from typing import Any

from finediving_pose.writing import writing

_FORK = multiprocessing.get_context("fork")


@contextmanager
def held_by_another(command: str, *, writes: tuple[Path, ...] = (), reads: tuple[Path, ...] = ()) -> Iterator[int]:
    """Another process holds these paths until the block ends; gives its id."""
    ready, stop = _FORK.Event(), _FORK.Event()
    child = _FORK.Process(target=Context().run, args=(_hold, command, writes, reads, ready, stop))
    child.start()
    assert ready.wait(30)
    try:
        yield child.pid or 0
    finally:
        stop.set()
        child.join()
        assert child.exitcode == 0


def _hold(command: str, writes: tuple[Path, ...], reads: tuple[Path, ...], ready: Any, stop: Any) -> None:
    with writing(command, writes, reads):
        ready.set()
        stop.wait()
