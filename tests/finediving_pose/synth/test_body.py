from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finediving_pose.skeleton import FLIP, LIMBS, N_JOINTS
from finediving_pose.synth import body

angles = st.lists(st.floats(-3, 3), min_size=15, max_size=15)


@given(angles)
def test_limbs_keep_their_length_in_every_pose(pose: list[float]) -> None:
    points = body.body_points(np.array([pose, body.STAND]), body.Build())
    rigid = [(a, b) for a, b in LIMBS if {a, b} not in ({6, 7}, {7, 12}, {7, 13})]
    length = np.array([np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in rigid])
    assert np.allclose(length[:, 0], length[:, 1])


@pytest.mark.slow
@given(angles)
def test_the_centre_of_mass_is_the_origin(pose: list[float]) -> None:
    assert np.allclose(body.centre_of_mass(body.body_points(np.array([pose]), body.Build())), 0)


def test_tuck_turns_easier_than_pike_and_pike_easier_than_straight() -> None:
    points = body.body_points(np.array([body.TUCK, body.PIKE, body.STRAIGHT]), body.Build())
    tuck, pike, straight = body.moments_of_inertia(points)[:, 1]
    assert tuck < pike < 0.6 * straight


def test_a_standing_body_is_as_tall_as_its_stature_and_has_left_on_the_left() -> None:
    build = body.Build(stature=1.7)
    points = body.body_points(np.array([body.STAND]), build)[0]
    assert np.ptp(points[:N_JOINTS, 2]) == pytest.approx(1.7, rel=0.06)
    assert np.allclose(points[list(FLIP)] * [1, -1, 1], points[:N_JOINTS], atol=1e-9)
    assert points[13, 1] > 0 > points[12, 1]
