"""What is said of a score, in lines, as JSON and on a page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from baselines.report.score_page import Scale, write_score_page
from baselines.report.scores import costliest, score_in_short, scores_in_lines, stages_dived, values_of
from baselines.runs.predictions import Vote
from baselines.scorer.faults import Fault
from baselines.scorer.predict import Interval, Score, Unlike
from baselines.scorer.run import ScoredDive
from finediving_pose.clip import ClipKey
from tests.baselines.made_up import clip

ABOUT: dict[str, Any] = {
    "file": "runs/a/scorer.pth", "method": "a method", "preset": "demo", "seed": 0, "exemplars": 2,
    "dive_numbers": ["107b"], "learned_from": ["synthetic"], "test_dives": 32, "mean_error": 5.0,
    "exemplars_mean_error": 6.0,
}  # fmt: skip
FAULTS = (
    Fault("split_deg", "legs apart", "°", None, None, "", "one camera"),
    Fault("rotation_deg", "rotation", "°", -8.2, 4.0, "measured", "at the entry", 12),
)


def dive(**changes: Any) -> ScoredDive:
    votes = (
        Vote(ClipKey("train", 0), 60.0, 4.0, (1.0, 6.0, 0.0, 0.0, -3.0), ()),
        Vote(ClipKey("train", 1), 70.0, -2.0, (1.0, 2.0, 0.0, 0.0, -5.0), ()),
    )
    known = Score(
        clip=clip(4, dive_score=None, height_m=10.0), points=66.0,
        intervals=(Interval(0.8, 58.0, 74.0), Interval(0.9, 55.0, 77.0)),
        exemplars=(clip(0, dive_score=60.0), clip(1, dive_score=70.0)), exemplars_mean=65.0, matched_by="dive number",
        votes=votes, transitions=(5, 9, -1, 14), faults={}, unlike=(), doubted=False, remarks=(),
    )  # fmt: skip
    return ScoredDive(
        replace(known, **changes), FAULTS, ("data:,a", "data:,b", "data:,c", "", "data:,e"), {12: "data:,m"}
    )


def test_only_stages_that_the_dive_has_are_told_and_the_costliest_is_marked() -> None:
    score = dive().score
    assert score.stages == (1.0, 4.0, 0.0, 0.0, -4.0)
    assert stages_dived(score) == [0, 1, 2, 4] and costliest(score) == 4
    lines = "\n".join(scores_in_lines([dive()]))
    assert "third flight" not in lines and "entry                −4.0   costs most" in lines


def test_a_dive_that_loses_nowhere_has_no_costliest_stage() -> None:
    better = dive(votes=(Vote(ClipKey("train", 0), 60.0, 3.0, (1.0, 2.0, 0.0), ()),), transitions=(5, 9))
    assert costliest(better.score) == -1 and costliest(dive(votes=()).score) == -1


def test_a_stage_that_loses_less_than_a_point_costs_nothing() -> None:
    for lost, marked in ((-0.9, -1), (-1.1, 1)):
        votes = (Vote(ClipKey("train", 0), 60.0, 3.0, (1.0, lost, 0.5), ()),)
        assert costliest(dive(votes=votes, transitions=(5, 9)).score) == marked


def test_what_the_network_estimates_is_told_so_on_the_terminal() -> None:
    guessed = Fault("twist_deg", "twist", "°", 9.0, None, "estimated", "missing at the entry")
    lines = "\n".join(scores_in_lines([replace(dive(), faults=(*FAULTS, guessed))]))
    assert "missing at the entry (estimated by the network)" in lines and lines.count("estimated") == 1


def test_what_poses_say_against_the_dive_number_comes_first() -> None:
    said = "5 half somersaults seen, but 107b has 7: is the dive number right?"
    doubtful = dive(doubts=(said,), remarks=("a remark",), doubted=True)
    lines = list(scores_in_lines([doubtful]))
    assert [line for line in lines if "warning" in line] == [f"  warning: {said}", "  warning: a remark"]
    assert f"warning: {said}: video1/4" in list(scores_in_lines([dive(), doubtful]))
    assert "Do not trust this score: the poses speak against dive number or picture" in score_in_short(doubtful.score)
    assert values_of(doubtful)["warnings"][0] == said


def test_one_dive_is_told_in_full_with_what_is_seen_first() -> None:
    lines = list(scores_in_lines([dive()]))
    assert any(line.split() == ["score", "66.0", "90", "%", "interval", "55.0", "to", "77.0"] for line in lines)
    assert any("exemplars' mean" in line and "2 dives with the same dive number" in line for line in lines)
    rotation, split = (next(i for i, line in enumerate(lines) if word in line) for word in ("rotation", "legs apart"))
    assert rotation < split and "−8 ± 4 °" in lines[rotation] and "not to be seen" in lines[split]


def test_several_dives_are_a_line_each_and_every_warning_is_told_once() -> None:
    doubtful = dive(unlike=(Unlike("poses", 5.0, 2.0),), doubted=True, remarks=("a remark",))
    lines = list(scores_in_lines([dive(), doubtful, doubtful]))
    assert sum(line.startswith("video1/4") for line in lines) == 3
    assert sum("a remark" in line for line in lines) == 1
    assert sum("unlike what the scorer learned from" in line for line in lines) == 1


def test_doubt_stands_beside_the_score() -> None:
    assert score_in_short(dive().score) == (
        "score 66.0, 90 % interval 55.0 to 77.0; 2 dives with the same dive number have 65.0 on average"
    )
    assert "Do not trust this score" in score_in_short(dive(doubted=True).score)
    assert any("too few test dives" in line for line in scores_in_lines([dive(intervals=())]))


def test_json_is_json() -> None:
    found = json.loads(json.dumps(values_of(dive()), allow_nan=False))
    assert found["stages"] == {"take-off": 1.0, "first flight": 4.0, "second flight": 0.0, "entry": -4.0}
    assert found["exemplars"][0] == {"dive": "train/1", "score": 70.0, "above": -2.0}
    assert found["faults"][0]["value"] is None and found["faults"][1]["error"] == 4.0


def test_the_scale_holds_everything_that_it_shows() -> None:
    score = dive().score
    scale = Scale.of(score)
    judged = replace(score, clip=clip(4, dive_score=20.0))
    assert Scale.of(judged).low < 20.0 < scale.low
    assert 0 < scale.place(55.0) < scale.place(60.0) < scale.place(66.0) < scale.place(77.0) < 100


@pytest.mark.parametrize(
    ("changes", "there", "absent"),
    [
        ({}, ["Points by stage", "costs most", "data:,m", "Nearest exemplars", "−8 ± 4 °"], ["third flight"]),
        ({"votes": (), "transitions": ()}, ["Pictures", "whole dive"], ["Nearest exemplars", "costs most"]),
        (
            {"doubted": True, "remarks": ("so <b>it</b> is",)},
            ["So &lt;b&gt;it&lt;/b&gt; is.", "doubted"],
            ["<b>it</b>"],
        ),
        ({}, [], ["judges' score"]),
        ({"doubts": ("is the number right?",)}, ["Is the number right?</p>"], []),
        ({"clip": clip(4, dive_score=72.4)}, ["judges' score", 'score: 72.4"></i>'], []),
        ({"clip": replace(clip(4), key=ClipKey("Men10m_final", 3))}, ["<h1>Men10m_<wbr>final/3</h1>"], []),
        ({"intervals": ()}, ["No interval: the scorer has too few test dives for one."], ['class="band" style']),
    ],
)
def test_the_page_shows_what_there_is(
    tmp_path: Path, changes: dict[str, Any], there: list[str], absent: list[str]
) -> None:
    page = write_score_page(tmp_path / "score.html", [dive(**changes)], ABOUT).read_text()
    body = page[page.index("<main>") :]
    assert not [text for text in there if text not in body]
    assert not [text for text in absent if text in body]
    assert "It learned from synthetic dives only. The interval" in body
