"""The rule that holds the labelled stages against the dive number, and the dive that the stages show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

from finediving_pose.clip import Clip
from finediving_pose.difficulty import SEASON, Difficulty, admissible, difficulty, likely_heights
from finediving_pose.events import season
from finediving_pose.labels.levels import Level
from finediving_pose.labels.rulings import ruling
from finediving_pose.lexicon import (
    ENTRY,
    SUB_ACTIONS,
    Direction,
    DiveNumber,
    Position,
    SubAction,
    expected_sub_actions,
    parse_dive_number,
    stage_of,
)
from finediving_pose.validate.number_rules import parsed
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.score_rules import gives_score, score_allows
from finediving_pose.validate.stage_rules import is_slip_of_entry
from finediving_pose.validate.words import stage_names


@rule("label.sub-actions-fit", severity="warning", scope="clips")
def sub_actions_fit_the_dive_number(clips: list[Clip]) -> Iterator[Finding]:
    """The stages are those that the dive number has.

    These are take-off, twists, somersaults and entry. Forward twisting dives have somersaults before and after
    the twist; both carry the dive's whole count, as in 251 of FineDiving's 257. Where score and difficulty exclude the
    dive that the stages show, the stages are certainly wrong. A last stage below the entry is left to
    ``label.last-stage-is-entry``.
    """
    heights = likely_heights(clips)
    for clip in clips:
        dive = parsed(clip)
        expected = expected_sub_actions(dive) if dive else ()
        labelled = _with_entry(clip.sub_actions)
        if dive is None or not labelled or not expected or labelled == expected:
            continue
        if (r := ruling(clip, "action_type")) and expected_sub_actions(parse_dive_number(r.value)) == labelled:
            continue  # it is the number that is wrong, see label.score-formula
        level, evidence = _judged(clip, dive, labelled, heights[clip.key])
        what = f"stages {stage_names(labelled)}, but {dive} has {stage_names(expected)}; {evidence}"
        differing = [i for i, (a, b) in enumerate(zip(labelled, expected, strict=False)) if a != b]
        if len(labelled) == len(expected) and len(differing) == 1:
            i = differing[0]
            at, found, right = f"sub_actions[{i}]", stage_names([labelled[i]]), stage_names([expected[i]])
        else:
            at, found, right = "sub_actions", stage_names(labelled), stage_names(expected)
        yield Finding(clip.key, what, at, found, right, level=level, evidence=evidence)


def staged_dive(dive: DiveNumber, sub_actions: Sequence[int]) -> DiveNumber | None:
    """The dive that the stages show, None where they don't show one; ``dive`` is the one labelled.

    Stages tell direction, armstand, somersaults, twists, and pike or tuck. Of two stages of somersaults the
    last counts. Free position is labelled pike, so pike of a twisting dive in free position is taken for free.
    """
    stages = [stage_of(s) for s in sub_actions if s in SUB_ACTIONS]
    takeoff = next((s for s in stages if s.kind in ("direction", "armstand")), None)
    somersaults = [s for s in stages if s.kind == "somersaults"]
    twists = sum(s.halves for s in stages if s.kind == "twists")
    if takeoff is None or not somersaults:
        return None
    position = somersaults[-1].position
    return replace(
        dive,
        group=6 if takeoff.kind == "armstand" else 5 if twists else _group(takeoff),
        direction=cast(Direction, takeoff.position),
        half_somersaults=somersaults[-1].halves,
        half_twists=twists,
        position="free" if dive.position == "free" and position == "pike" else cast(Position, position),
    )


def _judged(clip: Clip, dive: DiveNumber, labelled: Sequence[int], height: float | None) -> tuple[Level, str]:
    """How sure it is that the stages are wrong, and why."""
    if clip.dive_score == 0:
        return "convention", "the dive failed, and the stages are what was done of it"
    if _counted_apart(labelled, dive):
        return (
            "convention",
            "somersaults before the twist are counted apart; other dives have the whole count twice",
        )
    staged = staged_dive(dive, labelled)
    if staged is None:
        return "doubtful", "the stages show no dive"
    if dive.position == "free" and replace(staged, position="free") == dive:
        return "convention", "the free position has no stage of its own; most dives have pike for it"
    possible = {
        d.value: n for h in ((3.0, 10.0) if height is None else (height,)) for n, d in _difficulties(staged, h, clip)
    }
    if allowed := [n for d, n in possible.items() if score_allows(clip, d)]:
        return "doubtful", f"score and difficulty allow {allowed[0]}, too"
    shown = " or ".join(f"{n} with difficulty {d:g}" for d, n in possible.items())
    shown = shown or f"{staged}, which no table of difficulties lists"
    own = admissible(str(dive), height, clip.synchronised, season(clip))
    fits = next((d for d in own if gives_score(clip, d)), None)
    score = f"the score {clip.dive_score:g}"
    why = f"{score} is the awards x {fits:g}, which {dive} has" if fits else f"{score} excludes it"
    return "certain", f"the stages show {shown}; {why}"


def _difficulties(staged: DiveNumber, height: float, clip: Clip) -> list[tuple[str, Difficulty]]:
    """Difficulties of the staged dive, by its number; the labels write pike for the free position, too.

    Where the table of difficulties lists one of the two positions only, it is that one.
    """
    numbers = [str(staged)]
    if staged.half_twists and staged.position == "pike":
        numbers.append(str(replace(staged, position="free")))
    found = [(n, d) for n in numbers if (d := difficulty(n, height, season(clip) or SEASON))]
    return [(n, d) for n, d in found if d.basis in ("listed", "scored")] or found


def _counted_apart(labelled: Sequence[int], dive: DiveNumber) -> bool:
    """Whether the stages are those of the dive, but with the somersaults before the twist counted by themselves."""
    parts = [[stage_of(s) for s in ids if s in SUB_ACTIONS] for ids in (labelled, expected_sub_actions(dive))]
    (somersaults, others), (_, expected_others) = (
        ([s for s in stages if s.kind == "somersaults"], [s for s in stages if s.kind != "somersaults"])
        for stages in parts
    )
    halves = [s.halves for s in somersaults]
    return len(halves) == 2 and others == expected_others and dive.half_somersaults in (sum(halves), halves[-1])


def _with_entry(sub_actions: tuple[int, ...]) -> tuple[int, ...]:
    """The sub-actions with the entry last, where the id below it stands for it."""
    return (*sub_actions[:-1], ENTRY) if is_slip_of_entry(sub_actions) else sub_actions


def _group(takeoff: SubAction) -> int:
    return ("forward", "back", "reverse", "inward").index(takeoff.position) + 1
