"""Hand poses over automatic ones."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from annotate.compare import compare
from annotate.merge import find_conflicts, merge_clips, merge_tables
from annotate.smooth import smooth
from finediving_pose.boxes import box_of_joints
from finediving_pose.cli import main
from finediving_pose.errors import PoseError
from finediving_pose.labels.table import read_clips
from finediving_pose.persons import joints_of, number_hands
from finediving_pose.poses import JointSource, Visibility, read_poses, write_poses
from finediving_pose.skeleton import FLIP, JOINTS
from finediving_pose.validate.pose_rules import load_layers
from finediving_pose.validate.rules import RULES
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import BASE, KEY, PAIR_FRAMES, pair, table


@given(arrays(np.bool_, (16,)), arrays(np.bool_, (16,)))
def test_each_joint_comes_from_the_hand_if_it_has_it_else_from_the_machine(by_hand: np.ndarray, by_machine) -> None:
    hand = table("anna", JointSource.MANUAL, by_hand)
    auto = table("net", JointSource.AUTOMATIC, by_machine, shift=5)
    merged = merge_tables([hand], auto)
    expected = np.where(by_hand, JointSource.MANUAL, np.where(by_machine, JointSource.AUTOMATIC, JointSource.NONE))
    np.testing.assert_array_equal(merged.source[0], expected)
    position = np.where(by_hand[:, None], hand.keypoints[0], auto.keypoints[0])
    np.testing.assert_array_equal(merged.keypoints[0], position)
    used = ["anna"] * bool(by_hand.any()) + ["net"] * bool((by_machine & ~by_hand).any())
    assert merged.author[0] == ("+".join(used) or "net"), "who looked, where nobody is"


@given(st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_every_frame_that_anybody_has_is_in_the_merge_once(one: set[int], two: set[int]) -> None:
    hand = table("anna", JointSource.MANUAL, frames=tuple(one))
    auto = table("net", JointSource.AUTOMATIC, frames=tuple(two))
    assert merge_tables([hand], auto).frame.tolist() == sorted(one | two)


def test_where_a_person_deleted_every_joint_there_is_no_diver_whatever_the_machine_has() -> None:
    gone = table("anna", JointSource.MANUAL, np.zeros(16, bool))
    gone.source[:] = JointSource.MANUAL
    merged = merge_tables([gone], table("net", JointSource.AUTOMATIC))
    assert not merged.has_diver.any() and not merged.visibility.any() and np.isnan(merged.box).all()
    assert (merged.source == JointSource.MANUAL).all() and merged.author == ["anna"]


@pytest.mark.parametrize("joints", [3, 16])
def test_where_the_machine_saw_nobody_the_joints_that_a_person_placed_are_the_divers(joints: int) -> None:
    hand = table("anna", JointSource.MANUAL, np.arange(16) < joints)
    nobody = table("net", JointSource.AUTOMATIC, np.zeros(16, bool))
    nobody.box[:] = np.nan
    merged = merge_tables([hand], nobody)
    assert np.isfinite(merged.keypoints[0]).all(1).sum() == joints and merged.author == ["anna"]
    np.testing.assert_allclose(merged.box, box_of_joints(merged.keypoints))


def test_a_partner_who_is_gone_stays_gone_in_the_merge() -> None:
    """The machine sees both divers in every frame but the last two, where the second is gone."""
    auto = pair()
    gone = (auto.person == 1) & (auto.frame >= 4)
    auto = replace(auto, keypoints=np.where(gone[:, None, None], np.nan, auto.keypoints))
    auto = replace(auto, source=np.where(gone[:, None], JointSource.NONE, auto.source))
    merged = merge_tables([table("anna", JointSource.MANUAL, frames=(5,))], auto)
    there = [merged.frame[merged.has_diver & (merged.person == p)].tolist() for p in (0, 1)]
    assert there == [[0, 1, 2, 3, 4, 5], [0, 1, 2, 3]]


def test_of_two_annotators_the_one_who_worked_last_goes_first() -> None:
    early = table("anna", JointSource.MANUAL, shift=1, time="2026-01-01T00:00:00+00:00")
    late = table("ben", JointSource.MANUAL, np.arange(16) < 8, shift=2, time="2026-01-02T00:00:00+00:00")
    merged = merge_tables([early, late], None)
    np.testing.assert_allclose(merged.keypoints[0, :, 0] - BASE[:, 0], np.where(np.arange(16) < 8, 2, 1), atol=1e-4)
    assert merged.author == ["ben+anna"] and merged.time == late.time


def test_a_placed_joint_goes_before_the_machines_of_the_other_side() -> None:
    """Whoever exchanged the sides later."""
    placed = table("anna", JointSource.MANUAL, np.arange(16) == 3, shift=1)
    swapped = table("ben", JointSource.AUTOMATIC, shift=2, time="2026-01-02T00:00:00+00:00")
    merged = merge_tables([placed, swapped], table("net", JointSource.AUTOMATIC))
    assert (merged.source[0] == np.where(np.arange(16) == 3, JointSource.MANUAL, JointSource.AUTOMATIC)).all()
    np.testing.assert_allclose(merged.keypoints[0, :, 0] - BASE[:, 0], np.where(np.arange(16) == 3, 1, 2), atol=1e-4)


def test_annotators_conflict_beyond_the_threshold_only() -> None:
    anna, ben = table("anna", JointSource.MANUAL), table("ben", JointSource.MANUAL)
    ben.keypoints[0, 3, 0] += 10.5
    ben.keypoints[0, 4, 0] += 9.5
    (conflict,) = find_conflicts(KEY, [anna, ben], 10)
    assert str(conflict) == "meet/0 frame 0 left_hip: anna and ben differ by 10 px"


@pytest.mark.parametrize("source", [JointSource.INTERPOLATED, JointSource.AUTOMATIC])
def test_joints_that_nobody_placed_are_no_conflict(source: JointSource) -> None:
    assert not find_conflicts(KEY, [table("anna", JointSource.MANUAL), table("ben", source, shift=50)], 10)


def test_deleted_joints_are_no_joints_by_hand(grey: Workspace) -> None:
    """A person said that there is no diver, whom the machine saw."""
    nobody = table("anna", JointSource.MANUAL, frames=(1,))
    nobody.keypoints[:], nobody.visibility[:] = np.nan, Visibility.ABSENT
    write_poses(grey.pose_file("auto", KEY), table("net", JointSource.AUTOMATIC, frames=(0, 1, 2)))
    write_poses(grey.pose_file("manual/anna", KEY), nobody)
    said = merge_clips(grey, read_clips(grey)).as_dict()
    told = {name: said[f"joints_{name}"] for name in ("manual", "automatic", "none", "deleted_by_hand")}
    assert told == {"manual": 0, "automatic": 32, "none": 16, "deleted_by_hand": 16}


def test_a_merge_on_disk_counts_and_compares(grey: Workspace) -> None:
    write_poses(grey.pose_file("auto", KEY), table("net", JointSource.AUTOMATIC, shift=8, frames=(0, 1, 2)))
    hand = table("anna", JointSource.MANUAL, frames=(1,))
    hand.keypoints[0, 0] += (0, 40)
    write_poses(grey.pose_file("manual/anna", KEY), hand)
    result = CliRunner().invoke(main, ["merge", "--data", str(grey.root), "--json"])
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert (said["clips"], said["frames"], said["joints_manual"], said["joints_automatic"]) == (1, 3, 16, 32)
    assert said["frames_with_a_diver"] == 3
    assert said["machine_against_hand_pckh"] == pytest.approx(15 / 16, abs=1e-4)
    assert said["machine_against_hand_joints"] == 16
    merged = read_poses(grey.pose_file("merged", KEY))
    assert merged.author == ["net", "anna", "net"]
    np.testing.assert_array_equal(merged.keypoints[1], hand.keypoints[0])


@pytest.mark.parametrize("distance", [4, -4])
def test_a_diver_whose_sides_were_exchanged_is_not_taken_for_the_partner(distance: float) -> None:
    """Beside whom they fly so near that the partner's one side is nearer than their own; the other side was deleted."""
    auto = pair(distance=distance)
    swapped = table("anna", JointSource.AUTOMATIC, frames=PAIR_FRAMES)
    swapped.keypoints[:] = swapped.keypoints[:, list(FLIP)]
    middle = [j for j, other in enumerate(FLIP) if j == other]
    swapped.keypoints[:, middle], swapped.visibility[:, middle], swapped.source[:, middle] = np.nan, 0, 0
    right = [j for j, name in enumerate(JOINTS) if name.startswith("right")]
    swapped.keypoints[:, right], swapped.visibility[:, right] = np.nan, 0
    swapped.source[:, right] = JointSource.MANUAL
    (hand,) = number_hands([swapped], auto)
    assert not hand.person.any()


