"""What the benchmark of the same name shows at length, on few dives."""

from __future__ import annotations

import pytest

from benchmarks.synthetic_oracle import compare, performed

pytestmark = pytest.mark.slow


def test_true_poses_explain_scores_nearly_to_the_ceiling_and_dive_numbers_far_less() -> None:
    rho = compare(performed(500, seed=1))
    assert rho["dive_number_alone"] < 0.7 * rho["noise_ceiling"]
    assert rho["dive_number_alone"] + 0.2 < rho["true_poses"] < rho["true_poses_and_splash"] < rho["noise_ceiling"] < 1
    assert rho["true_poses_and_splash"] > 0.9 * rho["noise_ceiling"]
