"""A second writer is told who is writing; a lock goes when its process dies, and leaves nothing behind."""

from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import platform
import re
import signal
import subprocess
import sys
import threading
import time
from contextvars import Context
from pathlib import Path

import pytest

from finediving_pose.errors import BusyError, FdposeError
from finediving_pose.writing import writing
from tests.holding import held_by_another

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "poses" / "merged"


def refused(command: str, *, writes: tuple[Path, ...] = (), reads: tuple[Path, ...] = ()) -> str:
    """What the second one is told; the test fails where it is let in."""
    with pytest.raises(BusyError) as e, writing(command, writes, reads):
        pass
    return str(e.value)


def test_a_second_writer_is_told_who_where_and_since_when(path: Path) -> None:
    with held_by_another("fdpose merge", writes=(path,)) as pid:
        said = refused("fdpose merge", writes=(path,))
    where = rf"process {pid} on {re.escape(platform.node())}"
    who = rf"fdpose merge is writing it \({where}, since 20\d\d-\d\d-\d\d [\d:]+ UTC\)"
    assert re.fullmatch(rf"{re.escape(str(path))}: {who}; run this command again when that has ended", said)


def test_readers_share_and_keep_writers_out(path: Path) -> None:
    path.mkdir(parents=True)
    with held_by_another("fdpose pack", reads=(path,)), writing("fdpose validate", reads=[path]):
        assert "fdpose validate is reading it" in refused_in_a_thread("fdpose merge", path)
    with held_by_another("fdpose merge", writes=(path,)):
        assert "fdpose merge is writing it" in refused("fdpose pack", reads=(path,))


def refused_in_a_thread(command: str, path: Path) -> str:
    """A thread is another writer."""
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(refused(command, writes=(path,))))
    thread.start()
    thread.join()
    return said[0]


def test_a_reader_that_has_ended_is_not_named(path: Path) -> None:
    path.mkdir(parents=True)
    with held_by_another("fdpose pack", reads=(path,)) as pid:
        with held_by_another("fdpose validate", reads=(path,)):
            pass
        assert f"fdpose pack is reading it (process {pid}" in refused("fdpose merge", writes=(path,))


def test_other_paths_are_free(path: Path) -> None:
    anna, bob = path.with_name("anna"), path.with_name("bob")
    with held_by_another("fdpose import", writes=(anna,)), writing("fdpose import", [bob]):
        locks = {p.name for p in path.parent.iterdir()}
    assert locks == {".anna.lock", ".bob.lock"}


def test_an_inner_block_has_what_the_outer_one_holds(path: Path) -> None:
    with writing("fdpose extract", [path]):
        with writing("fdpose extract", [path]):
            pass
        with writing("fdpose extract", reads=[path]):
            pass
        assert "is writing it" in refused_in_a_thread("fdpose extract", path)
    with writing("fdpose extract", [path]):
        pass


def test_nothing_is_left_behind(path: Path) -> None:
    with writing("fdpose merge", [path]):
        assert [p.name for p in path.parent.iterdir()] == [".merged.lock"]
    assert not path.parent.exists()
    path.mkdir(parents=True)
    with writing("fdpose merge", [path], [path.with_name("auto")]):
        assert {p.name for p in path.parent.iterdir()} == {".auto.lock", ".merged.lock", "merged"}
    assert [p.name for p in path.parent.iterdir()] == ["merged"]


def test_the_last_of_several_readers_removes_the_file(path: Path) -> None:
    path.mkdir(parents=True)
    with held_by_another("fdpose pack", reads=(path,)):
        with writing("fdpose validate", reads=[path]):
            pass
        assert path.with_name(".merged.lock").exists()
        assert "fdpose pack is reading it" in refused("fdpose merge", writes=(path,))
    assert not path.with_name(".merged.lock").exists()


def test_what_is_refused_holds_nothing(path: Path) -> None:
    other = path.with_name("auto")
    with held_by_another("fdpose merge", writes=(path,)):
        refused("fdpose pack", writes=(other,), reads=(path,))
        with held_by_another("fdpose annotate --auto", writes=(other,)) as pid:
            assert f"process {pid}" in refused("fdpose pack", writes=(other,))


