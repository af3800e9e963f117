"""One function over many items: nothing is lost, one bad item stops nobody."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from finediving_pose.errors import FdposeError, FrameError, SetupError
from finediving_pose.parallel import map_clips
from tests.dask_processes import start_scheduler, start_worker

pytestmark = pytest.mark.slow


def halve(number: int) -> int:
    if number % 2:
        raise FrameError(f"{number} is odd")
    return number // 2


def divide(number: int) -> float:
    return 1 / number


def die(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_once(mark: Path) -> str:
    """Kill this process at the first call for the mark named 2."""
    if mark.name == "2" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return mark.name


def wait_long(number: int) -> int:
    """Longer than a test may take, except for 0."""
    time.sleep(600 if number else 0)
    return number


def meet(folder: Path, people: int, number: int) -> int:
    """Wait until so many are here at once, for 20 seconds at most; the first one of all does not wait."""
    here, met = folder / f"here-{number}", folder / "met"
    here.touch()
    for _ in range(0 if number == 1 else 2000):
        if met.exists() or len(list(folder.glob("here-*"))) >= people:
            met.touch()
            break
        time.sleep(0.01)
    here.unlink()
    return number


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_item_has_one_result_and_errors_are_results(jobs: int) -> None:
    results = dict(map_clips(halve, range(7), jobs))
    assert {k: v for k, v in results.items() if not isinstance(v, FdposeError)} == {0: 0, 2: 1, 4: 2, 6: 3}
    assert {k: str(v) for k, v in results.items() if isinstance(v, FrameError)} == {k: f"{k} is odd" for k in (1, 3, 5)}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bug_is_not_hidden(jobs: int) -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_clips(divide, [2, 1, 0], jobs))


def test_no_items_are_no_results() -> None:
    assert list(map_clips(halve, [], 4)) == []


def test_an_item_that_kills_its_workers_is_its_own_error_and_nobody_elses() -> None:
    results = dict(map_clips(die, range(6), 2))
    assert {k: v for k, v in results.items() if k != 2} == {k: k for k in (0, 1, 3, 4, 5)}
    assert isinstance(results[2], FdposeError)
    assert re.search(r"2: its worker process was killed twice.*fewer than --jobs 2", str(results[2]))


def test_a_worker_killed_once_costs_a_retry(tmp_path: Path) -> None:
    marks = [tmp_path / str(i) for i in range(5)]
    results = dict(map_clips(die_once, marks, 2))
    assert results == {m: m.name for m in marks}


def test_leaving_the_loop_leaves_no_worker_behind() -> None:
    results = map_clips(wait_long, [0, 1, 2, 3], 2)
    assert next(results) == (0, 0)
    results.close()  # type: ignore[attr-defined]
    for worker in multiprocessing.active_children():
        worker.join()
    assert not multiprocessing.active_children()


_INTERRUPTED = """
import time
from finediving_pose.parallel import map_clips
from tests.dask_processes import start_scheduler, start_worker
if __name__ == "__main__":
    try:
        for item, _ in map_clips(time.sleep, [0, 600, 600, 600], 2):
            print("ready", flush=True)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


def test_an_interrupt_stops_the_workers_at_once_and_without_noise(tmp_path: Path) -> None:
    """Ctrl-C reaches the whole process group, as in a terminal."""
    script = tmp_path / "interrupted.py"
    script.write_text(_INTERRUPTED)
    run = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "ready\n"
    os.killpg(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=200)
    assert (out, run.returncode) == ("stopped\n", 0)
    assert "Traceback" not in err


_INTERRUPTED_WITH_A_LOCK = """
import concurrent.futures._base as base, signal, threading, time
from finediving_pose.parallel import map_clips
from tests.dask_processes import start_scheduler, start_worker

real = base._AcquireFutures.__enter__

def enter(self):
    real(self)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
    try:
        for item, _ in map_clips(time.sleep, [0, 600, 600, 600], 2):
            base._AcquireFutures.__enter__ = enter
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


def test_an_interrupt_that_comes_while_futures_are_locked_leaves_no_lock_behind(tmp_path: Path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(_INTERRUPTED_WITH_A_LOCK)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=200, env=env)
    assert (run.stdout, run.returncode) == ("stopped\n", 0), run.stderr


_ORPHANED = """
import multiprocessing, time
from finediving_pose.parallel import map_clips
from tests.dask_processes import start_scheduler, start_worker

if __name__ == "__main__":
    for item, _ in map_clips(time.sleep, [0, 600, 600, 600], 2):
        print(*(worker.pid for worker in multiprocessing.active_children()), flush=True)
"""


def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "orphaned.py"
    script.write_text(_ORPHANED)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=env)
    assert run.stdout is not None
    workers = [int(pid) for pid in run.stdout.readline().split()]
    assert len(workers) == 2
    assert all(is_running(pid) for pid in workers)
    run.kill()
    run.wait()
    while any(is_running(pid) for pid in workers):
        time.sleep(0.02)
    run.stdout.close()


def is_running(pid: int) -> bool:
    """Whether there is such a process, one that has ended and that nobody asked for its end not counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_workers_can_take_paths(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    assert dict(map_clips(os.path.getsize, [tmp_path / "a"], 1)) == {tmp_path / "a": 1}


# -- on a cluster ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'fdpose[scale]'")
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as running:
        yield running.scheduler_address


def test_a_cluster_gives_what_local_processes_give(cluster: str) -> None:
    results = dict(map_clips(halve, range(20), scheduler=cluster))
    assert {k: v for k, v in results.items() if not isinstance(v, FdposeError)} == {k: k // 2 for k in range(0, 20, 2)}
    assert {k: str(v) for k, v in results.items() if isinstance(v, FrameError)} == {
        k: f"{k} is odd" for k in range(1, 20, 2)
    }
    with pytest.raises(ZeroDivisionError):
        list(map_clips(divide, [0], scheduler=cluster))


def test_a_cluster_tries_again_what_a_killed_worker_had(cluster: str, tmp_path: Path) -> None:
    marks = [tmp_path / str(i) for i in range(5)]
    assert dict(map_clips(die_once, marks, scheduler=cluster)) == {m: m.name for m in marks}


def test_a_cluster_that_grows_gets_more_work(tmp_path: Path) -> None:
    """It starts with one thread; after the first result come eleven more, and each has something to do."""
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'fdpose[scale]'")
    how = {"processes": False, "dashboard_address": None, "silence_logs": 50}
    with distributed.LocalCluster(1, threads_per_worker=1, **how) as running:
        results = map_clips(partial(meet, tmp_path, 12), range(1, 40), scheduler=running.scheduler_address)
        first, *_ = next(results)
        running.scale(12)
        assert {first, *(item for item, _ in results)} == set(range(1, 40))
    assert (tmp_path / "met").is_file(), "twelve were at work at once"


def test_no_scheduler_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("finediving_pose.parallel.SECONDS_TO_CONNECT", 1)
    with pytest.raises(SetupError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9; start one with"):
        list(map_clips(halve, [2], scheduler="tcp://127.0.0.1:9"))


def test_a_scheduler_that_dies_is_told_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: pip install 'fdpose[scale]'")
    scheduler, address = start_scheduler(tmp_path)
    worker = start_worker(address, tmp_path)
    try:
        with pytest.raises(FdposeError, match=rf"scheduler at {address} ended or can't be reached any more; what is f"):
            for _ in map_clips(wait_long, [0, 1, 1], scheduler=address):
                capfd.readouterr()
                scheduler.kill()
                killed = time.monotonic()
        assert time.monotonic() - killed < 60
        assert "Traceback" not in capfd.readouterr().err
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.communicate()
