"""Progress of long work on standard error: a bar on a terminal, a line a minute and one when done elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sized
from datetime import timedelta
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from finediving_pose.terminal import terminal

T = TypeVar("T")

console = terminal(stderr=True)

SECONDS = 300
"""A bar estimates the time left from this many last seconds: an item may take half a minute."""

MINUTE = 60
"""Seconds between two lines where there is no terminal."""


def tell(line: str, style: str | None = None) -> None:
    """One line on standard error, not wrapped, in a style of rich's where it is to stand out."""
    console.print(line, soft_wrap=True, style=style)


def track(
    items: Iterable[T],
    description: str,
    unit: str = "clips",
    total: int | None = None,
    count: Callable[[T], int] = lambda _: 1,
) -> Iterator[T]:
    """Yield ``items`` and show how many units are done, of how many, how fast, and the time left.

    Parameters
    ----------
    unit : what the user counts, in the plural
    total : in units; None where ``items`` can be counted
    count : number of units in an item
    """
    if total is None and isinstance(items, Sized):
        total = sum(map(count, items))
    start = told = time.monotonic()
    done = 0
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, speed_estimate_period=SECONDS) as bar:
        task = bar.add_task(description, total=total, rate="")
        for item in items:
            yield item
            new = count(item)
            done += new
            now = time.monotonic()
            rate = f"{done / max(now - start, 1e-9):.1f} {unit}/s"
            bar.update(task, advance=new, rate=rate)
            if total and done and not console.is_terminal and now - told >= MINUTE:
                left = timedelta(seconds=round((now - start) / done * (total - done)))
                console.print(f"{description}: {done:,} of {total:,} {unit}, {rate}, {left} left")
                told = now
    if not console.is_terminal:
        seconds = time.monotonic() - start
        console.print(f"{description}: {done:,} {unit} in {seconds:.1f} s ({done / max(seconds, 1e-9):.1f} {unit}/s)")