def _hold_and_die(path: Path) -> None:
    with writing("fdpose merge", [path]):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_writer_holds_nothing(path: Path) -> None:
    child = FORK.Process(target=Context().run, args=(_hold_and_die, path))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert path.with_name(".merged.lock").exists()
    with writing("fdpose merge", [path]):
        assert path.with_name(".merged.lock").exists()
    assert not path.with_name(".merged.lock").exists()


def _hold_with_a_child(path: Path, send) -> None:
    with writing("fdpose merge", [path]):
        FORK.Process(target=_work, args=(send,)).start()
        time.sleep(600)


def _work(send) -> None:
    send.send(os.getpid())
    time.sleep(600)


def test_children_of_a_killed_writer_hold_nothing(path: Path) -> None:
    receive, send = FORK.Pipe(duplex=False)
    parent = FORK.Process(target=Context().run, args=(_hold_with_a_child, path, send))
    parent.start()
    worker = receive.recv()
    os.kill(parent.pid or 0, signal.SIGKILL)
    parent.join()
    try:
        os.kill(worker, 0)
        with writing("fdpose merge", [path]):
            locks = [p.name for p in path.parent.iterdir()]
        assert locks == [".merged.lock"]
    finally:
        os.kill(worker, signal.SIGKILL)


def test_a_patient_writer_waits_and_says_for_whom(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with held_by_another("fdpose import", writes=(path,)) as pid:
        with pytest.raises(BusyError), writing("fdpose import", [path], patience=0.2):
            pass
        entered = threading.Event()

        def wait() -> None:
            with writing("fdpose import", [path], patience=60):
                entered.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not entered.wait(0.2)
    assert entered.wait(60)
    waiting.join()
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2  # one line each, however long they wait
    assert f"waiting: {path}: fdpose import is writing it (process {pid}" in told[0]


def _count(path: Path, counter: Path, times: int) -> None:
    for _ in range(times):
        with writing("fdpose import", [path], patience=60):
            counter.write_text(str(int(counter.read_text()) + 1))


def test_many_writers_take_turns(path: Path, tmp_path: Path) -> None:
    """Lock files come and go meanwhile, and no two of them are held at once."""
    counter = tmp_path / "counter"
    counter.write_text("0")
    children = [FORK.Process(target=Context().run, args=(_count, path, counter, 20)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [c.exitcode for c in children] == [0] * 4
    assert counter.read_text() == "80"
    assert not path.with_name(".merged.lock").exists()


def test_a_file_system_without_locks_is_told_and_the_work_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    done = []
    for _ in range(2):
        with writing("fdpose merge", [path]):
            done.append(1)
    assert done == [1, 1]
    told = capsys.readouterr().err.splitlines()
    assert told == [
        f"{path.parent}: its file system has no locks (No locks available); let no other fdpose command write here"
        " meanwhile"
    ]
    assert not path.with_name(".merged.lock").exists()


_READ_THEN_WRITE = """
import sys
from pathlib import Path
from finediving_pose.errors import FdposeError
from finediving_pose.writing import writing

path = Path(sys.argv[1])
with writing("fdpose pack", reads=[path]):
    print("reading")
try:
    with writing("fdpose merge", [path]):
        print("writing")
except FdposeError as e:
    print(e)
"""


def test_a_folder_that_is_read_only_can_be_read(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o555)
    as_anybody = [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override"]  # root may write everywhere
    command = [*as_anybody, sys.executable, "-c", _READ_THEN_WRITE, str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == ["reading", f"{path}: can't write here (Permission denied); free the space or write elsewhere"]


def test_a_folder_that_can_not_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "x"
    with pytest.raises(FdposeError, match=r"x: can't write here \(.*\); free the"), writing("fdpose merge", [path]):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_on_a_full_disk_a_lock_is_held_and_let_go_of_without_its_note(tmp_path: Path) -> None:
    (tmp_path / ".x.lock").symlink_to("/dev/full")
    with writing("fdpose export", reads=[tmp_path / "x"]):
        pass
    assert not list(tmp_path.iterdir())
