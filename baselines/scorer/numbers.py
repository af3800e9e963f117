"""Which dive number a dive is scored as, and what to say where the scorer knows none like it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from baselines.data.exemplars import Pairing, group
from finediving_pose.clip import Clip
from finediving_pose.difficulty import degree_of_difficulty
from finediving_pose.errors import FdposeError, LexiconError, NoExemplarError, UsageError
from finediving_pose.lexicon import DiveNumber, parse_dive_number

NEAREST = 3


def with_difficulty(clip: Clip) -> Clip:
    """The clip with the degree of difficulty that the rules give its number at its height, where it has none."""
    if clip.difficulty or not clip.action_type or not clip.height_m:
        return clip
    try:
        return replace(clip, difficulty=degree_of_difficulty(clip.action_type, clip.height_m))
    except LexiconError:
        return clip


def check_number(clip: Clip, exemplars: Sequence[Clip], pairing: Pairing, fallback: str | None) -> None:
    """Raise where the clip has no exemplar.

    Raises
    ------
    UsageError
        The dive number, or the difficulty by which dives are paired, is not known.
    NoExemplarError
        No exemplar has it, and ``fallback`` is None: others could be found by the degree of difficulty.
    FdposeError
        No exemplar has it, and ``fallback`` needs a degree of difficulty that is not known.
    """
    numbers = sorted({c.action_type for c in exemplars if c.action_type})
    by_difficulty = pairing == "difficulty"
    if by_difficulty and not clip.difficulty:
        raise UsageError(
            f"{clip.key}: its degree of difficulty is not known, by which the scorer finds exemplars; give its dive"
            " number and the height of the board with --dive-number and --height"
        )
    if not clip.action_type and pairing not in ("random", "difficulty"):
        raise UsageError(
            f"{clip.key}: its dive number is not known; give it with --dive-number (the scorer has exemplars of"
            f" {', '.join(numbers[:12])}{', ...' if len(numbers) > 12 else ''})"
        )
    if group(clip, pairing) in {group(c, pairing) for c in exemplars}:
        return
    if not exemplars:
        raise FdposeError(f"{clip.key}: is the scorer's only exemplar, so there is nothing to compare it with")
    wanted = f"difficulty {clip.difficulty:g}" if by_difficulty else clip.action_type
    nearest = " or ".join(nearest_numbers(clip.action_type or "", numbers)) or "none"
    if fallback is None:
        raise NoExemplarError(
            f"{clip.key}: the scorer has no exemplar of {wanted}; the nearest of its {len(numbers)} dive"
            f" numbers: {nearest}"
        )
    if not clip.difficulty or not any(c.difficulty for c in exemplars):
        raise FdposeError(
            f"{clip.key}: the scorer has no exemplar of {clip.action_type} (nearest: {nearest}), and no degree of"
            " difficulty is known to find others by; give the height of the board with --height"
        )


def nearest_numbers(number: str, known: Collection[str]) -> list[str]:
    """The known dive numbers that are most like a dive: of its group, direction, somersaults, twists, position."""
    try:
        wanted = parse_dive_number(number)
    except LexiconError:
        return []
    return sorted(known, key=lambda name: (*_difference(wanted, name), name))[:NEAREST]


def _difference(wanted: DiveNumber, known: str) -> tuple[float, ...]:
    try:
        other = parse_dive_number(known)
    except LexiconError:
        return (float("inf"),)
    return (
        sum(getattr(other, name) != getattr(wanted, name) for name in ("group", "direction", "armstand")),
        abs(other.half_somersaults - wanted.half_somersaults) + abs(other.half_twists - wanted.half_twists),
        float(other.position != wanted.position),
    )
