"""Errors put into labels: as many as in the released ones, written down, and found by the rules."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from finediving_pose.cli import main
from finediving_pose.lexicon import expected_sub_actions, parse_dive_number
from finediving_pose.synth import judge
from finediving_pose.synth.labels import write_labels
from finediving_pose.synth.like import PlanLike, total_dives
from finediving_pose.synth.performance import difficulty_of
from finediving_pose.synth.spoiling import FAULTS, spoiled

AWARDS = ((8.5, 8.0, 8.5), (7.0, 6.5, 7.0), (4.5, 5.0, 4.5), (9.0, 9.5, 9.0))


def dive(video: str, index: int, number: str, height: float, pair: bool) -> dict[str, Any]:
    """A dive without a fault in its labels."""
    three = AWARDS[index % len(AWARDS)]
    awards = (*three, *three[:2]) if pair else three
    difficulty = difficulty_of(number, height, pair)
    assert difficulty
    stages = [(action, 20 * i) for i, action in enumerate(expected_sub_actions(parse_dive_number(number)))]
    return {
        "video": video, "index": index, "action_type": number, "difficulty": difficulty, "judge_scores": awards,
        "dive_score": judge.dive_score(awards, difficulty), "stages": stages, "split": "train" if index % 4 else "test",
        "start_frame": 200 * index, "end_frame": 200 * index + 20 * len(stages) + 9,
    }  # fmt: skip


def competition() -> list[dict[str, Any]]:
    """All dives of the data set's shape."""
    return [
        dive(e.video, e.index(i), number, e.height, e.synchronised)
        for e in PlanLike(total_dives(), 0).events()
        for i, number in enumerate(e.dive_numbers)
    ]


def test_as_many_as_in_the_released_labels_one_in_a_dive_and_all_written_down() -> None:
    rows = competition()
    labelled, told = spoiled(rows, 0)
    changed = [i for i, (a, b) in enumerate(zip(rows, labelled, strict=True)) if a != b]
    assert len(changed) == sum(f.of_3000 for f in FAULTS)
    where = {(e["video"], e["index"]) for e in told}
    assert where == {(rows[i]["video"], rows[i]["index"]) for i in changed} and len(told) == len(where)
    counted = Counter[str]()
    for fault in FAULTS:
        counted[fault.rule] += fault.of_3000
    assert Counter(e["rule"] for e in told) == counted
    for entry in told:
        assert entry["found"] != entry["expected"]
    assert spoiled(rows, 0) == (labelled, told)
    assert spoiled(rows, 1)[1] != told


@pytest.mark.slow
def test_the_rules_find_every_one_and_nothing_in_the_others(tmp_path: Path) -> None:
    """But for what the shape itself brings: gaps in indices, and dives of one competition in both splits."""
    labelled, told = spoiled(competition(), 0)
    write_labels(tmp_path / "labels", labelled)
    found = CliRunner().invoke(main, ["validate", "--labels", str(tmp_path / "labels"), "--json"])
    findings = json.loads(found.stdout)["findings"]
    rules = {f.rule for f in FAULTS}
    seen = {(f["rule"], f["key"]) for f in findings if f["rule"] in rules}
    lacking = [e for e in told if (e["rule"], f"{e['video']}/{e['index']}") not in seen]
    assert not lacking
    spoiled_clips = {f"{e['video']}/{e['index']}" for e in told}
    assert {clip for _, clip in seen} <= spoiled_clips