def test_a_hand_that_began_with_the_other_diver_is_merged_with_its_own(grey: Workspace) -> None:
    hand = table("anna", JointSource.MANUAL, np.arange(16) < 8, shift=41)
    write_poses(grey.pose_file("auto", KEY), pair())
    write_poses(grey.pose_file("manual/anna", KEY), hand)
    merge_clips(grey, [c for c in read_clips(grey) if c.key == KEY])
    merged = joints_of(read_poses(grey.pose_file("merged", KEY)))
    np.testing.assert_allclose(merged[0, 0], BASE, atol=1e-4)
    np.testing.assert_allclose(merged[0, 1][:, 0] - BASE[:, 0], np.where(np.arange(16) < 8, 41, 40), atol=1e-4)


def merge_findings(workspace: Workspace) -> list[str]:
    """Rule and message of what `fdpose validate` says of the merge of KEY."""
    clip = next(c for c in read_clips(workspace) if c.key == KEY)
    layers = list(load_layers(workspace, clip))
    rules = [rule for name, rule in RULES.items() if name.startswith(("pose.merge", "pose.hands"))]
    return [f"{f.rule}: {f.message}" for layer in layers for rule in rules for f in rule.check(layer)]


def test_a_pair_whose_annotators_began_with_either_diver_is_merged_rightly_by_the_rules(grey: Workspace) -> None:
    """Anna has the divers the other way round in every other frame, Ben in all, and Cleo corrected one joint only."""
    pairs = {"anna": (0, 2, 4), "ben": PAIR_FRAMES}
    write_poses(grey.pose_file("auto", KEY), pair())
    for name, frames in pairs.items():
        hand = pair(name, JointSource.MANUAL)
        hand.keypoints += 1
        turned = np.where(np.isin(hand.frame, frames), 1 - hand.person, hand.person)
        write_poses(grey.pose_file(f"manual/{name}", KEY), replace(hand, person=turned))
    corrected = table("cleo", JointSource.MANUAL, np.arange(16) == 10, shift=38)
    write_poses(grey.pose_file("manual/cleo", KEY), replace(corrected, time=["2026-02-01T00:00:00+00:00"]))
    merge_clips(grey, read_clips(grey))
    far = "places joints 37 pixels away: 1 joint in 1 frame, first 00000.jpg (right_wrist)"
    assert merge_findings(grey) == [f": manual/{name}: manual/cleo {far}" for name in ("anna", "ben")]
    merged = read_poses(grey.pose_file("merged", KEY))
    assert (merged.keypoints[:, :, 0] - BASE[:, 0]).round().astype(int).tolist() == [
        [38 if (row, joint) == (0, 10) else 1 + 40 * (row % 2) for joint in range(16)] for row in range(12)
    ]


