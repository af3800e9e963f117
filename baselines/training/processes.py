"""Training on several processes, one a GPU, as torchrun starts them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import torch
import torch.distributed as dist

from finediving_pose.progress import console
from finediving_pose.writing import writing

P = ParamSpec("P")
T = TypeVar("T")


def join() -> None:
    """Find the other processes where torchrun started more than one; all but the first are silent from then on."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or dist.is_initialized():
        return
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if on_gpu else "gloo")
    if not is_first():
        console.quiet = True
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115


def count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """Whether this process is the one that writes files and talks."""
    return not dist.is_initialized() or dist.get_rank() == 0


def on_first(make: Callable[P, T]) -> Callable[P, T]:
    """Let only the first process do something, and tell the others what came of it. Where it fails, they end."""

    @wraps(make)
    def make_once(*args: P.args, **kwargs: P.kwargs) -> T:
        join()
        if count() == 1:
            return make(*args, **kwargs)
        told: list[Any] = [None]
        try:
            if is_first():
                told = [(make(*args, **kwargs),)]
        finally:
            dist.broadcast_object_list(told)
        if told[0] is None:
            raise SystemExit(1)
        return told[0][0]

    return make_once


@contextmanager
def sole(folder: Path) -> Iterator[None]:
    """Hold a run or a study for these processes: the first one has the lock. Raises BusyError where others have it."""
    with ExitStack() as held:
        on_first(lambda: bool(held.enter_context(writing("fdpose benchmark", [folder]))))()
        yield


def mean(values: dict[str, float]) -> dict[str, float]:
    """Mean of the numbers over the processes."""
    if count() == 1:
        return values
    device = "cuda" if torch.cuda.is_available() else "cpu"
    total = torch.tensor(list(values.values()), dtype=torch.float64, device=device)
    dist.all_reduce(total)
    return dict(zip(values, (total / count()).tolist(), strict=True))
