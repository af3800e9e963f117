"""Scored dives in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from baselines.modules.stages import STAGE_NAMES
from baselines.report.tables import BASELINE
from baselines.report.wording import differs, number
from baselines.scorer.faults import Fault
from baselines.scorer.file import Scorer
from baselines.scorer.interval import LEVELS
from baselines.scorer.predict import Score
from baselines.scorer.run import ScoredDive
from finediving_pose.report.contact_sheet import about_dive
from finediving_pose.validate.words import counted

NEAREST = 3
"""Exemplars that are named."""
MATTERS = 1.0
"""Points below which a stage is not said to cost: the network is not that exact."""


def about_scorer(path: Path, scorer: Scorer) -> dict[str, Any]:
    """What a scorer is, as plain values."""
    config = scorer.config
    return {
        "file": str(path),
        "method": config.method,
        "preset": config.preset,
        "seed": config.seed,
        "exemplars": len(scorer.exemplars),
        "dive_numbers": sorted({c.action_type for c in scorer.exemplars if c.action_type}),
        "learned_from": sorted({c.source for c in scorer.exemplars}),
        "test_dives": len(scorer.calibration.errors),
        "mean_error": round(scorer.calibration.mean_error, 2),
        "exemplars_mean_error": round(scorer.calibration.exemplars_error, 2),
    }


def scorer_in_words(about: dict[str, Any]) -> str:
    """One line: what the scorer is and what it learned from."""
    kinds = " and ".join(about["learned_from"])
    numbers, tested = len(about["dive_numbers"]), counted(about["test_dives"], "test dive")
    return (
        f"{about['method']}, preset {about['preset']}, seed {about['seed']}; {about['exemplars']} exemplars of"
        f" {counted(numbers, 'dive number')}, source: {kinds}; on its {tested} off by"
        f" {about['mean_error']:.1f} points on average, the {BASELINE} by {about['exemplars_mean_error']:.1f}"
    )


def values_of(dive: ScoredDive) -> dict[str, Any]:
    """All that was found of a dive, as plain values for JSON."""
    score = dive.score
    names = stage_names(score)
    return {
        "video": score.clip.key.video,
        "index": score.clip.key.index,
        "dive_number": score.clip.action_type,
        "difficulty": score.clip.difficulty,
        "true_score": score.clip.dive_score,
        "score": score.points,
        "intervals": [asdict(interval) for interval in score.intervals],
        "exemplars_mean": score.exemplars_mean,
        "matched_by": score.matched_by,
        "doubted": score.doubted,
        "unlike": [asdict(unlike) for unlike in score.unlike],
        "warnings": warnings_of(score),
        "stages": {names[s]: round(score.stages[s], 4) for s in stages_dived(score)},
        "transitions": list(score.transitions),
        "faults": [{k: v for k, v in asdict(fault).items() if k not in ("words", "unit")} for fault in dive.faults],
        "exemplars": [
            {"dive": str(v.exemplar), "score": v.exemplar_score, "above": v.relative_score} for v in score.nearest
        ]
        or [{"dive": str(c.key), "score": c.dive_score, "above": None} for c in score.exemplars],
    }


def seen_first(faults: Sequence[Fault]) -> list[Fault]:
    """Faults, those that are not to be seen at the end."""
    return sorted(faults, key=lambda fault: fault.value is None)


def stage_names(score: Score) -> list[str]:
    """Names of the stages that the votes tell; one, the whole dive, where they tell none."""
    count = len(score.stages)
    return list(STAGE_NAMES.get(count, [f"stage {s + 1}" for s in range(count)])) or ["whole dive"]


def stages_dived(score: Score) -> list[int]:
    """Places of the stages that the dive has, among those that the votes tell: not every dive has three flights."""
    cut = score.transitions
    return [s for s in range(len(score.stages)) if s == 0 or s > len(cut) or cut[s - 1] >= 0]


def costliest(score: Score) -> int:
    """The stage in which the dive loses most against its exemplars; -1 where it loses a point in none."""
    lost = min(score.stages, default=0.0)
    return score.stages.index(lost) if lost <= -MATTERS else -1


def warnings_of(score: Score) -> list[str]:
    """What is to be known of a score, a sentence each."""
    said = [*score.doubts, *score.remarks]
    if score.unlike:
        what = " and ".join(u.what for u in score.unlike)
        how = ", ".join(f"distance {u.distance:g}, usual up to {u.limit:g}" for u in score.unlike)
        said.insert(
            0, f"its {what} are unlike those that the scorer learned from ({how}): do not trust score and interval"
        )
    if not score.intervals:
        said.append("no interval: the scorer has too few test dives for one")
    return said


def score_in_short(score: Score) -> str:
    """``score 72.4, 90 % interval 58.1 to 86.7; 10 dives with the same dive number have 69.9 on average``.

    Then whether to trust it.
    """
    parts = ", ".join(filter(None, [f"score {score.points:.1f}", interval_in_words(score)]))
    have = "has" if len(score.exemplars) == 1 else "have"
    doubt = (
        f". Do not trust this score: {_why_doubted(score)}. The measures do not depend on it" if score.doubted else ""
    )
    return f"{parts}; {compared_with(score)} {have} {score.exemplars_mean:.1f} on average{doubt}"


def _why_doubted(score: Score) -> str:
    if score.doubts:
        return "the poses speak against dive number or picture"
    return (
        "the dive is not like those that the scorer learned from"
        if score.unlike
        else "the scorer has seen computer-made dives only"
    )


def interval_in_words(score: Score) -> str:
    """``90 % interval 58.1 to 86.7``; empty where there is none."""
    shown = next((i for i in score.intervals if i.level == LEVELS[-1]), None) or next(iter(score.intervals), None)
    return "" if shown is None else f"{shown.level:.0%} interval {shown.low:.1f} to {shown.high:.1f}".replace("%", " %")


def compared_with(score: Score) -> str:
    """``10 dives with the same dive number``."""
    alike = {
        "dive number": " with the same dive number",
        "rotation": " that rotate the same way",
        "same difficulty": " of the same difficulty",
        "chance": ", drawn at random",
        "difficulty": ", the nearest in difficulty",
    }
    return counted(len(score.exemplars), "dive") + alike[score.matched_by]


def scores_in_lines(dives: Sequence[ScoredDive]) -> Iterator[str]:
    """One dive in full; of several, a line each and their warnings."""
    if len(dives) == 1:
        yield from _in_full(dives[0])
        return
    places = [str(dive.score.clip.key) for dive in dives]
    widest = max(map(len, places), default=0)
    true = any(dive.score.clip.dive_score is not None for dive in dives)
    yield f"{'':<{widest}}  number   score  90 % interval    exemplars' mean{'  true score' if true else ''}"
    for place, dive in zip(places, dives, strict=True):
        yield f"{place:<{widest}}  {_line(dive.score, true)}"
    told: dict[str, list[str]] = {}
    for place, dive in zip(places, dives, strict=True):
        unlike = ["unlike what the scorer learned from"] if dive.score.unlike else []
        for said in (*unlike, *dive.score.doubts, *dive.score.remarks):
            told.setdefault(said, []).append(place)
    for said, where in told.items():
        yield f"warning: {said}: {', '.join(where[:3])}{f' and {len(where) - 3} more' if len(where) > 3 else ''}"


def _line(score: Score, true: bool) -> str:
    shown = interval_in_words(score).partition("interval ")[2]
    cells = [
        f"{score.clip.action_type or '':<7}",
        f"{score.points:6.1f}",
        f"{shown:<15}",
        f"{score.exemplars_mean:15.1f}",
    ]
    known = score.clip.dive_score
    return "  ".join(cells + ([f"{known:10.1f}" if known is not None else ""] if true else [])).rstrip()


def _in_full(dive: ScoredDive) -> Iterator[str]:
    score = dive.score
    yield f"{score.clip.key}  {about_dive(score.clip)}".rstrip()
    yield f"  {'score':<18} {score.points:6.1f}   {interval_in_words(score)}".rstrip()
    yield f"  {BASELINE:<18} {score.exemplars_mean:6.1f}   {compared_with(score)}"
    for said in warnings_of(score):
        yield f"  warning: {said}"
    if score.stages:
        yield "points by stage, against the exemplars"
        for s in stages_dived(score):
            most = "   costs most" if s == costliest(score) else ""
            yield f"  {stage_names(score)[s]:<18} {differs(score.stages[s], 1):>6}{most}"
    yield "faults"
    for fault in seen_first(dive.faults):
        yield f"  {fault.words:<18} {fault.text:<16} {fault.meaning}"
    if score.votes:
        yield "nearest exemplars"
        for vote in score.nearest[:NEAREST]:
            above = differs(vote.relative_score, 1)
            yield f"  {vote.exemplar}: {number(vote.exemplar_score, 1)} points, this dive {above}"
