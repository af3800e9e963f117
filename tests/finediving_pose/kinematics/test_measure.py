"""A dive of which everything is known is measured right, and what can't be measured is said to be so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.frames import FrameFolder
from finediving_pose.kinematics.error_bars import error_of
from finediving_pose.kinematics.measure import Facts, frame_times, measure_clip, measure_divers
from finediving_pose.kinematics.quantities import DIVE_QUANTITIES, FRAME_QUANTITIES
from finediving_pose.kinematics.readings import Reason, Series, Value
from finediving_pose.poses import JointSource, concatenate, take_rows, write_poses
from finediving_pose.skeleton import INDEX
from finediving_pose.workspace import Workspace
from tests.finediving_pose.kinematics.made_up import MadeUpDive, poses_of

FACTS = Facts("205b", 10.0, (25,))


def measured(dive: MadeUpDive, facts: Facts = FACTS, times: bool = True, **changed):
    (found,) = measure_divers([dive.diver(**changed)], dive.times if times else None, facts)
    return found


def test_every_quantity_of_a_known_dive():
    dive = MadeUpDive(50.0)
    found = measured(dive)
    value = {name: v.value for name, v in found.values.items()}
    assert set(value) == set(DIVE_QUANTITIES) and set(found.series) == set(FRAME_QUANTITIES)
    assert value["take_off_s"] == pytest.approx(dive.take_off, abs=0.02)
    assert value["touch_s"] == pytest.approx(dive.touch, abs=0.05)
    assert value["flight_time_s"] == pytest.approx(dive.flight, abs=0.05)
    assert value["jump_height_m"] == pytest.approx(dive.rise, abs=0.15)
    assert value["half_somersaults"] == 5 and found.count_agrees
    assert value["peak_rate_deg_s"] == pytest.approx(900 / dive.flight, rel=0.02)
    assert value["closure_deg"] == pytest.approx(130, abs=0.5)
    assert value["come_out_s"] == pytest.approx(dive.opens, abs=0.02)
    assert value["entry_angle_deg"] == pytest.approx(0, abs=20) and found.head_first
    assert value["straightness_deg"] == pytest.approx(0, abs=0.1)
    assert found.line.take_off_from == "stages"
    assert found.take_off_frame == 25 and found.touch_frame == pytest.approx(dive.touch * 50, abs=3)


def test_without_stages_the_spin_tells_the_take_off_and_a_still_camera_the_height():
    dive = MadeUpDive(50.0)
    found = measured(dive, Facts("205b", 10.0))
    assert found.line.take_off_from == "spin" and found.count_agrees
    assert found.values["flight_time_s"].value == pytest.approx(dive.flight, abs=0.1)
    heights = found.series["height_m"]
    assert np.nanmax(heights.values) == pytest.approx(11.5, abs=0.4)


def test_a_diver_who_is_upside_down_at_take_off_is_a_wrong_pose_unless_it_is_an_armstand():
    """Half turns are not counted from a pose that can't be right; who knows no dive number can't tell."""
    dive = MadeUpDive(50.0, halves=4, upside_down=True)
    facts = [Facts(number, 10.0, (25,)) for number in ("205b", "614b", None)]
    counts = [measured(dive, f).values["half_somersaults"] for f in facts]
    assert [c.reason for c in counts] == [Reason.WRONG_TRUNK, Reason.MEASURED, Reason.MEASURED]
    assert counts[1].value == 4


def test_a_flight_that_is_hardly_seen_has_no_peak_rate():
    dive = MadeUpDive(50.0)
    source = np.full(dive.confidence.shape, JointSource.AUTOMATIC)
    source[(dive.times > 0.7) & (dive.times < 1.8)] = JointSource.INTERPOLATED
    assert measured(dive).values["peak_rate_deg_s"].measured
    assert measured(dive, source=source).values["peak_rate_deg_s"].reason == Reason.GAP


def test_where_the_take_off_is_not_known_the_entry_still_is():
    dive = MadeUpDive(50.0)
    later = dive.times > dive.take_off + 0.1  # the clip begins in the air
    diver = dive.diver(keypoints=dive.points[later], confidence=dive.confidence[later])
    (found,) = measure_divers([diver], dive.times[later], Facts("205b", 10.0))
    assert found.values["take_off_s"].reason == Reason.TAKE_OFF_NOT_FILMED
    assert found.not_filmed == "the take-off was not filmed: the clip begins in the air"
    for name in ("flight_time_s", "jump_height_m", "half_somersaults", "peak_rate_deg_s"):
        assert found.values[name].reason == Reason.TAKE_OFF_NOT_FILMED, name
    assert found.values["closure_deg"].value == pytest.approx(130, abs=0.5)
    for name in ("touch_s", "come_out_s", "entry_angle_deg", "straightness_deg"):
        assert found.values[name].measured, name
    assert found.head_first and found.take_off_frame is None


@pytest.mark.parametrize("stages", [(25,), ()])
def test_a_clip_that_ends_in_the_air_has_all_that_needs_no_touch(stages):
    dive = MadeUpDive(50.0)
    short = dive.times < dive.touch - 0.15
    diver = dive.diver(keypoints=dive.points[short], confidence=dive.confidence[short])
    (found,) = measure_divers([diver], dive.times[short], Facts("205b", 10.0, stages))
    at_touch = {"touch_s", "flight_time_s", "jump_height_m", "half_somersaults", "entry_angle_deg", "straightness_deg"}
    for name in at_touch:
        assert found.values[name].reason == Reason.ENTRY_NOT_FILMED, name
    assert found.not_filmed == ("" if stages else "the entry was not filmed: the clip ends before it")
    assert found.values["take_off_s"].value == pytest.approx(dive.take_off, abs=0.1)
    assert found.values["peak_rate_deg_s"].value == pytest.approx(900 / dive.flight, rel=0.02)
    assert found.values["closure_deg"].value == pytest.approx(130, abs=0.5)
    assert found.values["come_out_s"].value == pytest.approx(dive.opens, abs=0.02)


def test_a_pike_that_is_closed_in_the_first_frame_was_reached_before():
    dive = MadeUpDive(50.0)
    later = dive.times > dive.take_off + dive.flight / 2
    diver = dive.diver(keypoints=dive.points[later], confidence=dive.confidence[later])
    (found,) = measure_divers([diver], dive.times[later], Facts("205b", 10.0))
    assert found.values["closure_deg"].value == pytest.approx(130, abs=0.5)
    assert found.values["closure_reached_s"].reason == Reason.TAKE_OFF_NOT_FILMED
    assert measured(dive).values["closure_reached_s"].measured


def test_a_clip_that_ends_in_the_pike_has_no_come_out():
    dive = MadeUpDive(50.0)
    short = dive.times < dive.opens - 0.2
    diver = dive.diver(keypoints=dive.points[short], confidence=dive.confidence[short])
    (found,) = measure_divers([diver], dive.times[short], FACTS)
    assert found.values["closure_deg"].value == pytest.approx(130, abs=0.5)
    assert found.values["come_out_s"].reason == Reason.NO_COME_OUT


def test_who_only_stands_on_the_platform_closes_no_tuck():
    dive = MadeUpDive(50.0)
    before = np.where(dive.times < dive.take_off)[0]
    diver = dive.diver(keypoints=dive.points[before], confidence=dive.confidence[before])
    (found,) = measure_divers([diver], dive.times[before], Facts("205b", 10.0))
    assert not any(found.values[name].measured for name in DIVE_QUANTITIES)


def test_a_number_of_half_somersaults_that_differs_from_the_dive_number_is_said():
    found = measured(MadeUpDive(), Facts("207b", 10.0, (25,)))
    assert found.values["half_somersaults"].value == 5
    assert found.half_somersaults_expected == 7 and found.count_agrees is False


@pytest.mark.parametrize("number", [None, "no number"])
def test_without_a_dive_number_there_is_nothing_to_agree_with(number):
    assert measured(MadeUpDive(), Facts(number, 10.0, (25,))).count_agrees is None


def test_without_a_frame_rate_there_are_no_seconds_but_angles():
    found = measured(MadeUpDive(25.0), Facts("205b", 10.0, (12,)), times=False)
    for name in DIVE_QUANTITIES:
        if name.endswith("_s") or name == "jump_height_m":
            assert found.values[name].reason == Reason.TIMES_UNKNOWN, name
    assert set(found.series["somersault_rate_deg_s"].reason.tolist()) == {Reason.TIMES_UNKNOWN}
    assert found.values["half_somersaults"].value == 5
    assert found.take_off_frame == 12


def test_without_a_height_there_are_no_metres():
    found = measured(MadeUpDive(), Facts("205b", None, (25,)))
    assert found.values["jump_height_m"].reason == Reason.HEIGHT_UNKNOWN
    assert set(found.series["height_m"].reason.tolist()) == {Reason.HEIGHT_UNKNOWN}
    assert found.values["flight_time_s"].measured


def test_a_height_from_which_nobody_jumps_so_high_moves_nothing_else():
    """A dive from 10 metres that is said to be one from 3: a jump of more than 2 metres, so the height is wrong."""
    unknown, wrong = (measured(MadeUpDive(), Facts("205b", height)) for height in (None, 3.0))
    assert wrong.values["jump_height_m"].reason == Reason.JUMP_TOO_HIGH
    assert (wrong.line.take_off, wrong.line.touch) == (unknown.line.take_off, unknown.line.touch)
    others = set(unknown.values) - {"jump_height_m"}
    assert repr({k: wrong.values[k] for k in others}) == repr({k: unknown.values[k] for k in others})


def test_a_camera_that_turns_gives_no_metres():
    dive = MadeUpDive()
    turned = dive.points - dive.points[:, 6:7] + [200, 100]
    found = measured(dive, keypoints=turned)
    assert set(found.series["height_m"].reason.tolist()) == {Reason.CAMERA_MOVES}
    assert found.values["jump_height_m"].measured  # needs the flight time only


def test_machine_poses_have_no_sides_and_hand_poses_have():
    dive = MadeUpDive(25.0)
    assert set(measured(dive).series["right_knee_deg"].reason.tolist()) <= {Reason.SIDES_UNKNOWN, Reason.UNSURE}
    by_hand = np.full(dive.confidence.shape, JointSource.MANUAL)
    assert measured(dive, source=by_hand).series["right_knee_deg"].measured.all()


def test_interpolated_joints_are_no_measurement():
    dive = MadeUpDive(25.0)
    source = np.full(dive.confidence.shape, JointSource.INTERPOLATED)
    found = measured(dive, source=source)
    assert not any(found.series[name].measured.any() for name in FRAME_QUANTITIES)
    assert not found.values["half_somersaults"].measured


def test_error_bars_are_no_smaller_than_a_frame():
    slow, fast = (measured(MadeUpDive(fps), Facts("205b", 10.0, (round(0.5 * fps),))) for fps in (5.0, 240.0))
    assert slow.values["flight_time_s"].error == pytest.approx(0.2)
    assert fast.values["flight_time_s"].error == error_of("flight_time_s")
    assert slow.values["jump_height_m"].error > fast.values["jump_height_m"].error > 0


def test_what_is_read_at_the_touch_is_as_wrong_as_the_touch():
    """The body opens until the touch: a little earlier it was bent more, and turned less."""
    dive = MadeUpDive(50.0)
    still = dive.times > dive.touch - 0.3
    bent = dive.points.copy()
    for joint in ("ankle", "knee"):
        share = np.clip((dive.touch - dive.times) / 0.3, 0, 1) * still
        for side in ("right", "left"):
            bent[:, INDEX[f"{side}_{joint}"], 0] += 180 * share
    straight, opening = measured(dive), measured(dive, keypoints=bent)
    assert opening.values["straightness_deg"].error > straight.values["straightness_deg"].error + 1.5
    for name in ("entry_angle_deg", "straightness_deg"):
        assert straight.values[name].error >= error_of(name)
    assert straight.values["entry_angle_deg"].error > error_of("entry_angle_deg") + 0.5  # the trunk turns until then


def test_a_clip_is_measured_from_its_files(workspace: Workspace):
    dive = MadeUpDive(25.0)
    clip = Clip(ClipKey("made_up", 0), action_type="205b", height_m=10.0, fps=25.0, start_frame=100, end_frame=100 + 
                len(dive.times) - 1, n_frames=len(dive.times), stage_starts=(13,), sub_actions=(2, 15))  # fmt: skip
    with pytest.raises(PoseError, match="annotate --auto --clip made_up/0"):
        measure_clip(workspace, clip)
    write_poses(workspace.pose_file("auto", clip.key), poses_of(dive, 100))
    (found,) = measure_clip(workspace, clip)
    assert found.frames == tuple(range(100, 100 + len(dive.times)))
    assert found.values["half_somersaults"].value == 5
    assert found.take_off_frame == 113
    assert found.values["splash_share"].reason == Reason.NO_SPLASH_MASK


def test_frames_know_their_own_times(workspace: Workspace):
    """A phone does not film evenly: the folder's times come before the frame rate of the labels."""
    uneven = (0.0, 0.04, 0.09)
    clip = Clip(ClipKey("made_up", 0), fps=25.0)
    folder = FrameFolder(clip.key, workspace.root, (7, 8, 9), 4, 4, "", ("a", "b", "c"), None, "", (), uneven)
    assert frame_times(folder.numbers, folder, clip).tolist() == list(uneven)  # pyright: ignore
    unknown = replace(folder, seconds=())
    np.testing.assert_allclose(frame_times(unknown.numbers, unknown, clip), [0, 0.04, 0.08])  # pyright: ignore
    assert frame_times(unknown.numbers, unknown, Clip(clip.key)) is None


