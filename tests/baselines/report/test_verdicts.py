"""A sentence below a table says what the table says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baselines.report.page import dives_by_number
from baselines.report.verdicts import (
    dives_found,
    is_beyond_spread,
    on_ablation,
    on_numbers,
    on_run,
    on_scores,
    on_study,
    on_training,
)
from baselines.runs.figures import Figures, Interval
from baselines.runs.predictions import Prediction
from baselines.runs.results import AblationRow, Conditions, RunMetrics, StudyMetrics, StudyRow
from finediving_pose.clip import ClipKey

MADE = Conditions(
    "m", "M", "demo", (), 18, 6, 16, 2, "last epoch", "score", "number", 10, "each", "f.h5", "0" * 64, {}, {}
)
NONE: dict[str, Interval] = dict.fromkeys(
    ("rho", "r_l2_x100", "l2", "same_number_in_order", "aiou_50", "aiou_75"), (None, None)
)


def run(rho: float, interval: tuple[float, float], base: float, **figures: float) -> RunMetrics:
    return RunMetrics(
        MADE, 0, Figures(rho=rho, **figures), NONE | {"rho": interval}, Figures(rho=base), 0, 1, 1.0, 2, []
    )


def study(*rhos: float, base: float = 0.5, parts: dict[str, float] | None = None, spread: float | None = None):  # type: ignore[no-untyped-def]
    rows = tuple(StudyRow(f"s{i}", i, None, Figures(rho=r), Figures(rho=base), 1, 1, 1.0) for i, r in enumerate(rhos))
    ablation = tuple(
        AblationRow(name, Figures(), Figures(), Figures(rho=change), 1) for name, change in (parts or {}).items()
    )
    mean = Figures(rho=sum(rhos) / len(rhos))
    seeds = tuple(range(len(rhos)))
    return StudyMetrics(MADE, seeds, mean, Figures(rho=spread), Figures(rho=base), 0, 1.0, rows, ablation)


@pytest.mark.parametrize(
    ("interval", "base", "says"),
    [
        ((0.5, 0.9), 0.7, "With 6 test dives the model can't be told from its baseline"),
        ((0.75, 0.9), 0.7, "The model ranks the dives better than its baseline"),
        ((0.5, 0.65), 0.7, "The model ranks the dives worse than its baseline"),
    ],
)
def test_a_run_is_better_only_where_its_interval_says_so(interval: tuple[float, float], base: float, says: str) -> None:
    rho = sum(interval) / 2 if base != 0.7 or interval != (0.5, 0.9) else 0.8
    said = on_run(run(rho, interval, base))
    assert said.startswith(says)
    assert f"95 % interval {interval[0]:.3f} to {interval[1]:.3f}" in said


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [(0.55, 0.8, "more than by chance"), (0.4, 0.8, "which chance explains, too"), (0.2, 0.4, "fewer than by chance")],
)
def test_order_within_a_dive_number_is_held_against_chance(low: float, high: float, says: str) -> None:
    made = run(0.8, (0.7, 0.9), 0.5, same_number_in_order=(low + high) / 2)
    made = replace(made, intervals=made.intervals | {"same_number_in_order": (low, high)})
    assert says in on_run(made)


def test_seeds_are_counted() -> None:
    said = on_study(study(0.6, 0.4, 0.7))
    assert said == "The method ranks the dives better than its baseline in 2 of 3 seeds (mean rho 0.567 against 0.500)."


def test_equal_seeds_are_alike() -> None:
    assert "in 1 of 2 seeds, alike in 1 (" in on_study(study(0.6, 0.5))


@pytest.mark.parametrize(
    ("parts", "spread", "says"),
    [
        ({"a": -0.1, "b": -0.2}, 0.05, "Rho falls most without b: −0.2000, more than the seeds' spread of 0.0500."),
        ({"a": -0.01}, 0.05, "no more than the seeds' spread"),
        ({"a": -0.01}, None, "With one seed that can't be told from chance"),
        ({"a": 0.01}, 0.05, "as high as with all of them, or higher"),
        ({}, 0.05, ""),
    ],
)
def test_the_part_that_counts_is_named(parts: dict[str, float], spread: float | None, says: str) -> None:
    assert says in on_ablation(study(0.6, 0.5, parts=parts, spread=spread))


@pytest.mark.parametrize(
    ("change", "whole", "part", "beyond"),
    [
        (-0.1, 0.05, 0.05, True),
        (0.1, 0.05, 0.05, True),
        (-0.1, 0.05, 0.2, False),
        (-0.1, 0.2, 0.05, False),
        (-0.1, 0.1, 0.1, False),
        (-0.1, None, None, False),
        (None, 0.05, 0.05, False),
    ],
)
def test_a_change_within_either_spread_is_none(
    change: float | None, whole: float | None, part: float | None, beyond: bool
) -> None:
    row = AblationRow("a", Figures(), Figures(rho=part), Figures(rho=change), 1)
    assert is_beyond_spread(study(0.6, 0.5, spread=whole), row, "rho") is beyond


def prediction(n: int, true: float, predicted: float, mean: float, number: str = "107b") -> Prediction:
    return Prediction(ClipKey("v", n), number, 3.0, true, predicted, mean, "dive number", (), (), float("nan"), ())


def test_dives_are_counted_whole() -> None:
    said = on_scores([prediction(0, 50, 52, 50), prediction(1, 60, 66, 50), prediction(2, 90, 105, 50)])
    assert said.startswith(
        "Of 3 test dives, 1 lies within 5 points of the judges and 1 more than 10 points off; on average 7.7 points"
        " (95 %: 2.0 to 15.0), the exemplars' mean 16.7."
    )
    assert [dives_found(p, 6) for p in (0.0, 16.67, 50.0, 100.0)] == ["0 of 6", "1 of 6", "3 of 6", "6 of 6"]


def test_predictions_that_lean_to_the_mean_are_told() -> None:
    flat = [prediction(i, t, 60 + 0.2 * (t - 60), 60) for i, t in enumerate((40, 60, 80))]
    assert "Good dives are scored too low and bad ones too high: a true point counts 0.20." in on_scores(flat)
    assert "exaggerated" in on_scores([prediction(i, t, 60 + 2 * (t - 60), 60) for i, t in enumerate((40, 60, 80))])


@pytest.mark.parametrize(
    ("losses", "says"),
    [
        ([4.0, 3.0], "The loss fell from 4 to 3 in 2 epochs."),
        ([4 * 0.9**i for i in range(20)], "and still falls: more epochs may help."),
        ([4.0, 2.0, *[1.0] * 18], "and no longer falls."),
        ([1.0], ""),
    ],
)
def test_the_loss_is_said_to_fall_or_not(losses: list[float], says: str) -> None:
    assert on_training([{"loss": x} for x in losses]).endswith(says)


def test_dive_numbers_are_held_against_the_baseline() -> None:
    rows = dives_by_number(
        [prediction(0, 50, 51, 58), prediction(1, 60, 75, 62, "205b"), prediction(2, 70, 72, 72, "407c")]
    )
    assert on_numbers(rows) == (
        "Of 3 dive numbers the model is nearer to the judges than the exemplars' mean in 1, further away in 1, alike in"
        " 1. It errs most in 205b: 15.0 points in 1 dive."
    )
