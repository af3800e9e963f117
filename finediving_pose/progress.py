"""Progress of long work on standard error: a bar on a terminal, one line when done elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")

console = Console(stderr=True, highlight=False)


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
    start, done = time.monotonic(), 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(description, total=total, rate="")
        for item in items:
            yield item
            done += worth(item)
            rate = done / max(time.monotonic() - start, 1e-9)
            bar.update(task, advance=1, rate=f"{rate:.1f} {unit}/s")
    if not console.is_terminal:
        seconds = time.monotonic() - start
        console.print(f"{description}: {done:,} {unit} in {seconds:.1f} s ({done / max(seconds, 1e-9):.1f} {unit}/s)")
