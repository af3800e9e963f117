"""How rules write lists, counts and stages."""

from __future__ import annotations

from collections.abc import Iterable

from finediving_pose.lexicon import SUB_ACTIONS


def listed(values: Iterable[float], between: str = ", ") -> str:
    """``8, 7.5, 8.5``"""
    return between.join(f"{v:g}" for v in values)


def stage_names(ids: Iterable[int]) -> str:
    """``Back > 1.5 Twists > 2.5 Soms.Pike > Entry``"""
    return " > ".join(SUB_ACTIONS.get(i, str(i)) for i in ids)


def counted(n: int, noun: str) -> str:
    """``1 frame``, ``1,200 frames``"""
    return f"{n:,} {noun}{'s' * (n != 1)}"
