"""A file is written whole or not at all."""

import os
import signal
import subprocess
import sys

import pytest

from finediving_pose.clip import ClipKey
from finediving_pose.errors import FdposeError
from finediving_pose.workspace import atomic_write, remove_part_files


def test_a_failing_writer_leaves_the_old_file_and_no_part(tmp_path):
    target = tmp_path / "table"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(target) as part:
        part.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table"]


def test_a_finished_writer_replaces_the_file(tmp_path):
    target = tmp_path / "deep" / "table"
    with atomic_write(target) as part:
        part.write_text("new")
    assert target.read_text() == "new"


def test_a_killed_writer_leaves_the_old_file_and_its_part_can_be_removed(tmp_path):
    target = tmp_path / "table"
    target.write_text("old")
    code = (
        "import sys, time, pathlib\nfrom finediving_pose.workspace import atomic_write\n"
        "with atomic_write(pathlib.Path(sys.argv[1])) as p:\n"
        "    p.write_text('half'); print('ready', flush=True); time.sleep(60)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
    remove_part_files(target)
    assert [p.name for p in tmp_path.iterdir()] == ["table"]


def test_a_place_that_can_not_be_written_is_named(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(FdposeError, match="free the space or write elsewhere"), atomic_write(blocker / "table"):
        pass


def test_permissions_follow_the_umask(tmp_path):
    target = tmp_path / "table"
    before = os.umask(0o022)
    try:
        with atomic_write(target) as part:
            part.write_text("x")
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == 0o644


def test_layers_are_those_that_are_there(workspace):
    assert workspace.layers() == []
    for layer in ("merged", "manual/kim", "auto", "manual/anna"):
        workspace.pose_file(layer, ClipKey("v", 1)).parent.mkdir(parents=True)
    assert workspace.layers() == ["auto", "manual/anna", "manual/kim", "merged"]
    assert workspace.manual_layers() == ["manual/anna", "manual/kim"]
