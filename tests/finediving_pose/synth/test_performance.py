from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finediving_pose.difficulty import likely_heights
from finediving_pose.labels.read import read_labels
from finediving_pose.synth import judge, performance
from finediving_pose.synth.faults import FAILED
from finediving_pose.synth.performance import LANES, Performance, difficulty_of, perform, random_builds

OFTEN = ("107b", "205b", "307c", "405b", "407c", "5152b", "5253b", "6243d")


def performances(number: str, height: float, n: int, synchronised: bool = False) -> list[Performance]:
    rng = np.random.default_rng(0)
    return [
        perform(number, height, random_builds(rng, False, synchronised), judge.random_panel(rng), 0.0, rng)
        for _ in range(n)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("number", OFTEN)
def test_scores_of_a_number_spread_as_real_ones(shared_data: Path, number: str) -> None:
    clips = read_labels(shared_data / "finediving")
    heights = likely_heights(clips)
    same = [c for c in clips if c.action_type == number]
    height = max((3.0, 10.0), key=lambda h: sum(heights[c.key] == h for c in same))
    real = [c.dive_score or 0.0 for c in same if heights[c.key] == height]
    ours = [p.score for p in performances(number, height, 150)]
    assert np.std(ours) == pytest.approx(np.std(real), rel=0.3)
    assert np.mean(ours) == pytest.approx(np.mean(real), rel=0.06)


def test_two_divers_are_near_each_other_and_dive_at_about_one_time() -> None:
    for p in performances("305b", 3.0, 6, synchronised=True):
        first, second = p.motions
        assert second.take_off - first.take_off == pytest.approx(p.offset)
        assert (first.lane, second.lane) == LANES[3.0] and first.end == second.end
        time = np.arange(0, first.end, 0.04)
        gap = first.points(time)[:, 6] - second.points(time)[:, 6]
        assert np.linalg.norm(gap, axis=1)[time < first.touch].min() > 1.2
        assert abs(gap[time < first.touch][:, [0, 2]]).max() < 2.5


@pytest.mark.slow
def test_a_score_of_two_depends_on_their_synchronisation() -> None:
    dives = performances("107b", 10.0, 120, synchronised=True)
    late = np.array([abs(p.offset) for p in dives])
    rest = np.array([p.score / p.difficulty / 3 - np.mean([f.quality() for f in p.faults]) for p in dives])
    assert np.corrcoef(late, rest)[0, 1] < -0.5


def test_easy_dives_of_two_count_as_the_assigned_difficulty() -> None:
    assert difficulty_of("301b", 3.0, True) == 2.0 and difficulty_of("301b", 3.0, False) == 1.9
    assert difficulty_of("107b", 3.0, True) == difficulty_of("107b", 3.0, False) == 3.1


@pytest.mark.slow
def test_the_ceiling_is_below_what_free_judges_would_allow() -> None:
    dives = performances("407c", 10.0, 250)
    ceiling = judge.noise_ceiling(*([getattr(p, k) for p in dives] for k in ("quality", "difficulty", "score")))
    assert ceiling is not None and 0.88 < ceiling < 0.98


@pytest.mark.slow
def test_as_many_dives_fail_as_in_the_real_labels(shared_data: Path) -> None:
    clips = read_labels(shared_data / "finediving")
    zero = [c for c in clips if c.dive_score == 0]
    assert len(zero) / len(clips) == pytest.approx(FAILED)
    assert all(set(c.judge_scores) == {0} for c in zero)


@pytest.mark.parametrize(("number", "height"), [("107b", 10.0), ("5154b", 3.0), ("101b", 3.0), ("612b", 10.0)])
def test_a_failed_dive_goes_in_feet_first_and_has_no_points(
    monkeypatch: pytest.MonkeyPatch, number: str, height: float
) -> None:
    monkeypatch.setattr(performance, "FAILED", 1.0)
    for p in performances(number, height, 3):
        assert p.awards == judge.NOTHING and p.score == p.quality == 0
        body = p.motions[0].points(np.array([p.motions[0].touch]))[0]
        wrists, ankles = body[[10, 15], 2], body[[0, 5], 2]
        assert ankles.max() < wrists.min(), "head first is what the number asks for"


def test_a_dive_that_fails_leaves_the_others_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    before = performances("305b", 3.0, 3, synchronised=True)
    monkeypatch.setattr(performance, "FAILED", 1.0)
    assert [p.awards for p in performances("305b", 3.0, 3, synchronised=True)] == [p.awards for p in before]
