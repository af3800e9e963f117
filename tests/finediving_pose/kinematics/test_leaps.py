"""Poses that leap away and back are not measured."""

from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.kinematics.angles import pair_angle
from finediving_pose.kinematics.diver import Diver
from finediving_pose.kinematics.leaps import doubt_leaps, leaps
from finediving_pose.kinematics.measure import Facts, measure_divers
from finediving_pose.kinematics.readings import Reason, Series
from finediving_pose.poses import JointSource
from finediving_pose.skeleton import INDEX
from tests.finediving_pose.kinematics.made_up import MadeUpDive


def dive_with_wrong_legs(fps: float = 240.0) -> tuple[MadeUpDive, np.ndarray]:
    """A piked dive in which the legs are stretched for 0.08 s, and those frames."""
    dive = MadeUpDive(fps)
    wrong = (dive.times > 1.2) & (dive.times < 1.28)
    trunk = dive.points[:, INDEX["thorax"]] - dive.points[:, INDEX["pelvis"]]
    for share, joint in ((0.8, "knee"), (1.6, "ankle")):
        for side in ("right", "left"):
            place = dive.points[:, INDEX["pelvis"]] - share * trunk
            dive.points[wrong, INDEX[f"{side}_{joint}"]] = place[wrong]
    return dive, wrong


@pytest.mark.parametrize("fps", [60.0, 240.0])
def test_legs_that_leap_away_and_back_are_unsure_and_so_is_the_trunk(fps):
    dive, wrong = dive_with_wrong_legs(fps)
    (found,) = measure_divers([dive.diver()], dive.times, Facts("205b", 10.0, (round(0.5 * fps),)))
    for name in ("hip_deg", "knee_deg", "trunk_deg"):
        flight = (dive.times > dive.take_off) & (dive.times < dive.touch)
        assert (found.series[name].reason[wrong] == Reason.UNSURE).all(), name
        assert found.series[name].measured[flight & ~wrong].all(), name
    assert found.series["elbow_deg"].measured[wrong].all()
    assert found.values["half_somersaults"].value == 5
    assert found.values["peak_rate_deg_s"].value == pytest.approx(900 / dive.flight, rel=0.02)


def test_legs_that_a_person_placed_are_believed():
    dive, _ = dive_with_wrong_legs()
    diver = dive.diver(source=np.full(dive.confidence.shape, JointSource.MANUAL))
    assert (doubt_leaps(diver, dive.times).reason == diver.reason).all()


@pytest.mark.parametrize("fps", [25.0, 60.0, 240.0])
def test_a_dive_closes_and_opens_without_leaps(fps):
    dive = MadeUpDive(fps)
    diver: Diver = dive.diver()
    assert not leaps(pair_angle(diver, "hip"), dive.times).any()


def test_a_leap_that_stays_is_none():
    """Which side of it is wrong can't be told."""
    times = np.arange(40) / 50
    angle = np.where(times < 0.4, 10.0, 140.0)
    assert not leaps(Series(angle, np.zeros(40, np.uint8)), times).any()
    angle[25:] = 10.0
    assert np.flatnonzero(leaps(Series(angle, np.zeros(40, np.uint8)), times)).tolist() == [20, 21, 22, 23, 24]
