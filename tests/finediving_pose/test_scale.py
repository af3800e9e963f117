"""One function over many items: nothing is lost, one bad item stops nobody."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from finediving_pose.errors import FdposeError, FrameError
from finediving_pose.scale import map_clips


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


def wait_long(number: int) -> int:
    time.sleep(60 if number else 0)
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


def test_a_killed_worker_is_told_in_words() -> None:
    with pytest.raises(FdposeError, match=r"worker process was killed.*fewer than --jobs 2"):
        list(map_clips(die, range(4), 2))


def test_leaving_the_loop_leaves_no_worker_behind() -> None:
    start = time.monotonic()
    results = map_clips(wait_long, [0, 1, 2, 3], 2)
    assert next(results) == (0, 0)
    results.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 10
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not multiprocessing.active_children()
    assert time.monotonic() - start < 30


_INTERRUPTED = """
import time
from finediving_pose.scale import map_clips
if __name__ == "__main__":
    try:
        for item, _ in map_clips(time.sleep, [0, 60, 60, 60], 2):
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
    out, err = run.communicate(timeout=20)
    assert (out, run.returncode) == ("stopped\n", 0)
    assert "Traceback" not in err


def test_workers_can_take_paths(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    assert dict(map_clips(os.path.getsize, [tmp_path / "a"], 1)) == {tmp_path / "a": 1}
