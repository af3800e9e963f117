"""Progress of long work on standard error: a bar on a terminal, a line a minute and one when done elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sized
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")

console = Console(stderr=True, highlight=False)

SECONDS = 300
"""A bar's time left is reckoned from so many last seconds: an item may take half a minute."""

MINUTE = 60
"""Seconds between two lines where there is no terminal."""


def tell(line: str) -> None:
    """One line on standard error, not wrapped."""
    console.print(line, soft_wrap=True)


def track(
    items: Iterable[T],
    description: str,
    unit: str = "clips",
    total: int | None = None,
    worth: Callable[[T], int] = lambda _: 1,
) -> Iterator[T]:
    """Yield ``items`` and show how far they got, how fast, and the time left.

    ``total`` counts items. The speed is told in ``unit``, of which an item is ``worth`` some.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
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
        for count, item in enumerate(items, 1):
            yield item
            done += worth(item)
            now = time.monotonic()
            rate = f"{done / max(now - start, 1e-9):.1f} {unit}/s"
            bar.update(task, advance=1, rate=rate)
            if total and not console.is_terminal and now - told >= MINUTE:
                left = timedelta(seconds=round((now - start) / count * (total - count)))
                console.print(f"{description}: {count:,} of {total:,}, {rate}, {left} left")
                told = now
    if not console.is_terminal:
        seconds = time.monotonic() - start
        console.print(f"{description}: {done:,} {unit} in {seconds:.1f} s ({done / max(seconds, 1e-9):.1f} {unit}/s)")
