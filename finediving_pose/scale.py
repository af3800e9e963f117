"""One function over many items, in local processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from finediving_pose.errors import FdposeError
from finediving_pose.progress import track

Item = TypeVar("Item")
Result = TypeVar("Result")


def default_jobs() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_clips(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    jobs: int | None = None,
    description: str = "working",
    unit: str = "clips",
) -> Iterator[tuple[Item, Result | FdposeError]]:
    """Call ``function`` on every item and yield (item, result) as they are finished, in any order.

    An :class:`FdposeError` is the result of its item, so that one bad clip does
    not stop the others; any other exception is a bug and is raised. ``function``
    must be importable (a module's function, or a partial of one). With one job,
    or one item, it runs in this process.

    Raises
    ------
    FdposeError
        A worker process died, most often because memory ran out.
    """
    items = list(items)
    if not items:
        return
    jobs = min(jobs or default_jobs(), len(items))
    results = _serial(function, items) if jobs <= 1 else _parallel(function, items, jobs)
    yield from track(results, description, unit, total=len(items))


def _serial(function: Callable[[Item], Result], items: list[Item]) -> Iterator[tuple[Item, Result | FdposeError]]:
    for item in items:
        try:
            yield item, function(item)
        except FdposeError as e:
            yield item, e


def _parallel(
    function: Callable[[Item], Result], items: list[Item], jobs: int
) -> Iterator[tuple[Item, Result | FdposeError]]:
    # spawn: workers load decoders and models that start threads, which do not survive a fork
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_ignore_interrupts)
    queue = iter(items)
    try:
        with _interrupts_held():
            pending: dict[Future[Result], Item] = {pool.submit(function, i): i for i in islice(queue, 2 * jobs)}
        while pending:
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                item = pending.pop(future)
                with _interrupts_held():
                    pending |= {pool.submit(function, i): i for i in islice(queue, 1)}
                yield item, _outcome(future)
        pool.shutdown()
    except BrokenProcessPool as e:
        raise FdposeError(
            "a worker process was killed, most often because memory ran out; what is finished is kept:"
            f" run the same command again with fewer than --jobs {jobs}"
        ) from e
    finally:
        # after Ctrl-C or an early end of the loop nobody waits for the item in hand
        for worker in set(multiprocessing.active_children()) - before:
            worker.terminate()
        pool.shutdown(wait=True, cancel_futures=True)  # joined here: at exit Python would wake a closed pipe


def _outcome(future: Future[Result]) -> Result | FdposeError:
    try:
        return future.result()
    except FdposeError as e:
        return e


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C for afterwards; processes started meanwhile never get it, not even before their initializer runs."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