def test_a_deleted_joint_is_merged_as_deleted(grey: Workspace) -> None:
    """Manual and absent: the machine's joint does not come back, and no rule takes the merge for an old one."""
    hand = table("anna", JointSource.MANUAL, np.arange(16) == 3, shift=2)
    hand.source[0, 10] = JointSource.MANUAL
    write_poses(grey.pose_file("auto", KEY), table("net", JointSource.AUTOMATIC, frames=(0, 1, 2)))
    write_poses(grey.pose_file("manual/anna", KEY), hand)
    summary = merge_clips(grey, read_clips(grey))
    merged = read_poses(grey.pose_file("merged", KEY))
    assert merged.visibility[0, 10] == Visibility.ABSENT
    assert np.isnan(merged.keypoints[0, 10]).all()
    assert (summary.joints["manual"], summary.deleted, summary.joints["automatic"]) == (1, 1, 46)
    assert merge_findings(grey) == []
    smoothed = smooth(replace(merged, box=np.full((3, 4), np.nan)))
    np.testing.assert_array_equal(smoothed.keypoints[0, [3, 10]], merged.keypoints[0, [3, 10]])


def test_of_a_frame_with_one_joint_by_hand_that_joint_counts(grey: Workspace) -> None:
    """The head that it is measured in is the machine's; the joints that nobody placed are not counted."""
    hand = table("anna", JointSource.MANUAL, np.arange(16) == 3, shift=30)
    write_poses(grey.pose_file("auto", KEY), table("net", JointSource.AUTOMATIC, frames=(0, 1, 2)))
    write_poses(grey.pose_file("manual/anna", KEY), hand)
    said = merge_clips(grey, read_clips(grey)).as_dict()
    assert (said["machine_against_hand_joints"], said["machine_against_hand_pckh"]) == (1, 0)
    for reference in ("manual/anna", "merged"):
        accuracy = compare(grey, read_clips(grey), reference)
        assert (accuracy.frames, accuracy.pckh, accuracy.by_joint["left_hip"]) == (1, 0, 0)
        assert all(np.isnan(share) for name, share in accuracy.by_joint.items() if name != "left_hip")
        assert np.isnan([accuracy.oks_ap, accuracy.box_found, accuracy.pck_torso]).all()
        result = CliRunner().invoke(main, ["compare", reference, "--data", str(grey.root), "--json"])
        assert json.loads(result.stdout, parse_constant=pytest.fail)["oks_ap"] is None


