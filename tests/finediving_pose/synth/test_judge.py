from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.lexicon import awards_total
from finediving_pose.synth import judge


def panel_of(seed: int) -> tuple[judge.Panel, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return judge.random_panel(rng), rng


def test_awards_are_half_points_and_the_middle_three_count() -> None:
    panel, rng = panel_of(1)
    for quality in (0.0, 4.2, 7.5, 10.0):
        awards = panel.awards(quality, rng)
        assert len(awards) == 7 and all(0 <= a <= 10 and a * 2 == int(a * 2) for a in awards)
        total = awards_total(awards, False)
        assert total is not None and judge.dive_score(awards, 3.2) == pytest.approx(total * 3.2, abs=0.005)
    assert judge.dive_score((1, 2, 7, 7.5, 8, 9, 10), 3.0) == 67.5


def test_of_a_synchronised_panel_five_awards_count() -> None:
    panel, rng = panel_of(2)
    awards = panel.synchronised_awards((8.0, 6.0), 7.0, rng)
    assert len(awards) == 5 and all(a * 2 == int(a * 2) for a in awards)
    assert judge.dive_score(awards, 3.0) == pytest.approx(0.6 * sum(awards) * 3.0, abs=0.005)


@pytest.mark.parametrize(("quality", "spread"), list(zip(judge.SPREAD_AT[1:], judge.SPREAD[1:], strict=True)))
def test_judges_disagree_as_real_panels_do(quality: float, spread: float) -> None:
    given = []
    for seed in range(60):
        panel, rng = panel_of(seed)
        given += [panel.awards(quality, rng) for _ in range(20)]
    assert np.sqrt(np.var(given, axis=1, ddof=1).mean()) == pytest.approx(spread, rel=0.12)


def test_synchronisation_costs_the_offset_and_what_is_unlike() -> None:
    best = judge.synchronisation((8.0, 8.0), 0.0)
    assert judge.synchronisation((8.0, 8.0), -judge.TOGETHER) == pytest.approx(best - 1)
    assert judge.synchronisation((9.0, 7.0), 0.0) < best


def test_without_noise_the_ceiling_is_one_and_two_dives_have_none() -> None:
    assert judge.noise_ceiling([5, 6, 7], [3, 3, 3], [45, 54, 63]) == 1.0
    assert judge.noise_ceiling([5, 6], [3, 3], [45, 54]) is None
