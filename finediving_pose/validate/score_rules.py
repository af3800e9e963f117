"""Rules on dive number, awards, difficulty and score of one clip. A field that is missing is never wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from finediving_pose.clip import Clip
from finediving_pose.difficulty import admissible, likely_heights
from finediving_pose.errors import LexiconError
from finediving_pose.lexicon import DiveNumber, awards_total, parse_dive_number
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import listed

POINTS_TOLERANCE, EXACT = 0.05, 0.011
RESTART_PENALTY = 2
PANELS = (3, 5, 7)


def parsed(clip: Clip) -> DiveNumber | None:
    """The clip's dive number, None where there is none or it is not one."""
    with suppress(LexiconError):
        return parse_dive_number(clip.action_type or "")
    return None


def gives_score(clip: Clip, difficulty: float, awards: tuple[float, ...] | None = None) -> bool:
    """Whether the awards (or others) with a difficulty give the clip's score, to the hundredth."""
    total = awards_total(clip.judge_scores if awards is None else awards, clip.synchronised)
    return total is not None and clip.dive_score is not None and abs(clip.dive_score - total * difficulty) < EXACT


def near(a: float, b: float) -> bool:
    """Within 0.05 points."""
    return abs(a - b) <= POINTS_TOLERANCE + 1e-6


@dataclass(frozen=True, slots=True)
class Scored:
    """A clip with everything that the score formula needs, and what the formula gives."""

    clip: Clip
    difficulty: float
    score: float
    total: float

    @property
    def fits(self) -> bool:
        return near(self.score, self.total * self.difficulty)

    @property
    def restarted(self) -> bool:
        """The referee took 2 points off every award for a restart (three awards count)."""
        return not self.fits and near(self.score, (self.total - 3 * RESTART_PENALTY) * self.difficulty)


def scored(clip: Clip) -> Scored | None:
    """None where a part of the formula is missing."""
    total = awards_total(clip.judge_scores, clip.synchronised)
    if total is None or clip.difficulty is None or clip.dive_score is None:
        return None
    return Scored(clip, clip.difficulty, clip.dive_score, total)


# -- the dive number ------------------------------------------------------------------------------------------------


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
        yield Finding(clip.key, f"{dive} is a jump, without somersault", "action_type", str(dive), "a dive")
    elif dive and dive.position == "free" and not dive.half_twists:
        yield Finding(clip.key, f"{dive} is in free position but has no twist", "action_type", str(dive), "a, b or c")


@rule("label.armstand-platform", severity="warning")
def armstand_needs_a_platform(clip: Clip) -> Iterator[Finding]:
    """Armstand dives are done from the platform only."""
    dive = parsed(clip)
    if dive and dive.armstand and clip.height_m == 3:
        what = f"{dive} is an armstand dive, but the height is 3 m, a springboard"
        yield Finding(clip.key, what, "height_m", "3", "10")


# -- awards ---------------------------------------------------------------------------------------------------------


@rule("label.award-range", severity="error")
def awards_are_0_to_10(clip: Clip) -> Iterator[Finding]:
    """An award lies between 0 and 10."""
    for i, award in enumerate(clip.judge_scores):
        if not 0 <= award <= 10:
            expected = _award_instead(clip, i)
            what = f"award {award:g} is not between 0 and 10, among {listed(clip.judge_scores)}"
            yield Finding(clip.key, what + _would(expected), f"judge_scores[{i}]", f"{award:g}", *_sure(expected))


@rule("label.award-grid", severity="warning")
def awards_are_half_points(clip: Clip) -> Iterator[Finding]:
    """Judges award whole and half points."""
    for i, award in enumerate(clip.judge_scores):
        if award * 2 != round(award * 2):
            expected = _award_instead(clip, i)
            what = f"award {award:g} is neither a whole nor a half point"
            yield Finding(clip.key, what + _would(expected), f"judge_scores[{i}]", f"{award:g}", *_sure(expected))


def _award_instead(clip: Clip, i: int) -> float | None:
    """The award in place of the i-th that gives the score: the only one, or else the one with the point moved."""
    grid = [a / 2 for a in range(21)]
    others = [(*clip.judge_scores[:i], a, *clip.judge_scores[i + 1 :]) for a in grid]
    fitting = [a for a, awards in zip(grid, others, strict=True) if gives_score(clip, clip.difficulty or 0, awards)]
    moved = clip.judge_scores[i] / 10
    return fitting[0] if len(fitting) == 1 else moved if moved in fitting else None


def _would(expected: float | None) -> str:
    return "" if expected is None else f"; {expected:g} gives the score"


def _sure(expected: float | None) -> tuple[str, bool]:
    return ("0 to 10 in half points", False) if expected is None else (f"{expected:g}", True)


