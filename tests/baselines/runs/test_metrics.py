"""What the numbers of the table say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from baselines.runs.metrics import average_iou, interval, interval_iou, l2, pairs_in_order, relative_l2, spearman


def test_rho_is_one_for_the_right_order_and_minus_one_for_the_reverse() -> None:
    truth = [30.0, 50.0, 70.0, 90.0]
    assert spearman(truth, [1, 2, 3, 40]) == pytest.approx(1)
    assert spearman(truth, [4, 3, 2, 1]) == pytest.approx(-1)


def test_rho_of_a_constant_or_of_one_clip_is_no_number() -> None:
    assert math.isnan(spearman([1, 2, 3], [5, 5, 5]))
    assert math.isnan(spearman([1], [1]))


def test_relative_l2_is_measured_in_the_span_of_the_true_scores() -> None:
    assert relative_l2([40, 60, 90], [45, 60, 90]) == pytest.approx(100 * (5 / 50) ** 2 / 3)
    assert math.isnan(relative_l2([50, 50], [50, 51]))


def test_l2_is_in_squared_points() -> None:
    assert l2([40, 60], [43, 60]) == pytest.approx(4.5)


def test_iou_of_disjoint_and_of_empty_intervals_is_zero() -> None:
    assert np.array_equal(interval_iou([[0, 10], [5, 5]], [[20, 30], [5, 5]]), [0, 0])


def test_average_iou_counts_clips_at_the_threshold() -> None:
    assert average_iou([0.5, 0.49, 0.8, 0.1], 0.5) == 50


def test_pairs_of_different_groups_do_not_count() -> None:
    assert pairs_in_order([1, 2, 10, 20], [1, 2, 0.2, 0.1], ["a", "a", "b", "b"]) == pytest.approx(0.5)
    assert pairs_in_order([1, 2], [7, 7], ["a", "a"]) == pytest.approx(0.5)
    assert math.isnan(pairs_in_order([1, 2], [1, 2], ["a", "b"]))


@pytest.mark.slow
def test_the_interval_holds_the_figure_and_narrows_with_more_clips() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(70, 10, 400)
    predicted = truth + rng.normal(0, 8, 400)
    few, many = (interval(spearman, truth[:n], predicted[:n]) for n in (40, 400))
    for n, (low, high) in ((40, few), (400, many)):
        assert low < spearman(truth[:n], predicted[:n]) < high
    assert many[1] - many[0] < 0.5 * (few[1] - few[0])
    assert interval(spearman, truth[:40], predicted[:40]) == few, "the same seed, the same interval"
    assert all(np.isnan(interval(spearman, truth[:2], predicted[:2])))


def test_intervals_of_any_metric_keep_a_clip_s_values_together() -> None:
    truth, groups = np.arange(30.0), np.arange(30) % 3
    assert interval(pairs_in_order, truth, truth, groups) == (1, 1)
    assert interval(pairs_in_order, truth, -truth, groups) == (0, 0)
    low, high = interval(lambda o: average_iou(o, 0.5), [0.9] * 20 + [0.1] * 10)
    assert 45 < low < 200 / 3 < high < 85


def test_an_interval_passes_over_resamples_without_a_number() -> None:
    """Of four clips in two groups, many resamples hold no pair."""
    low, high = interval(pairs_in_order, [1.0, 2, 3, 4], [1.0, 2, 4, 3], [0, 0, 1, 1])
    assert (low, high) == (0, 1)
    assert all(np.isnan(interval(pairs_in_order, [1.0, 2, 3], [1.0, 2, 3], [0, 1, 2])))
