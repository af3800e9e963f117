"""Rules on the labels of one clip. A field that is missing is never wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import pairwise

from finediving_pose.clip import Clip
from finediving_pose.errors import LexiconError
from finediving_pose.lexicon import (
    ENTRY,
    SUB_ACTIONS,
    DiveNumber,
    awards_total,
    difficulties,
    expected_sub_actions,
    parse_dive_number,
)
from finediving_pose.validate.rules import Finding, rule

POINTS_TOLERANCE = 0.05
RESTART_PENALTY = 2
PLAUSIBLE_MISTAKE = 0.35
SHORTEST_STAGE = 3
PANELS = (3, 5, 7)


@rule("label.dive-number", severity="error")
def dive_number_is_one(clip: Clip) -> Iterator[Finding]:
    """The dive number follows the grammar of World Aquatics (designation of dives)."""
    try:
        parse_dive_number(clip.action_type or "107b")
    except LexiconError as e:
        yield Finding(clip.key, str(e))


@rule("label.score-formula", severity="warning")
def score_matches_judges(clip: Clip) -> Iterator[Finding]:
    """Dive score = sum of the awards that count x difficulty.

    Three awards count once the highest and lowest are struck; synchronised events count five
    x 0.6 (World Aquatics competition regulations, diving, judging). A restart, for which the
    referee deducts 2 points from every award, is no finding. Tolerance 0.05 points.
    """
    total = awards_total(clip.judge_scores, clip.synchronised)
    if total is None or clip.difficulty is None or clip.dive_score is None:
        return
    if _near(clip.dive_score, total * clip.difficulty):
        return
    if _near(clip.dive_score, (total - 3 * RESTART_PENALTY) * clip.difficulty):
        return
    fits = round(clip.dive_score / total, 1) if total else 0.0
    fits_well = _near(clip.dive_score, total * fits) and abs(fits - clip.difficulty) < PLAUSIBLE_MISTAKE
    hint = f"; difficulty {fits:g} would fit" if fits_well else ""
    yield Finding(
        clip.key,
        f"score {clip.dive_score:g}, but the awards {_list(clip.judge_scores)} count {total:g}, which times"
        f" difficulty {clip.difficulty:g} is {total * clip.difficulty:.2f}{hint}",
    )


@rule("label.score-possible", severity="error")
def score_is_possible(clip: Clip) -> Iterator[Finding]:
    """A score lies between 0 and 30 x difficulty, three tens."""
    if clip.dive_score is None:
        return
    most = 30 * clip.difficulty if clip.difficulty else float("inf")
    if not 0 <= clip.dive_score <= most + POINTS_TOLERANCE:
        yield Finding(clip.key, f"score {clip.dive_score:g} is not between 0 and {most:g}, three tens x difficulty")


@rule("label.award-range", severity="error")
def awards_are_0_to_10(clip: Clip) -> Iterator[Finding]:
    """An award lies between 0 and 10."""
    wrong = [a for a in clip.judge_scores if not 0 <= a <= 10]
    if wrong:
        yield Finding(clip.key, f"award {_list(wrong)} is not between 0 and 10, among {_list(clip.judge_scores)}")


@rule("label.award-grid", severity="warning")
def awards_are_half_points(clip: Clip) -> Iterator[Finding]:
    """Judges award whole and half points."""
    wrong = [a for a in clip.judge_scores if a * 2 != round(a * 2)]
    if wrong:
        yield Finding(clip.key, f"award {_list(wrong)} is neither a whole nor a half point")


@rule("label.panel-size", severity="warning")
def panel_is_known(clip: Clip) -> Iterator[Finding]:
    """Three, five or seven awards are listed."""
    n = len(clip.judge_scores)
    if n and n not in PANELS:
        yield Finding(clip.key, f"{n} awards are listed; panels of 3, 5 and 7 are known")


@rule("label.difficulty", severity="warning")
def difficulty_fits_the_dive(clip: Clip) -> Iterator[Finding]:
    """The difficulty is one that this dive has had at this height.

    Against the values observed in FineDiving at least twice (``data_manifest/difficulty.csv``).
    Clips of unknown height are left alone: they come from years with other tables.
    """
    if clip.difficulty is None or clip.action_type is None or clip.height_m is None:
        return
    usual = [d for d, n in difficulties(clip.action_type, clip.height_m).items() if n > 1]
    if usual and all(abs(clip.difficulty - d) > 1e-6 for d in usual):
        dive = f"{clip.action_type} from {clip.height_m:g} m"
        yield Finding(clip.key, f"difficulty {clip.difficulty:g}, but {dive} has {_list(usual, ' or ')} elsewhere")


@rule("label.armstand-platform", severity="warning")
def armstand_needs_a_platform(clip: Clip) -> Iterator[Finding]:
    """Armstand dives are done from the platform only."""
    dive = _dive(clip)
    if dive and dive.armstand and clip.height_m == 3:
        yield Finding(clip.key, f"{dive} is an armstand dive, but the height is 3 m, a springboard")


@rule("label.sub-action-known", severity="error")
def sub_actions_are_known(clip: Clip) -> Iterator[Finding]:
    """Every sub-action id is one of the 29 (``data_manifest/sub_actions.csv``)."""
    wrong = [s for s in clip.sub_actions if s not in SUB_ACTIONS]
    if wrong:
        yield Finding(clip.key, f"sub-action {_list(wrong)} is not one of the {len(SUB_ACTIONS)} known ids")


@rule("label.sub-actions-fit", severity="warning")
def sub_actions_fit_the_dive_number(clip: Clip) -> Iterator[Finding]:
    """The stages are those that the dive number usually has."""
    dive = _dive(clip)
    expected = expected_sub_actions(dive) if dive else ()
    if clip.sub_actions and expected and clip.sub_actions != expected:
        yield Finding(clip.key, f"stages {_names(clip.sub_actions)}, but {dive} usually has {_names(expected)}")


@rule("label.last-stage-is-entry", severity="warning")
def ends_in_entry(clip: Clip) -> Iterator[Finding]:
    """Every dive ends in an entry."""
    if clip.sub_actions and clip.sub_actions[-1] != ENTRY:
        yield Finding(clip.key, f"the last stage is {_names(clip.sub_actions[-1:])}, not the entry")


@rule("label.stage-order", severity="error")
def stages_are_in_order(clip: Clip) -> Iterator[Finding]:
    """Stages start one after another, inside the clip."""
    bounds = [0, *clip.stage_starts, clip.n_frames or 10**9]
    if any(a >= b for a, b in pairwise(bounds)):
        yield Finding(
            clip.key, f"stages start at frames {_list(clip.stage_starts)} of {clip.n_frames or 'unknown many'}"
        )


@rule("label.short-stage", severity="warning")
def stages_last_three_frames(clip: Clip) -> Iterator[Finding]:
    """A stage lasts three frames at least."""
    bounds = [0, *clip.stage_starts, *([clip.n_frames] if clip.n_frames else [])]
    for i, (a, b) in enumerate(pairwise(bounds)):
        if 0 < b - a < SHORTEST_STAGE:
            name = f" ({_names(clip.sub_actions[i : i + 1])})" if clip.sub_actions else ""
            yield Finding(clip.key, f"stage {i + 1}{name} lasts {b - a} frame{'s' * (b - a > 1)}, from frame {a}")


@rule("label.range-length", severity="error")
def frame_count_matches_range(clip: Clip) -> Iterator[Finding]:
    """The number of frames is what the range of frames says."""
    if clip.frame_range and clip.n_frames is not None and clip.n_frames != len(clip.frame_range):
        yield Finding(
            clip.key,
            f"{clip.n_frames} frames, but frames {clip.start_frame} to {clip.end_frame} are {len(clip.frame_range)}",
        )


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= POINTS_TOLERANCE + 1e-6


def _dive(clip: Clip) -> DiveNumber | None:
    with suppress(LexiconError):
        return parse_dive_number(clip.action_type or "")
    return None


def _list(values: Iterable[float], between: str = ", ") -> str:
    return between.join(f"{v:g}" for v in values)


def _names(ids: tuple[int, ...]) -> str:
    return " > ".join(SUB_ACTIONS.get(i, str(i)) for i in ids)