@rule("label.panel-size", severity="warning")
def panel_is_that_of_the_event(clip: Clip) -> Iterator[Finding]:
    """Three (those that count) or seven awards are listed for an individual event, five for a synchronised one.

    Five of a synchronised event's eleven awards count: one for each diver's execution, three for
    synchronisation (World Aquatics, diving, judging of synchronised events).
    """
    n, allowed = len(clip.judge_scores), PANELS
    if clip.synchronised is not None:
        allowed = (5,) if clip.synchronised else (3, 7)
    if n and n not in allowed:
        event = {True: "a synchronised event", False: "an individual event", None: "any event"}[clip.synchronised]
        what = f"{n} awards are listed; expected {listed(allowed, ' or ')} of {event}"
        yield Finding(clip.key, what, "judge_scores", f"{n} awards", listed(allowed, " or "))


# -- the score ------------------------------------------------------------------------------------------------------


@rule("label.score-formula", severity="warning", scope="clips")
def score_matches_judges(clips: list[Clip]) -> Iterator[Finding]:
    """Dive score = sum of the awards that count x difficulty.

    Three awards count after the highest and lowest are struck; synchronised events count five, times 0.6
    (World Aquatics, diving, judging). The tolerance is 0.05 points. If exactly one other difficulty of the
    dive at its height gives the score to the hundredth, the difficulty is certainly wrong.
    """
    heights = likely_heights(clips)
    for clip in clips:
        s = scored(clip)
        if s and not s.fits and not s.restarted:
            known = admissible(clip.action_type or "", heights[clip.key], clip.synchronised)
            yield _off_the_formula(s, [d for d in known if d != s.difficulty and gives_score(clip, d)])


def _off_the_formula(s: Scored, fitting: list[float]) -> Finding:
    clip, gives = s.clip, f"{s.total * s.difficulty:.2f}"
    what = (
        f"score {s.score:g}, but the awards {listed(clip.judge_scores)} count {s.total:g}, which times"
        f" difficulty {s.difficulty:g} is {gives}"
    )
    if len(fitting) == 1 and s.score:
        what += f"; {clip.action_type} also has difficulty {fitting[0]:g}, which gives the score"
        return Finding(clip.key, what, "difficulty", f"{s.difficulty:g}", f"{fitting[0]:g}", certain=True)
    return Finding(clip.key, what + _explained(s), "dive_score", f"{s.score:g}", f"{float(gives):g}")


def _explained(s: Scored) -> str:
    """The smallest slip that would give the score."""
    half = 0.3 if len(s.clip.judge_scores) == 5 and s.clip.synchronised else 0.5
    for n, points in ((1, "half a point"), (2, "a point"), (3, "1.5 points")):
        for sign, way in ((-1, "lower"), (1, "higher")):
            if near(s.score, (s.total + sign * n * half) * s.difficulty):
                return f"; one counting award {points} {way} would give it"
    fits = round(s.score / s.total, 1) if s.total else 0.0
    return f"; difficulty {fits:g} would give it" if fits and near(s.score, s.total * fits) else ""


@rule("label.restart", severity="note")
def score_has_a_restart_deduction(clip: Clip) -> Iterator[Finding]:
    """The score is what the awards give, without a deduction.

    For a restart the referee deducts 2 points from every award. This is not an error, but the listed awards
    are not the ones that count.
    """
    s = scored(clip)
    if s and s.restarted:
        what = f"score {s.score:g} is the awards' {s.total:g} less 6, times {s.difficulty:g}: a restart"
        yield Finding(clip.key, what, "dive_score", f"{s.score:g}", f"{s.total * s.difficulty:.2f} without deduction")


@rule("label.score-possible", severity="error")
def score_is_possible(clip: Clip) -> Iterator[Finding]:
    """A score lies between 0 and 30 x difficulty (three awards of 10)."""
    if clip.dive_score is None:
        return
    most = 30 * clip.difficulty if clip.difficulty else float("inf")
    if not 0 <= clip.dive_score <= most + POINTS_TOLERANCE:
        what = f"score {clip.dive_score:g} is not between 0 and {most:g}, three tens x difficulty"
        yield Finding(clip.key, what, "dive_score", f"{clip.dive_score:g}", f"0 to {most:g}")


@rule("label.score-zero", severity="warning")
def score_is_not_zero(clip: Clip) -> Iterator[Finding]:
    """A score is above 0.

    0 is a failed dive: a true label, but it misleads a regression.
    """
    if clip.dive_score == 0:
        what = f"score 0, awards {listed(clip.judge_scores) or 'missing'}: a failed dive"
        yield Finding(clip.key, what, "dive_score", "0", "above 0")
