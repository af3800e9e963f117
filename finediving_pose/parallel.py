"""One function over many items: in this process, in local processes, or on a Dask cluster.

Wherever it runs, a worker that is killed costs a retry of what it had in hand,
not the run.
"""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from finediving_pose.errors import FdposeError, SetupError
from finediving_pose.progress import track

Item = TypeVar("Item")
Result = TypeVar("Result")

SECONDS_TO_CONNECT = 10
"""Time in which a scheduler must answer."""

SECONDS_TO_HEAR = 0.2
"""Ctrl-C is heard between waits of this length, and not in them: there it would leave the lock of a future taken, for
which the pool would then wait for ever."""


def default_jobs() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_clips(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    jobs: int | None = None,
    description: str = "working",
    unit: str = "clips",
    scheduler: str | None = None,
    count: Callable[[Item], int] = lambda _: 1,
    worth: int = 1,
) -> Iterator[tuple[Item, Result | FdposeError]]:
    """Call ``function`` on every item and yield (item, result) as they are finished, in any order.

    An :class:`FdposeError` is the result of its item, so that one bad clip does
    not stop the others; any other exception is a bug and is raised. ``function``
    must be importable (a module's function, or a partial of one). With one job,
    or one item, it runs in this process.

    An item whose worker is killed is tried again, alone; where that kills its
    worker, too, the item's result is an error. ``function`` must therefore bear
    being called again after it was cut off anywhere.

    Parameters
    ----------
    jobs : local processes; None for as many as there are cores
    scheduler : address of a Dask scheduler, such as ``tcp://node1:8786``; its workers do the work
    unit, count : what progress is counted in, and how many of them an item is
    worth : items for which it pays to start one more process; with ``jobs`` given, that many are started all the same

    Raises
    ------
    SetupError
        There is no scheduler at the address, or Dask is not installed.
    FdposeError
        The scheduler ended meanwhile.
    """
    items = list(items)
    if not items:
        return
    if scheduler:
        results = _on_cluster(function, items, scheduler)
    else:
        jobs = min(jobs or min(default_jobs(), -(-len(items) // worth)), len(items))
        results = _serial(function, items) if jobs <= 1 else _parallel(function, items, jobs)
    yield from track(results, description, unit, sum(map(count, items)), lambda done: count(done[0]))


def in_order(
    items: Iterable[Item], outcomes: Iterable[tuple[Item, Result | FdposeError]]
) -> list[tuple[Item, Result | FdposeError]]:
    """What :func:`map_clips` gives of these items, in their order, once all are finished."""
    found = dict(outcomes)
    return [(item, found[item]) for item in items]


def _serial(function: Callable[[Item], Result], items: list[Item]) -> Iterator[tuple[Item, Result | FdposeError]]:
    for item in items:
        try:
            yield item, function(item)
        except FdposeError as e:
            yield item, e


def _parallel(
    function: Callable[[Item], Result], items: list[Item], jobs: int
) -> Iterator[tuple[Item, Result | FdposeError]]:
    """Rounds of a pool; a pool that lost a worker is replaced, and the items it had in hand are tried alone."""
    left = deque(items)
    while left:
        in_hand: list[Item] = []
        yield from _pool(function, left, jobs, in_hand)
        for item in in_hand:
            again: list[Item] = []
            yield from _pool(function, deque([item]), 1, again)
            if again:
                yield (
                    item,
                    FdposeError(
                        f"{_named(item)}: its worker process was killed twice, most often because memory ran out;"
                        f" what is finished is kept: run the same command again with fewer than --jobs {jobs}"
                    ),
                )


def _pool(
    function: Callable[[Item], Result], left: deque[Item], jobs: int, in_hand: list[Item]
) -> Iterator[tuple[Item, Result | FdposeError]]:
    """Take items off ``left`` until it is empty or a worker is killed; ``in_hand`` then gets those without a result."""
    # spawn: workers load decoders and models that start threads, which do not survive a fork
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_begin)
    pending: dict[Future[Result], Item] = {}
    try:
        while left or pending:
            with _interrupts_held():
                while left and len(pending) < 2 * jobs:
                    pending[pool.submit(function, left[0])] = left[0]
                    left.popleft()
                done, _ = wait(pending, SECONDS_TO_HEAR, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda f: isinstance(f.exception(), BrokenProcessPool)):
                outcome = _outcome(future)
                yield pending.pop(future), outcome
        pool.shutdown()
    except BrokenProcessPool:
        in_hand += pending.values()
    finally:
        # after Ctrl-C or an early end of the loop nobody waits for the item in hand
        for worker in set(multiprocessing.active_children()) - before:
            worker.terminate()
        pool.shutdown(wait=True, cancel_futures=True)  # joined here: at exit Python would wake a closed pipe


def _named(item: Any) -> str:
    """What a person would call an item: a clip's key, or the path it starts with."""
    first = item[0] if isinstance(item, tuple) and item else item
    return str(getattr(first, "key", first))


# -- on a cluster ---------------------------------------------------------------------------------------------------


def _on_cluster(
    function: Callable[[Item], Result], items: list[Item], address: str
) -> Iterator[tuple[Item, Result | FdposeError]]:
    """The scheduler gives an item whose worker died to another one, up to its ``allowed-failures`` (3)."""
    try:
        from distributed import CancelledError, Client
        from distributed.comm.core import CommClosedError
    except ImportError as e:
        raise SetupError("--scheduler needs Dask; install it with: pip install 'fdpose[scale]'") from e
    for name in ("distributed.client", "distributed.core"):  # they print tracebacks of what is told here in a line
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client: Any = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as e:
        raise SetupError(f"no Dask scheduler answers at {address}; start one with: dask scheduler") from e
    try:
        with client:
            yield from _submitted(client, function, items)
    except (CancelledError, CommClosedError) as e:
        raise FdposeError(
            f"the Dask scheduler at {address} ended or can't be reached any more; what is finished is kept: start it"
            " again, then run the same command again"
        ) from e


def _submitted(
    client: Any, function: Callable[[Item], Result], items: list[Item]
) -> Iterator[tuple[Item, Result | FdposeError]]:
    """A few items a worker at a time, so that a long list is not copied to the scheduler; workers may still come."""
    from distributed import KilledWorker, as_completed

    queue, waiting = iter(items), {}
    finished = as_completed(loop=client.loop)

    def submit() -> None:
        window = 4 * max(1, sum(client.nthreads().values()))
        for item in islice(queue, max(0, window - len(waiting))):
            future = client.submit(function, item, pure=False)
            waiting[future] = item
            finished.add(future)

    submit()
    for future in finished:
        item = waiting.pop(future)
        try:
            outcome = future.result()
        except FdposeError as e:
            outcome = e
        except KilledWorker:
            outcome = FdposeError(
                f"{_named(item)}: every worker that had it was killed, most often because memory ran out;"
                " give workers more memory and run the same command again: what is finished is kept"
            )
        submit()
        yield item, outcome


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


def _begin() -> None:
    """A worker leaves Ctrl-C to its parent, and does not outlive it, however that dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
