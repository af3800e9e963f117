"""Rules on the awards and the score of a clip. A field that is missing is never wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from finediving_pose.clip import Clip
from finediving_pose.difficulty import SEASON, SYNCHRONISED_ASSIGNED, admissible, difficulty, likely_heights
from finediving_pose.events import season
from finediving_pose.labels.levels import Level
from finediving_pose.labels.rulings import Ruling, ruling
from finediving_pose.lexicon import awards_total
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import listed

POINTS_TOLERANCE, EXACT = 0.05, 0.011
RESTART_PENALTY = 2
PANELS = (3, 5, 7)


def gives_score(clip: Clip, difficulty: float, awards: tuple[float, ...] | None = None) -> bool:
    """Whether the awards (or others) with a difficulty give the clip's score, to the hundredth."""
    total = awards_total(clip.judge_scores if awards is None else awards, clip.synchronised)
    return total is not None and clip.dive_score is not None and abs(clip.dive_score - total * difficulty) < EXACT


def score_allows(clip: Clip, value: float) -> bool:
    """Whether the clip's score may come from a difficulty: with its awards, or with any if they don't fit its own."""
    s = scored(clip)
    if s is None:
        return True
    return gives_score(clip, value) if s.is_exact else replace(s, difficulty=value).is_possible


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
    def is_exact(self) -> bool:
        """Whether the formula gives the score to the hundredth."""
        return abs(self.score - self.total * self.difficulty) < EXACT

    @property
    def step(self) -> float:
        """By how much the sum of the counting awards changes with half a point of one of them."""
        return 0.3 if len(self.clip.judge_scores) == 5 and self.clip.synchronised else 0.5

    @property
    def other_difficulty(self) -> float | None:
        """The difficulty with which the awards give the score, if there is one."""
        value = round(self.score / self.total, 1) if self.total else 0.0
        return value if value and abs(self.score - self.total * value) < EXACT else None

    @property
    def is_possible(self) -> bool:
        """Whether some awards in half points give the score with the difficulty."""
        steps = round(self.score / self.difficulty / self.step) if self.difficulty else 0
        return abs(self.score - steps * self.step * self.difficulty) < EXACT

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


# -- awards ---------------------------------------------------------------------------------------------------------


@rule("label.award-range", severity="error")
def awards_are_0_to_10(clip: Clip) -> Iterator[Finding]:
    """An award lies between 0 and 10.

    Where one other award in its place gives the score, that is likely the right one: it assumes that no other award
    is wrong.
    """
    for i, award in enumerate(clip.judge_scores):
        if not 0 <= award <= 10:
            yield _impossible(clip, i, f"award {award:g} is not between 0 and 10, among {listed(clip.judge_scores)}")


@rule("label.award-grid", severity="warning")
def awards_are_half_points(clip: Clip) -> Iterator[Finding]:
    """Judges award whole and half points.

    Where one other award in its place gives the score, that is likely the right one, as for ``label.award-range``.
    """
    for i, award in enumerate(clip.judge_scores):
        if 0 <= award <= 10 and award * 2 != round(award * 2):
            yield _impossible(clip, i, f"award {award:g} is neither a whole nor a half point")


def has_impossible_award(clip: Clip) -> bool:
    """Whether an award is outside 0 to 10 or not on the half points; the score can't be checked with it."""
    return any(not 0 <= a <= 10 or a * 2 != round(a * 2) for a in clip.judge_scores)


def _impossible(clip: Clip, i: int, what: str) -> Finding:
    expected, found = _award_instead(clip, i), f"{clip.judge_scores[i]:g}"
    if expected is None:
        return Finding(clip.key, what, f"judge_scores[{i}]", found, "0 to 10 in half points")
    evidence = (
        f"awards are half points from 0 to 10; with {expected:g} and the other awards as they are, the score fits"
    )
    what += f"; {expected:g} gives the score"
    return Finding(clip.key, what, f"judge_scores[{i}]", found, f"{expected:g}", level="likely", evidence=evidence)


