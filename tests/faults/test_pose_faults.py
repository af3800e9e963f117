"""Damaged poses, killed writers and full disks: one line that helps, and what was there before is whole."""

from __future__ import annotations

import multiprocessing
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from annotate.merge import merge_clips
from finediving_pose.cli import main
from finediving_pose.clip import ClipKey
from finediving_pose.errors import FdposeError
from finediving_pose.formats.intake import take_in
from finediving_pose.formats.official import OfficialPose, write_official
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import JointSource, read_poses, write_poses
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import BASE, KEY, grey_clips, table
from tests.killing import count_moments, kill_at


def fdpose(workspace: Workspace, *words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words), "--data", str(workspace.root)])


def state(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def posed(workspace: Workspace) -> Workspace:
    """Two clips with automatic poses, hand poses on one of them, and an earlier merge."""
    grey_clips(workspace)
    for index in (0, 1):
        auto = table("net", JointSource.AUTOMATIC, shift=5, frames=(0, 1, 2))
        write_poses(workspace.pose_file("auto", ClipKey("meet", index)), auto)
    merge_clips(workspace, read_clips(workspace))
    write_poses(workspace.pose_file("manual/anna", KEY), table("anna", JointSource.MANUAL, frames=(1,)))
    return workspace


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def text(path: Path) -> None:
    path.write_text("frame,person\n0,0\n")


@pytest.mark.parametrize("layer", ["auto", "manual/anna"])
@pytest.mark.parametrize("damage", [empty, cut_short, text])
def test_a_damaged_pose_file_stops_the_merge_with_its_name(
    posed: Workspace, layer: str, damage: Callable[[Path], None]
) -> None:
    path = posed.pose_file(layer, KEY)
    damage(path)
    before = state(posed.root)
    run = fdpose(posed, "merge")
    assert run.exit_code == 1
    assert run.stderr.splitlines()[-1].startswith(f"fdpose: {path}: not a pose table")
    assert state(posed.root) == before


@pytest.mark.slow
def test_a_kill_anywhere_in_a_merge_leaves_whole_tables_and_the_next_merge_is_complete(posed: Workspace) -> None:
    clips = read_clips(posed)
    moments = count_moments(lambda: merge_clips(posed, clips))
    expected = {c.key: read_poses(posed.pose_file("merged", c.key)) for c in clips}
    for moment in np.linspace(1, 0.9 * moments, 20).astype(int):
        kill_at(lambda: merge_clips(posed, clips), int(moment))
        for key, poses in expected.items():
            np.testing.assert_array_equal(read_poses(posed.pose_file("merged", key)).frame, poses.frame)
    merge_clips(posed, clips)
    assert read_poses(posed.pose_file("merged", KEY)).author == ["net", "anna", "net"]
    assert not list(posed.poses.rglob("*.part"))


def test_a_full_disk_stops_hand_annotations_and_the_earlier_ones_stay(posed: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "more.json"
    write_official(file, [OfficialPose.of("a0.jpg", BASE), OfficialPose.of("a1.jpg", BASE)])
    before = state(posed.root)
    receive, send = multiprocessing.get_context("fork").Pipe(duplex=False)

    def on_a_full_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            take_in(posed, read_clips(posed), [file], "anna")
        except FdposeError as e:
            send.send(str(e))

    child = multiprocessing.get_context("fork").Process(target=on_a_full_disk)
    child.start()
    said = receive.recv()
    child.join()
    assert str(posed.pose_file("manual/anna", KEY)) in said and "what was there before is untouched" in said
    assert state(posed.root) == before


def test_a_damaged_automatic_table_is_told_and_force_mends_it(posed: Workspace) -> None:
    path = posed.pose_file("auto", KEY)
    cut_short(path)
    run = fdpose(posed, "annotate", "--auto")
    assert run.exit_code == 1 and f"{path}: not a pose table" in run.stderr
    assert fdpose(posed, "annotate", "--auto", "--clip", KEY, "--force").exit_code == 0
    assert len(read_poses(path)) == 3
