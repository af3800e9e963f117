"""Where tables and lines are printed: every word as it is, whatever it looks like."""

from __future__ import annotations

from typing import Any

from rich.console import Console


def terminal(**options: Any) -> Console:
    """A console that takes ``[red]`` and ``:smile:`` in a video's name for what they are, letters of a name.

    What is to have a style gets one as a ``rich.text.Text`` or by ``style=``.
    """
    return Console(highlight=False, markup=False, emoji=False, **options)