def _award_instead(clip: Clip, i: int) -> float | None:
    """The award in place of the i-th that gives the score: the only one, or else the one with the point moved."""
    grid = [a / 2 for a in range(21)]
    others = [(*clip.judge_scores[:i], a, *clip.judge_scores[i + 1 :]) for a in grid]
    fitting = [a for a, awards in zip(grid, others, strict=True) if gives_score(clip, clip.difficulty or 0, awards)]
    moved = clip.judge_scores[i] / 10
    return fitting[0] if len(fitting) == 1 else moved if moved in fitting else None


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
    (World Aquatics, diving, judging). The formula is exact to the hundredth. Published scores are in
    ``data_manifest/rulings.csv``. Dives with an impossible award are left to the rules on awards.
    """
    heights = likely_heights(clips)
    for clip in clips:
        s = scored(clip)
        if s and not s.is_exact and not s.restarted and not has_impossible_award(clip):
            yield from _off_the_formula(s, heights[clip.key])


def _off_the_formula(s: Scored, height: float | None) -> Iterator[Finding]:
    clip, found, gives = s.clip, f"{s.score:g}", f"{round(s.total * s.difficulty, 2):g}"
    what = (
        f"score {found}, but the awards {listed(clip.judge_scores)} count {s.total:g}, which times"
        f" difficulty {s.difficulty:g} is {gives}"
    )
    number = clip.action_type or ""
    known = admissible(number, height, clip.synchronised, season(clip))
    fitting = [d for d in known if d != s.difficulty and gives_score(clip, d)]
    ruled = {field: ruling(clip, field) for field in ("dive_score", "judge_scores", "difficulty")}
    if len(fitting) == 1 and s.score:
        what += f"; {number} has difficulty {fitting[0]:g}, which gives the score"
        level, evidence = difficulty_evidence(clip, fitting[0], height)
        yield Finding(
            clip.key, what, "difficulty", f"{s.difficulty:g}", f"{fitting[0]:g}", level=level, evidence=evidence
        )
    elif r := ruled["difficulty"]:
        yield Finding(clip.key, what, "difficulty", f"{s.difficulty:g}", r.value, level=r.level, evidence=r.evidence)
        if r := ruling(clip, "action_type"):
            yield Finding(clip.key, what, "action_type", number, r.value, level=r.level, evidence=r.evidence)
    elif (r := ruled["dive_score"]) and float(r.value) != s.score:
        yield Finding(clip.key, what, "dive_score", found, r.value, level=r.level, evidence=r.evidence)
    elif r:
        yield _awards_are_wrong(s, what, r, ruled["judge_scores"])
    elif not s.is_possible and not s.other_difficulty:
        sure = abs(s.score - s.total * s.difficulty) <= POINTS_TOLERANCE + 1e-6
        cut = "which the label rounds or cuts" if sure else "of which the label is not the rounded value"
        evidence = (
            f"a score is awards x difficulty (World Aquatics, diving, judging); none in half points give {found} with"
            f" {s.difficulty:g}; the listed ones give {gives}, {cut}"
        )
        yield Finding(
            clip.key, what, "dive_score", found, gives, level="certain" if sure else "likely", evidence=evidence
        )
    else:
        yield Finding(clip.key, what + _explained(s), "dive_score", found, f"{gives}, or other awards")


def _awards_are_wrong(s: Scored, what: str, score: Ruling, awards: Ruling | None) -> Finding:
    """The score is the published one, so the awards are wrong."""
    found, total = listed(s.clip.judge_scores, " "), f"{round(s.score / s.difficulty, 2):g}"
    what += "; the score is the published one"
    if awards:
        return Finding(
            s.clip.key, what, "judge_scores", found, awards.value, level=awards.level, evidence=awards.evidence
        )
    evidence = f"{score.evidence}; the score is {total} x {s.difficulty:g}; which award is wrong is not known"
    return Finding(s.clip.key, what, "judge_scores", found, f"{total} in sum", level=score.level, evidence=evidence)


def difficulty_evidence(clip: Clip, value: float, height: float | None) -> tuple[Level, str]:
    """How sure a difficulty is that gives the clip's score, and what makes it so."""
    total = awards_total(clip.judge_scores, clip.synchronised)
    rests_on = [
        d
        for h in ((3.0, 10.0) if height is None else (height,))
        if (d := difficulty(clip.action_type or "", h, season(clip) or SEASON)) and d.value == value
    ]
    by_rule = clip.synchronised and value == SYNCHRONISED_ASSIGNED
    source = (
        "assigned in the first rounds by rule" if by_rule else rests_on[0].words() if rests_on else "season unknown"
    )
    published = by_rule or any(d.is_published for d in rests_on)
    where = f" from {height:g} m" if height else ""
    return (
        "certain" if published else "likely",
        f"{clip.action_type}{where} has {value:g} ({source}); awards {total:g} x {value:g} = {clip.dive_score:g}",
    )


def _explained(s: Scored) -> str:
    """The smallest slip that would give the score."""
    half = s.step
    for n, points in ((1, "half a point"), (2, "a point"), (3, "1.5 points")):
        for sign, way in ((-1, "lower"), (1, "higher")):
            if near(s.score, (s.total + sign * n * half) * s.difficulty):
                return f"; one counting award {points} {way} would give it"
    return f"; difficulty {s.other_difficulty:g} would give it" if s.other_difficulty else ""


@rule("label.restart", severity="note")
def score_has_a_restart_deduction(clip: Clip) -> Iterator[Finding]:
    """The score is what the awards give, without a deduction.

    For a restart the referee deducts 2 points from every award. This is not an error, but the listed awards
    are not the ones that count.
    """
    s = scored(clip)
    if s and s.restarted:
        what = f"score {s.score:g} is the awards' {s.total:g} less 6, times {s.difficulty:g}: a restart"
        found = listed(clip.judge_scores, " ")
        evidence = "the referee deducts 2 points from every award for a restart (World Aquatics, diving, penalties)"
        yield Finding(clip.key, what, "judge_scores", found, "", level="convention", evidence=evidence)


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
        evidence = "a failed dive scores 0 (World Aquatics, diving, judging)" if not any(clip.judge_scores) else ""
        level = "convention" if evidence else "doubtful"
        yield Finding(clip.key, what, "dive_score", "0", "" if evidence else "above 0", level=level, evidence=evidence)
