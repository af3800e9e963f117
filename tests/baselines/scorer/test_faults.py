"""Faults are measured where the poses tell them, and named with a reason where they do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from baselines.scorer.faults import Fault, find_faults
from finediving_pose.kinematics.measure import DiverMeasures, Facts, measure_divers
from finediving_pose.skeleton import INDEX
from tests.finediving_pose.kinematics.made_up import MadeUpDive


def measured(number: str = "205b", height: float | None = 10.0, **made: Any) -> DiverMeasures:
    dive = MadeUpDive(50.0, **made)
    return measure_divers([dive.diver()], dive.times, Facts(number, height, (25,)))[0]


def by_name(number: str, measures: DiverMeasures, estimates: dict[str, float] | None = None) -> dict[str, Fault]:
    return {f.name: f for f in find_faults(number, measures, estimates or {})}


def test_the_entry_is_measured_with_its_error_and_the_frame_that_shows_it() -> None:
    measures = measured()
    faults = by_name("205b", measures)
    for name, quantity in (("rotation_deg", "entry_angle_deg"), ("crooked_deg", "straightness_deg")):
        assert faults[name].value == measures.values[quantity].value
        assert faults[name].error == measures.values[quantity].error
        assert faults[name].source == "measured" and faults[name].frame == measures.touch_frame
        assert faults[name].text.endswith("°") and "±" in faults[name].text


def test_a_fault_that_nobody_sees_has_a_reason_and_no_number() -> None:
    faults = by_name("205b", measured())
    for name in ("split_deg", "distance_m", "late_s", "loose_deg"):
        assert faults[name].value is None and faults[name].text == "not to be seen"
        assert faults[name].remark and not faults[name].source
    assert "splash mask" in faults["splash_share"].remark


def test_only_faults_that_the_dive_can_have_are_listed() -> None:
    assert "twist_deg" not in by_name("205b", measured())
    assert "twist_deg" in by_name("5253b", measured())
    assert not {"loose_deg", "late_s"} & by_name("205a", measured()).keys()
    assert len(by_name("no number", measured())) == 9


def test_the_network_says_what_poses_do_not_and_no_more() -> None:
    measures = measured()
    said = {"splash_share": 0.3, "distance_m": 0.42, "late_s": float("nan"), "rotation_deg": 77.0, "grace_share": 0.5}
    faults = by_name("205b", measures, said)
    assert (faults["distance_m"].source, faults["distance_m"].text) == ("estimated", "0.42 m")
    assert faults["splash_share"].text == "0.30 of a flop" and "picture" not in faults["splash_share"].meaning
    assert faults["late_s"].value is None
    assert faults["rotation_deg"].value == measures.values["entry_angle_deg"].value
    assert faults["grace_share"].words == "grace" and faults["grace_share"].text == "0.50 of the picture"


@pytest.mark.parametrize(("number", "from_where"), [("205b", "closure_reached_s"), ("205c", "come_out_s")])
def test_knees_are_the_bend_in_the_part_where_they_should_be_straight(number: str, from_where: str) -> None:
    """Bent by 80 degrees before that, by 40 in it."""
    dive = MadeUpDive(50.0)
    plain = measure_divers([dive.diver()], dive.times, Facts(number, 10.0, (25,)))[0]
    bend = np.radians(np.where(dive.times < plain.values[from_where].value, 80.0, 40.0))[:, None]
    points = dive.points.copy()
    for side in ("right", "left"):
        hip, knee, ankle = (points[:, INDEX[f"{side}_{name}"]] for name in ("hip", "knee", "ankle"))
        along = knee - hip
        across = np.stack([-along[:, 1], along[:, 0]], 1)
        ankle[:] = knee + along * np.cos(bend) + across * np.sin(bend)
    measures = measure_divers([dive.diver(keypoints=points)], dive.times, Facts(number, 10.0, (25,)))[0]
    knees = by_name(number, measures)["knees_deg"]
    assert knees.value == pytest.approx(40.0, abs=0.01) and knees.source == "measured"
    at = measures.frames.index(knees.frame or 0)
    assert plain.values[from_where].value <= dive.times[at] <= plain.values["touch_s"].value


def test_a_dive_without_a_touch_says_so() -> None:
    dive = MadeUpDive(50.0)
    measures = measure_divers([dive.diver()], None, Facts("205b", None, ()))[0]
    faults = by_name("205b", measures)
    assert all(f.value is None or f.source == "measured" for f in faults.values())
    assert faults["knees_deg"].value is None and faults["knees_deg"].remark
