"""What published results and other sources say of single dives of FineDiving and MTL-AQA.

A ruling (``data_manifest/rulings.csv``) confirms or corrects one label, names its evidence, and says how sure it is.
The rules of ``fdpose validate`` ask for it where the labels alone don't decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import cast

from data_manifest import table
from finediving_pose.clip import Clip
from finediving_pose.labels.levels import Level


@dataclass(frozen=True, slots=True)
class Ruling:
    """The right value of a label as text, how sure that is, and what says so."""

    value: str
    level: Level
    evidence: str


def ruling(clip: Clip, field: str) -> Ruling | None:
    """What is known of a field of a clip from elsewhere; None for most."""
    if clip.source not in ("finediving", "mtl_aqa"):
        return None
    return _rulings().get((clip.key.video, clip.key.index, field))


@cache
def _rulings() -> dict[tuple[str, int, str], Ruling]:
    return {
        (r["video"], int(r["index"]), r["field"]): Ruling(r["value"], cast(Level, r["level"]), r["evidence"])
        for r in table("rulings.csv")
    }