def test_merge_counts_the_machines_joints_as_compare_does(grey: Workspace) -> None:
    """Joints that were placed; not those that were filled in, nor those of a frame in which nobody is."""
    write_poses(grey.pose_file("auto", KEY), table("net", JointSource.AUTOMATIC, frames=(0, 1, 2)))
    hand = table("anna", JointSource.MANUAL, frames=(0, 1, 2))
    hand.keypoints[0, 0] += (0, 40)
    hand.keypoints[0, 8] = np.nan  # deleted, with half of the head
    hand.source[1, :] = JointSource.INTERPOLATED
    hand.keypoints[2], hand.visibility[2] = np.nan, Visibility.ABSENT
    write_poses(grey.pose_file("manual/anna", KEY), hand)
    said = merge_clips(grey, read_clips(grey)).as_dict()
    assert (said["machine_against_hand_joints"], said["machine_against_hand_pckh"]) == (15, round(14 / 15, 4))
    assert compare(grey, read_clips(grey), "manual/anna").pckh == pytest.approx(14 / 15)


def test_a_damaged_pose_file_is_named_and_the_old_merge_stays(grey: Workspace) -> None:
    auto = grey.pose_file("auto", KEY)
    write_poses(auto, table("net", JointSource.AUTOMATIC))
    merge_clips(grey, read_clips(grey))
    merged = grey.pose_file("merged", KEY)
    before = merged.read_bytes()
    auto.write_bytes(auto.read_bytes()[:100])
    with pytest.raises(PoseError, match="not a pose table"):
        merge_clips(grey, read_clips(grey))
    assert merged.read_bytes() == before
