from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.lexicon import awards_total
from finediving_pose.synth import judge
from finediving_pose.synth.judge import COST, Faults


@pytest.mark.parametrize("name", list(COST))
def test_every_fault_costs_points(name: str) -> None:
    unit, most = COST[name]
    assert Faults().quality() == 10
    assert Faults(**{name: unit}).quality() == pytest.approx(9)
    assert Faults(**{name: most}).quality() < Faults(**{name: unit}).quality()


def test_faults_stay_possible_and_quality_spreads_widely() -> None:
    rng = np.random.default_rng(0)
    faults = [judge.random_faults(rng) for _ in range(500)]
    quality = np.array([f.quality() for f in faults])
    assert np.percentile(quality, 5) < 4.2 and np.percentile(quality, 95) > 8.7
    for name, (_, most) in COST.items():
        assert max(abs(getattr(f, name)) for f in faults) <= most


def test_awards_are_half_points_and_the_middle_three_count() -> None:
    rng = np.random.default_rng(1)
    panel = judge.random_panel(rng)
    for quality in (0.0, 4.2, 7.5, 10.0):
        awards = panel.awards(quality, rng)
        assert len(awards) == 7 and all(0 <= a <= 10 and a * 2 == int(a * 2) for a in awards)
        total = awards_total(awards, False)
        assert total is not None and judge.dive_score(awards, 3.2) == pytest.approx(total * 3.2, abs=0.005)
    assert judge.dive_score((1, 2, 7, 7.5, 8, 9, 10), 3.0) == 67.5


def test_without_noise_the_ceiling_is_one_and_two_dives_have_none() -> None:
    assert judge.noise_ceiling([5, 6, 7], [3, 3, 3], [45, 54, 63]) == 1.0
    assert judge.noise_ceiling([5, 6], [3, 3], [45, 54]) is None
