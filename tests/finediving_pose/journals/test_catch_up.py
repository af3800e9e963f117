"""Whoever reads a layer that a journal is ahead of has what the journal has."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest

from annotate.compare import compare
from annotate.merge import merge_clips
from annotate.review.session import Session
from finediving_pose.formats.export import export
from finediving_pose.inventory import workspace_inventory
from finediving_pose.journals.catch_up import catch_up, is_behind
from finediving_pose.journals.journal import journal_file
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import JointSource, read_poses
from finediving_pose.reviews import reviews_of_clip
from finediving_pose.validate.runner import validate
from finediving_pose.workspace import Workspace
from tests.annotate.conftest import grey  # noqa: F401  (fixture)
from tests.annotate.made_up import KEY
from tests.annotate.review.made_up import Hand, at_work, files, place, placed, with_machine
from tests.command import fdpose
from tests.killing import count_moments, kill_at

_FORK = multiprocessing.get_context("fork")
LAYER = "manual/anna"


def run(work: Callable[..., object], *values: Any) -> int | None:
    """Run in another process; its exit code."""
    child = _FORK.Process(target=Context().run, args=(work, *values))
    child.start()
    child.join()
    return child.exitcode


def work_and_die(workspace: Workspace) -> None:
    """Place a joint, and be killed once that is acknowledged: the layer is written a moment later."""
    session = Session(workspace, "anna", read_clips(workspace))
    Hand(session).does((place(1), placed(3, x=51.25)))
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def killed(grey: Workspace) -> Workspace:  # noqa: F811
    """A data directory whose ``fdpose review`` was killed with a joint in the journal that is not in the layer."""
    assert run(work_and_die, with_machine(grey)) == -signal.SIGKILL
    assert not grey.pose_file(LAYER, KEY).exists()
    assert is_behind(grey, "anna")
    return grey


def has_it(workspace: Workspace) -> bool:
    poses = read_poses(workspace.pose_file(LAYER, KEY))
    return poses.source[0, 3] == JointSource.MANUAL and poses.keypoints[0, 3, 0] == 51.25


def test_a_merge_after_a_kill_has_what_was_acknowledged(killed: Workspace) -> None:
    summary = merge_clips(killed, read_clips(killed))
    merged = read_poses(killed.pose_file("merged", KEY))
    assert merged.source[1, 3] == JointSource.MANUAL
    assert summary.joints["manual"] == 1
    assert [r.frame for r in reviews_of_clip(killed, KEY)] == [1]
    assert not is_behind(killed, "anna")


Reader = Callable[[Workspace, Path], object]
READERS: dict[str, Reader] = {
    "info": lambda data, _: workspace_inventory(data),
    "export": lambda data, out: export(data, read_clips(data), "coco", out / "poses.json"),
    "compare": lambda data, _: compare(data, read_clips(data), LAYER),
    "validate": lambda data, _: validate(data, select=["pose"], jobs=1),
    "suggest": lambda data, _: fdpose("suggest", "2", "--data", data.root, "--device", "cpu"),
    "kinematics": lambda data, _: fdpose("kinematics", "--data", data.root, "--layer", LAYER),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=list(READERS))
def test_every_reader_catches_up(killed: Workspace, tmp_path: Path, reader: Reader) -> None:
    reader(killed, tmp_path)
    assert has_it(killed)


def test_what_review_would_have_written_is_what_is_written(killed: Workspace, tmp_path: Path) -> None:
    copy = Workspace(tmp_path / "copy")
    shutil.copytree(killed.root, copy.root)
    catch_up(killed, "fdpose merge")
    with at_work(copy) as session:
        session.flush()
    assert files(killed) == files(copy)


def test_killed_while_it_catches_up_the_next_one_does(killed: Workspace) -> None:
    def merge() -> object:
        return merge_clips(killed, read_clips(killed))

    whole = count_moments(merge)
    for eighth in range(1, 8):
        shutil.rmtree(killed.poses / "manual", ignore_errors=True)
        (killed.journals / ".anna.written").unlink(missing_ok=True)
        kill_at(merge, whole * eighth // 8)
        merge_clips(killed, read_clips(killed))
        assert has_it(killed)


def test_part_of_a_line_that_a_kill_left_is_passed_over_once(killed: Workspace) -> None:
    with journal_file(killed, "anna").open("ab") as file:
        file.write(b'{"id":"half')
    catch_up(killed, "fdpose merge")
    assert has_it(killed)
    assert not is_behind(killed, "anna")


def work_until(workspace: Workspace, ready: Any, stop: Any) -> None:
    session = Session(workspace, "anna", read_clips(workspace))
    Hand(session).does((place(1), placed(3, x=51.25)))
    ready.set()
    stop.wait()
    session.close()


def test_beside_a_running_review_a_merge_has_the_last_change(grey: Workspace) -> None:  # noqa: F811
    """Its journal is locked; it writes the layer itself, a moment after the change, and that is waited for."""
    ready, stop = _FORK.Event(), _FORK.Event()
    child = _FORK.Process(target=Context().run, args=(work_until, with_machine(grey), ready, stop))
    child.start()
    assert ready.wait(30)
    try:
        assert merge_clips(grey, read_clips(grey)).joints["manual"] == 1
    finally:
        stop.set()
        child.join()


def test_where_nothing_can_be_written_it_says_so_and_reads_what_is_there(
    killed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = open

    def refuse(path: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        if "a" in mode and str(path).endswith(".lock"):
            raise PermissionError(30, "Read-only file system")
        return real(path, mode, *more, **named)

    monkeypatch.setattr("builtins.open", refuse)
    result = fdpose("info", "--json", "--data", killed.root)
    assert "manual/anna lacks what was done last in fdpose review" in result.stderr
    assert "Read-only" in result.stderr
    assert json.loads(result.stdout)["clips_with_poses"] == {"auto": 2}


def test_on_a_full_disk_it_comes_to_an_end(killed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the layer can't be written, or only the note of it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("finediving_pose.journals.layer.write_poses", full)
    result = fdpose("info", "--data", killed.root)
    assert result.exit_code == 0
    assert "No space left on device" in result.stderr
    monkeypatch.undo()
    (killed.journals / ".anna.written").mkdir()
    assert fdpose("info", "--data", killed.root).exit_code == 0
    assert has_it(killed)


def test_a_damaged_journal_is_named_and_what_is_there_is_read(killed: Workspace) -> None:
    path = journal_file(killed, "anna")
    path.write_bytes(path.read_bytes() + b"{}\n")
    result = fdpose("info", "--json", "--data", killed.root)
    assert result.exit_code == 0
    assert "line 3 is damaged" in result.stderr