def test_a_clip_with_no_frame_at_all_is_named(workspace: Workspace):
    clip = Clip(ClipKey("made_up", 0))
    write_poses(workspace.pose_file("auto", clip.key), take_rows(poses_of(MadeUpDive(25.0)), np.zeros(0, int)))
    with pytest.raises(PoseError, match="made_up/0: has neither frames nor poses"):
        measure_clip(workspace, clip)


@pytest.mark.parametrize(("synchronised", "divers"), [(None, 2), (True, 2), (False, 1)])
def test_two_divers_are_a_pair_where_the_labels_do_not_say_otherwise(workspace: Workspace, synchronised, divers):
    dive = MadeUpDive(25.0)
    clip = Clip(ClipKey("made_up", 0), fps=25.0, synchronised=synchronised)
    write_poses(workspace.pose_file("auto", clip.key), concatenate([poses_of(dive), poses_of(dive, person=1)]))
    found = measure_clip(workspace, clip)
    assert [d.person for d in found] == list(range(divers))
    assert found[0].frames[0] == 0 and len(found[0].frames) == len(poses_of(dive))


def test_a_value_has_a_number_or_a_reason_and_never_both():
    with pytest.raises(ValueError, match="NO_TOUCH"):
        Value(1.0, 0.1, Reason.NO_TOUCH)
    with pytest.raises(ValueError, match="nan"):
        Value()
    series = Series(np.array([1.0, np.nan]), np.array([Reason.NO_POSE, Reason.MEASURED]))
    assert np.isnan(series.values).all() and series.reason.tolist() == [Reason.NO_POSE, Reason.NO_JOINT]
    assert all(reason.sentence and (reason.label or not reason) for reason in Reason)


