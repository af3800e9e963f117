"""One layer of poses against another, or against a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from annotate.compare import compare
from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.formats.official import OfficialPose, write_official
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.poses import ClipPoses, JointSource, concatenate, write_poses
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import BASE, KEY, grey_clips, table


@pytest.fixture
def posed(workspace: Workspace) -> Workspace:
    """Three frames: the machine is right in the first, a quarter of a head off in the second, a head in the third."""
    grey_clips(workspace)
    clips = [Clip(KEY, start_frame=0, end_frame=2, n_frames=3, stage_starts=(1, 2), sub_actions=(1, 17, 36))]
    write_clips(workspace.clips_table, [*clips, *[c for c in read_clips(workspace) if c.key != KEY]])
    for layer, source in (("auto", JointSource.AUTOMATIC), ("manual/anna", JointSource.MANUAL)):
        poses = table(layer, source, frames=(0, 1, 2))
        if layer == "auto":
            poses.keypoints[1] += 5
            poses.keypoints[2] += 20
        write_poses(workspace.pose_file(layer, KEY), poses)
    return workspace


def test_a_layer_is_compared_joint_by_joint_and_stage_by_stage(posed: Workspace) -> None:
    accuracy = compare(posed, read_clips(posed), "manual/anna")
    assert accuracy.frames == 3
    assert accuracy.pckh == pytest.approx(2 / 3)
    assert set(accuracy.by_joint.values()) == {2 / 3}
    assert accuracy.by_stage == {"take-off": 1.0, "somersaults": 1.0, "entry": 0.0}
    assert 0 < accuracy.oks_ap < 1


def test_the_interval_is_over_clips_not_over_their_frames(workspace: Workspace) -> None:
    """Four clips, one of them wholly wrong: a resample has none to four of it, mostly one."""
    keys = [ClipKey("meet", n) for n in range(4)]
    write_clips(workspace.clips_table, [Clip(key, n_frames=3) for key in keys])
    accuracy = []
    for wrong in (0, 1):
        for n, key in enumerate(keys):
            poses = table("auto", JointSource.AUTOMATIC, frames=(0, 1, 2))
            poses.keypoints[:] += 20 * (n < wrong)
            write_poses(workspace.pose_file("auto", key), poses)
            write_poses(workspace.pose_file("manual/anna", key), table("anna", JointSource.MANUAL, frames=(0, 1, 2)))
        accuracy.append(compare(workspace, read_clips(workspace), "manual/anna"))
    assert accuracy[0].pckh_interval == (1.0, 1.0)
    assert accuracy[1].pckh == 0.75
    assert accuracy[1].pckh_interval == (0.25, 1.0)


def test_one_clip_has_no_interval(posed: Workspace) -> None:
    assert compare(posed, read_clips(posed), "manual/anna").pckh_interval is None


def test_a_file_is_as_good_a_reference_as_a_layer(posed: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    write_official(path, [OfficialPose.of(f"{KEY}/0000{i}.jpg", BASE) for i in range(3)])
    assert compare(posed, read_clips(posed), path) == compare(posed, read_clips(posed), "manual/anna")


def nobody(author: str, source: JointSource, frame: int) -> ClipPoses:
    """A row without joints: the machine found nobody, or a person deleted every joint."""
    poses = table(author, source, np.zeros(16, bool), frames=(frame,))
    by_hand = source == JointSource.MANUAL
    return replace(poses, source=np.full((1, 16), source if by_hand else JointSource.NONE))


def test_a_pose_where_the_reference_has_nobody_counts_as_wrong_in_a_figure_of_its_own(posed: Workspace) -> None:
    anna = posed.pose_file("manual/anna", KEY)
    hands = table("anna", JointSource.MANUAL, frames=(0, 1))
    write_poses(anna, concatenate([hands, nobody("anna", JointSource.MANUAL, 2)]))
    found = compare(posed, read_clips(posed), "manual/anna")
    assert (found.frames, found.missed, found.nobody, found.false_poses) == (2, 0, 1, 1)
    assert (found.pckh, found.pckh_false_wrong) == (1.0, pytest.approx(2 / 3))
    write_poses(anna, hands)  # frame 2 is not annotated: nothing is known of it
    unknown = compare(posed, read_clips(posed), "manual/anna")
    assert (unknown.nobody, unknown.false_poses, unknown.pckh_false_wrong) == (0, 0, 1.0)
    complete = compare(posed, read_clips(posed), "manual/anna", complete=True)
    assert (complete.nobody, complete.false_poses, complete.pckh_false_wrong) == (1, 1, pytest.approx(2 / 3))


def test_a_diver_of_whom_the_layer_has_nothing_is_missed_and_wrong(posed: Workspace) -> None:
    auto = table("net", JointSource.AUTOMATIC, frames=(0, 1))
    write_poses(posed.pose_file("auto", KEY), concatenate([auto, nobody("net", JointSource.AUTOMATIC, 2)]))
    found = compare(posed, read_clips(posed), "manual/anna")
    assert (found.frames, found.missed, found.pckh, found.pckh_false_wrong) == (3, 1, *[pytest.approx(2 / 3)] * 2)


def test_of_merged_poses_only_what_people_said_is_a_reference(posed: Workspace) -> None:
    hand = table("anna", JointSource.MANUAL, frames=(0,))
    machine = nobody("net", JointSource.AUTOMATIC, 1)  # the machine's word is no reference
    gone = nobody("anna", JointSource.MANUAL, 2)
    write_poses(posed.pose_file("merged", KEY), concatenate([hand, machine, gone]))
    found = compare(posed, read_clips(posed), "merged")
    assert (found.frames, found.nobody, found.false_poses) == (1, 1, 1)


@pytest.mark.parametrize(
    ("reference", "layer", "error", "says"),
    [
        ("manual/kim", "auto", UsageError, "no such file, and no layer of auto, manual/anna"),
        ("auto", "auto", UsageError, "a layer agrees with itself"),
        ("manual/anna", "merged", PoseError, "none of its 1 clips has poses in merged"),
    ],
)
def test_what_can_not_be_compared_is_refused(
    posed: Workspace, reference: str, layer: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        compare(posed, read_clips(posed), reference, layer)


def test_the_command_prints_a_table_or_json(posed: Workspace) -> None:
    at = ["compare", "manual/anna", "--data", str(posed.root)]
    said = CliRunner().invoke(main, at)
    assert said.exit_code == 0, said.output
    assert "PCKh@0.5" in said.stdout and "0 where nobody is" in said.stdout
    assert "somersaults" in said.stdout
    assert json.loads(CliRunner().invoke(main, [*at, "--json"]).stdout)["pckh"] == pytest.approx(2 / 3)
    assert ClipKey("meet", 1) in {c.key for c in read_clips(posed)}
