"""An estimator's errors, measured on one dive and put on another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from baselines.data.transforms import torso_length
from baselines.prior.errors import PAIRS, PoseErrors, compare_poses, phases, read_errors, write_errors
from finediving_pose.skeleton import INDEX

T = 12
PHASE = phases(np.arange(T), 3, 8, T)


def _dive(seed: int) -> np.ndarray:
    """Joints (T, 16, 2) of a figure with a trunk of 40 pixels."""
    joints = np.random.default_rng(seed).uniform(-60, 60, (1, 16, 2)) + np.arange(T)[:, None, None] * [3.0, 5.0]
    joints[:, INDEX["thorax"]] = joints[:, INDEX["pelvis"]] + [0, -40]
    return joints


def _errors(machine: np.ndarray, truth: np.ndarray, seen: np.ndarray) -> PoseErrors:
    found = compare_poses(machine, truth, seen)
    return PoseErrors(np.array(["107b"]), PHASE[None], *(found[k][None] for k in ("offset", "exchanged", "missed")))


def test_errors_put_on_the_dive_they_were_measured_on_give_the_machines_poses() -> None:
    truth, rng = _dive(0), np.random.default_rng(1)
    machine = truth + rng.normal(0, 4, truth.shape)
    for a, b in PAIRS[:3]:
        machine[5, [a, b]] = machine[5, [b, a]]
    machine[9] = np.nan
    seen = np.ones((T, 16), bool)
    seen[11] = False
    errors = _errors(machine, truth, seen)
    found = errors.put_on(truth, seen, PHASE, "107b", rng)
    there = [t for t in range(T) if t not in (9, 11)]
    np.testing.assert_allclose(found[there], machine[there], atol=0.05)
    assert np.isnan(found[[9, 11]]).all()


def test_errors_grow_with_the_diver() -> None:
    truth = _dive(0)
    machine = truth + np.array([4.0, 0.0])
    errors = _errors(machine, truth, np.ones((T, 16), bool))
    twice = 2 * truth
    found = errors.put_on(twice, np.ones((T, 16), bool), PHASE, "107b", np.random.default_rng(0))
    np.testing.assert_allclose(found - twice, np.broadcast_to([8.0, 0.0], twice.shape), atol=0.05)


def test_left_and_right_that_are_nearer_exchanged_are_an_exchange_and_no_error() -> None:
    truth = _dive(0)
    machine = truth.copy()
    a, b = PAIRS[0]
    machine[:, [a, b]] = machine[:, [b, a]]
    found = compare_poses(machine, truth, np.ones((T, 16), bool))
    assert found["exchanged"][:, 0].all()
    assert not found["exchanged"][:, 1:].any()
    assert np.abs(found["offset"]).max() == 0


def test_phases_meet_at_take_off_and_touch() -> None:
    assert phases(np.array([0, 3, 5.5, 8, 12]), 3, 8, 12).tolist() == [0, 1, 1.5, 2, 3]


def test_the_trunk_of_a_dive_without_poses_is_one_pixel() -> None:
    assert torso_length(np.full((3, 16, 2), np.nan)) == 1.0
    assert torso_length(_dive(0)) == pytest.approx(40)


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    errors = _errors(_dive(0) + 3, _dive(0), np.ones((T, 16), bool))
    write_errors(tmp_path / "errors.npz", errors, "one dive")
    again = read_errors(tmp_path / "errors.npz")
    for name in ("number", "phase", "offset", "exchanged", "missed"):
        np.testing.assert_array_equal(getattr(again, name), getattr(errors, name))
