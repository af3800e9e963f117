"""What differences are worth: the same dives drawn again for all, trainings for each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from baselines.runs.metrics import relative_l2, spearman
from baselines.runs.resampling import RESAMPLES, Resampling, centred_ranks, middle, rank_correlations, relative_errors

SCORES = arrays(float, (3, 8), elements=st.integers(0, 20).map(float))


@given(SCORES, SCORES)
def test_rows_have_the_figures_that_metrics_give_them_one_by_one(truth: np.ndarray, predicted: np.ndarray) -> None:
    rhos = rank_correlations(centred_ranks(truth), [predicted])[0]
    for n in range(3):
        error = relative_errors(truth[n : n + 1], [predicted[n : n + 1]], float(np.ptp(truth[n])))
        assert rhos[n] == pytest.approx(spearman(truth[n], predicted[n]), nan_ok=True)
        assert error[0, 0] == pytest.approx(relative_l2(truth[n], predicted[n]), nan_ok=True)


def test_an_interval_of_errors_lies_around_the_error_of_all_dives() -> None:
    truth = np.random.default_rng(0).normal(70, 10, 60)
    predicted = drawn(1, 8, truth)
    found = Resampling(truth).means([predicted], "a")["r_l2_x100"]
    assert np.mean(found) == pytest.approx(relative_l2(truth, predicted), rel=0.02)


def drawn(seed: int, noise: float, truth: np.ndarray) -> np.ndarray:
    return truth + np.random.default_rng(seed).normal(0, noise, len(truth))


def test_a_difference_on_the_same_dives_is_surer_than_two_intervals() -> None:
    truth = np.random.default_rng(0).normal(70, 10, 60)
    shared = drawn(1, 8, truth)
    resampling = Resampling(truth)
    a = resampling.means([shared], "a")["rho"]
    b = resampling.means([drawn(2, 1, shared)], "b")["rho"]
    (low, high), (low_a, high_a) = middle(a - b), middle(a)
    assert None not in (low, high, low_a, high_a)
    assert high - low < (high_a - low_a) / 3  # type: ignore[operator]


def test_trainings_that_differ_widen_the_interval_and_one_alone_has_none_to_draw() -> None:
    truth = np.random.default_rng(0).normal(70, 10, 200)
    good, bad = drawn(1, 2, truth), drawn(2, 30, truth)
    resampling = Resampling(truth)
    alone, both = resampling.means([good], "a")["rho"], resampling.means([good, bad], "a")["rho"]
    assert alone.shape == (RESAMPLES,)
    assert np.ptp(both) > 3 * np.ptp(alone)
    assert both.min() < alone.min()
    assert np.median(both) == pytest.approx((spearman(truth, good) + spearman(truth, bad)) / 2, abs=0.1)


def test_the_same_draws_come_again() -> None:
    truth = np.arange(20.0)
    first, second = (Resampling(truth).means([truth[::-1] + truth % 3], "d")["rho"] for _ in range(2))
    assert np.array_equal(first, second)


def test_what_is_never_a_number_has_no_interval() -> None:
    resampling = Resampling(np.arange(5.0))
    assert middle(resampling.means([np.ones(5)], "a")["rho"]) == (None, None)
