"""How sure it is that a label is wrong and what it should be."""

from __future__ import annotations

from typing import Literal, get_args

Level = Literal["certain", "likely", "doubtful", "convention"]
"""certain: a published result or table, a rule of the sport, or the files themselves prove it; likely: one explanation
fits, another is possible; doubtful: something is inconsistent, but nothing decides what is right; convention: no error,
but labels that follow another convention than the rest, or that a user should know of."""

LEVELS: tuple[Level, ...] = get_args(Level)
"""From the surest down."""