def test_what_is_at_the_edge_of_the_picture_is_not_measured():
    """The legs leave the picture at its upper edge in the last moments before the touch."""
    dive = MadeUpDive(50.0)
    raised = dive.points.copy()
    raised[..., 1] -= np.interp(dive.times, [dive.touch - 0.3, dive.touch - 0.15], [0, 730])[:, None]
    keypoints = np.maximum(raised, [0, 1])
    seen = {"keypoints": keypoints, "picture": (1000, 1000)}
    assert measured(dive, **seen).values["touch_s"].measured
    assert measured(dive, **seen).values["straightness_deg"].reason == Reason.AT_EDGE
    assert measured(dive, picture=(1000, 1000)).values["straightness_deg"].measured


@pytest.mark.parametrize(("seen_until", "measured_there"), [(0.9, True), (0.4, False)])
def test_a_closest_pike_is_told_only_of_a_flight_that_is_mostly_seen(seen_until: float, measured_there: bool):
    dive = MadeUpDive(50.0)
    source = np.full(dive.confidence.shape, JointSource.AUTOMATIC)
    source[dive.times > dive.take_off + seen_until * dive.flight] = JointSource.INTERPOLATED
    closure = measured(dive, source=source).values["closure_deg"]
    assert closure.measured is measured_there and (measured_there or closure.reason == Reason.INTERPOLATED)
