"""Kill a function with SIGKILL at chosen moments of its run."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

_FORK = multiprocessing.get_context("fork")


def count_moments(work: Callable[[], object]) -> int:
    """Number of moments (calls and returns, into C as well) in a run of ``work``, which runs in another process."""
    receive, send = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=_counted, args=(work, None, send))
    child.start()
    moments = receive.recv()
    child.join()
    return moments


def kill_at(work: Callable[[], object], moment: int) -> None:
    """Run ``work`` in another process that kills itself, without a chance to clean up, at ``moment``."""
    child = _FORK.Process(target=_counted, args=(work, moment, None))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL


def _counted(work: Callable[[], object], moment: int | None, send: Any) -> None:
    gc.disable()  # its finalizers are calls too, at another place in every run
    seen = 0

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal seen
        seen += 1
        if seen == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    work()
    sys.setprofile(None)
    if send is not None:
        send.send(seen)
