from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.lexicon import parse_dive_number
from finediving_pose.synth.faults import COST, Faults, award_spread, dived, lost_points, possible, random_faults
from finediving_pose.synth.plan import DIVE_NUMBERS

KINDS = ("107b", "205b", "5253b", "6243d", "201a")


@pytest.mark.parametrize("name", list(COST))
def test_every_fault_costs_points(name: str) -> None:
    price = COST[name]
    assert Faults().quality() == 10
    assert Faults(**{name: price.unit}).quality() == pytest.approx(9)
    assert Faults(**{name: price.most}).quality() < Faults(**{name: price.unit}).quality()


@pytest.mark.parametrize("number", KINDS)
def test_faults_stay_possible_and_cost_what_was_lost(number: str) -> None:
    dive, rng = parse_dive_number(number), np.random.default_rng(0)
    for lost in rng.uniform(0.3, 8.5, 200):
        faults = random_faults(rng, dive, lost)
        assert faults.penalty() == pytest.approx(lost, abs=1e-6)
        for name, price in COST.items():
            value = abs(getattr(faults, name))
            assert value <= price.most + 1e-9 and (name in possible(dive) or value == 0)


def test_what_a_dive_has_not_cannot_go_wrong() -> None:
    assert "twist" not in possible(parse_dive_number("107b")) and "twist" in possible(parse_dive_number("5253b"))
    assert "loose" not in possible(parse_dive_number("201a"))


@pytest.mark.parametrize("number", DIVE_NUMBERS)
def test_points_lost_spread_as_in_the_awards_of_that_number(number: str) -> None:
    dive, rng = parse_dive_number(number), np.random.default_rng(0)
    height = max((r for r in dived() if r["dive_number"] == number), key=lambda r: int(r["count"]))["height_m"]
    mean, sd = award_spread(number, float(height))
    lost = np.array([lost_points(dive, float(height), rng) for _ in range(1500)])
    assert lost.mean() == pytest.approx(10 - mean, abs=0.12) and lost.std() == pytest.approx(sd, rel=0.12)
