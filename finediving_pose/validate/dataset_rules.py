"""The rule that holds two data sets that share dives against each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.difficulty import admissible, likely_heights
from finediving_pose.events import season
from finediving_pose.labels import mtl_aqa
from finediving_pose.labels.levels import Level
from finediving_pose.labels.read import LabelFiles
from finediving_pose.lexicon import parse_dive_number
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.score_rules import difficulty_evidence, gives_score
from finediving_pose.validate.words import listed

Heights = dict[ClipKey, float | None]


@rule("label.datasets-agree", severity="warning", scope="datasets")
def data_sets_say_the_same(datasets: list[LabelFiles]) -> Iterator[Finding]:
    """A dive that is in FineDiving and in MTL-AQA has the same number, difficulty, awards and score in both.

    Checked when both data sets are validated together. If the other labels confirm only one
    of two values, the finding names the data set with the other value. Otherwise it names FineDiving. A wrong dive
    number of MTL-AQA carries wrong counts, position and armstand with it.
    """
    by_name = {d.dataset: d for d in datasets}
    if "finediving" not in by_name or "mtl_aqa" not in by_name:
        return
    ours, theirs = ({c.key: c for c in by_name[d].clips} for d in ("finediving", "mtl_aqa"))
    raw = by_name["mtl_aqa"].of_kind("annotations") or {}
    heights = likely_heights(list(ours.values()))
    for key in sorted(set(ours) & set(theirs)):
        for field in ("action_type", "difficulty", "dive_score", "judge_scores"):
            if getattr(ours[key], field) != getattr(theirs[key], field):
                finding = _disagreement(ours[key], theirs[key], field, heights)
                yield finding
                if field == "action_type" and finding.source == "mtl_aqa":
                    yield from _carried_along(finding, raw[int(key.video), key.index])


def _disagreement(ours: Clip, theirs: Clip, field: str, heights: Heights) -> Finding:
    decided = _holds(ours, field, heights) != _holds(theirs, field, heights)
    wrong, right = (theirs, ours) if decided and _holds(ours, field, heights) else (ours, theirs)
    found, expected, at = getattr(wrong, field), getattr(right, field), field
    if field == "judge_scores" and len(found) == len(expected):
        differing = [i for i, (a, b) in enumerate(zip(found, expected, strict=True)) if a != b]
        if len(differing) == 1:
            at, found, expected = f"{field}[{differing[0]}]", found[differing[0]], expected[differing[0]]
    name = "FineDiving" if right.source == "finediving" else "MTL-AQA"
    level, evidence = _judged(wrong, right, field, heights) if decided else ("doubtful", "")
    what = f"{field} is {_text(found)}, in {name} {_text(expected)}" + (f"; {evidence}" if evidence else "")
    return Finding(
        wrong.key, what, at, _text(found), _text(expected), level=level, evidence=evidence, source=wrong.source
    )


def _judged(wrong: Clip, right: Clip, field: str, heights: Heights) -> tuple[Level, str]:
    """How sure it is, and what says so, that the data set whose other labels confirm its value is right."""
    name = "FineDiving" if right.source == "finediving" else "MTL-AQA"
    if field == "difficulty":
        level, evidence = difficulty_evidence(right, right.difficulty or 0.0, heights[right.key])
        return level, f"{evidence}; {name} has it"
    if field == "action_type":
        has = admissible(wrong.action_type or "", heights[right.key], wrong.synchronised, season(right))
        other = f"has {listed(has, ' or ')}" if has else "is in no table of difficulties"
        board = f" from {heights[right.key]:g} m" if heights[right.key] else ""
        return "certain", (
            f"{right.action_type}{board} has difficulty {right.difficulty:g} in the table, {wrong.action_type} {other};"
            f" {name} has {right.action_type}"
        )
    if field == "judge_scores":
        return "certain", f"awards are half points from 0 to 10; {name} has the possible one"
    return "likely", f"{name}'s awards and difficulty give its score"


def _holds(clip: Clip, field: str, heights: Heights) -> bool:
    """Whether the clip's other labels confirm the field."""
    if field == "action_type":
        return clip.difficulty in admissible(clip.action_type or "", heights[clip.key], clip.synchronised, season(clip))
    if field == "judge_scores":
        return all(0 <= a <= 10 for a in clip.judge_scores)
    return clip.difficulty is not None and gives_score(clip, clip.difficulty)


def _carried_along(number: Finding, fields: dict[str, Any]) -> Iterator[Finding]:
    """Fields of MTL-AQA that are those of the wrong number."""
    for field, right in mtl_aqa.fields_of_number(parse_dive_number(number.expected)).items():
        if fields.get(field) != right:
            what = f"{field} is {fields.get(field)}, as the wrong number has it; {number.expected} has {right}"
            evidence = f"the dive is {number.expected}: {number.evidence}"
            yield Finding(
                number.key, what, f"annotations: {field}", str(fields.get(field)), str(right),
                level=number.level, evidence=evidence, source=number.source,
            )  # fmt: skip


def _text(value: Any) -> str:
    return listed(value, " ") if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)
