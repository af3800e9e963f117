"""Training on several processes, one a GPU, as torchrun or srun starts them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import torch
import torch.distributed as dist
from torch.distributed.rendezvous import rendezvous

from baselines.training import slurm
from finediving_pose.errors import SetupError, first_line
from finediving_pose.progress import console
from finediving_pose.writing import writing

P = ParamSpec("P")
T = TypeVar("T")


TO_MEET = timedelta(minutes=10)
"""Time in which all processes must have started."""
TO_WAIT = timedelta(hours=24)
"""Time that processes wait for the one that computes features or scores dives."""


def join() -> None:
    """Find the other processes, where torchrun or srun started more than one; all but the first are silent then.

    Raises
    ------
    UsageError
        SLURM has several tasks for the job, and srun did not start them.
    SetupError
        The others do not come.
    """
    if dist.is_initialized():
        return
    os.environ.update(slurm.rendezvous(os.environ))
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return
    on_gpu = torch.cuda.is_available()
    if on_gpu:  # a task of srun may see no other GPU than its own
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    try:
        store, own_rank, size = next(rendezvous("env://", timeout=TO_MEET))
        dist.init_process_group(
            "nccl" if on_gpu else "gloo", store=store, rank=own_rank, world_size=size, timeout=TO_WAIT
        )
    except (dist.DistError, RuntimeError, ValueError) as e:
        where = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
        raise SetupError(
            f"process {os.environ.get('RANK')} of {os.environ['WORLD_SIZE']} does not find the others at {where}"
            f" ({first_line(e)}); see what ended them, or set MASTER_PORT to a free port"
        ) from e
    if not is_first():
        console.quiet = True
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115


def leave() -> None:
    """Part from the other processes, all at the same point: one that ends alone can make another one fail."""
    if dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()


def count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Number of this process among them, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def is_first() -> bool:
    """Whether this process is the one that writes files and talks."""
    return rank() == 0


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


def any_of(value: bool) -> bool:
    """Whether it is true in one of the processes at least."""
    if count() == 1:
        return value
    total = torch.tensor(int(value), device="cuda" if torch.cuda.is_available() else "cpu")
    dist.all_reduce(total)
    return bool(total)


def gather(value: T) -> list[T]:
    """The value of every process, by rank."""
    if count() == 1:
        return [value]
    values: list[Any] = [None] * count()
    dist.all_gather_object(values, value)
    return values


def mean(values: dict[str, float]) -> dict[str, float]:
    """Mean of the numbers over the processes."""
    if count() == 1:
        return values
    device = "cuda" if torch.cuda.is_available() else "cpu"
    total = torch.tensor(list(values.values()), dtype=torch.float64, device=device)
    dist.all_reduce(total)
    return dict(zip(values, (total / count()).tolist(), strict=True))
