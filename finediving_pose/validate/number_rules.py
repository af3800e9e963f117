"""Rules on the dive number of one clip, and what another number would fit. A field that is missing is never wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from finediving_pose.clip import Clip
from finediving_pose.difficulty import SEASON, difficulty
from finediving_pose.errors import LexiconError
from finediving_pose.events import season
from finediving_pose.labels.rulings import ruling
from finediving_pose.lexicon import DiveNumber, is_dive_number, parse_dive_number
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.score_rules import score_allows


def parsed(clip: Clip) -> DiveNumber | None:
    """The clip's dive number, None where there is none or it is not one."""
    with suppress(LexiconError):
        return parse_dive_number(clip.action_type or "")
    return None


@rule("label.dive-number", severity="error")
def dive_number_is_one(clip: Clip) -> Iterator[Finding]:
    """The dive number follows the grammar of World Aquatics (diving, dive number designations)."""
    try:
        parse_dive_number(clip.action_type or "107b")
    except LexiconError as e:
        yield Finding(clip.key, str(e), "action_type", clip.action_type or "", "a dive number")


@rule("label.dive-possible", severity="warning")
def dive_is_one_that_is_dived(clip: Clip) -> Iterator[Finding]:
    """The dive has at least half a somersault and a position that its group allows.

    Dives without a somersault (100 to 400) are jumps, which no senior event has. The free position is for
    twisting dives only (World Aquatics, diving, dive positions).
    """
    dive = parsed(clip)
    if dive and not dive.half_somersaults:
        yield another_number(clip, f"{dive} is a jump, without somersault", clip.height_m)
    elif dive and not _is_possible(dive):
        yield another_number(clip, f"{dive} is in free position but has no twist", clip.height_m)


@rule("label.armstand-platform", severity="warning")
def armstand_needs_a_platform(clip: Clip) -> Iterator[Finding]:
    """Armstand dives are done from the platform only."""
    dive = parsed(clip)
    if dive and dive.armstand and clip.height_m == 3:
        what = f"{dive} is an armstand dive, but the height is 3 m, a springboard"
        yield Finding(clip.key, what, "height_m", "3", "10")


def another_number(clip: Clip, why: str, height: float | None) -> Finding:
    """A finding on a number that is wrong, with the one that is likely right: what a ruling says, or the only one that
    differs in one character and has the clip's difficulty, where the score is that of the difficulty."""
    number = clip.action_type or ""
    if r := ruling(clip, "action_type"):
        return Finding(clip.key, why, "action_type", number, r.value, level=r.level, evidence=r.evidence)
    if clip.difficulty is None or not score_allows(clip, clip.difficulty):
        return Finding(clip.key, why, "action_type", number, "another dive")
    near = [n for n in _spelled_alike(number) if _has_by_table(n, height, clip)]
    if len(near) != 1:
        return Finding(clip.key, why, "action_type", number, f"a dive of difficulty {clip.difficulty:g}")
    evidence = f"{why}; of the dives whose number differs in one character only {near[0]} has {clip.difficulty:g}"
    return Finding(clip.key, why, "action_type", number, near[0], level="likely", evidence=evidence)


def _has_by_table(number: str, height: float | None, clip: Clip) -> bool:
    """Whether a published table gives the clip's difficulty to another number."""
    found = [difficulty(number, h, season(clip) or SEASON) for h in ((3.0, 10.0) if height is None else (height,))]
    return any(d is not None and d.is_published and d.value == clip.difficulty for d in found)


def _spelled_alike(number: str) -> list[str]:
    """Numbers of possible dives that differ in one character."""
    characters = [*("0123456789",) * (len(number) - 1), "abcd"]
    others = [number[:i] + c + number[i + 1 :] for i, allowed in enumerate(characters) for c in allowed]
    return [n for n in others if n != number and is_dive_number(n) and _is_possible(parse_dive_number(n))]


def _is_possible(dive: DiveNumber) -> bool:
    return dive.half_somersaults > 0 and (dive.position != "free" or dive.half_twists > 0)
