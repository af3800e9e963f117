"""``fdpose synth``: killed and gone on with, and what it says when it can't."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from finediving_pose.cli import main
from tests.holding import held_by_another

pytestmark = pytest.mark.slow

ASKED = ("--dives", "2", "--dive-number", "5253b", "--dive-number", "205b")
"""Two events of one dive."""


def synth(out: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["synth", "--out", str(out), *(words or (*ASKED, "--jobs", "1"))])


def line_of(run: Result, code: int) -> str:
    """The one line that a failed command says."""
    assert run.exit_code == code, run.output
    assert run.stdout == ""
    lines = [line for line in run.stderr.splitlines() if not line.startswith("synthesizing: ")]
    assert len(lines) == 1, run.stderr
    return lines[0]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The competition as it is where nobody interrupts."""
    out = tmp_path_factory.mktemp("synth") / "whole"
    run = synth(out, *ASKED, "--jobs", "2")
    assert run.exit_code == 0, run.output
    assert "synthesizing: 2 dives in" in run.stderr
    return out


def one_is_filmed(out: Path) -> bool:
    return any(p.stat().st_size > 20_000 for p in (out / "truth" / "events").glob(".*.jsonl.*.part"))


def one_is_finished(out: Path) -> bool:
    return any((out / "truth" / "events").glob("*.json"))


def all_are_joined(out: Path) -> bool:
    return (out / "labels").is_dir()


def stopped_when(reached: Callable[[Path], bool], out: Path, stop: Callable[[int], None], jobs: int) -> tuple[int, str]:
    """Start the command, stop it as soon as ``out`` is so far; gives its exit code and what it said."""
    words = ["synth", "--out", str(out), *ASKED, "--jobs", str(jobs)]
    run = subprocess.Popen(
        [sys.executable, "-m", "finediving_pose.cli", *words],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while run.poll() is None and not reached(out):
        time.sleep(0.002)
    assert run.poll() is None, "the command was over before it could be stopped"
    stop(run.pid)
    _, said = run.communicate(timeout=30)
    return run.returncode, said


def files_of_finished_events(out: Path) -> list[Path]:
    dives = list((out / "truth" / "events").glob("*.json"))
    return [f for d in dives for f in (d, d.with_suffix(".jsonl"), out / "videos" / f"{d.stem}.mp4")]


def kill_all(pid: int) -> None:
    os.killpg(pid, signal.SIGKILL)


def kill_first(pid: int) -> None:
    """The first process only, whose workers have to notice."""
    os.kill(pid, signal.SIGKILL)


def press_ctrl_c(pid: int) -> None:
    os.killpg(pid, signal.SIGINT)


@pytest.mark.parametrize(
    ("reached", "jobs", "stop"),
    [
        (one_is_filmed, 2, kill_first),
        (one_is_filmed, 2, press_ctrl_c),
        (one_is_finished, 1, kill_all),
        (one_is_finished, 1, press_ctrl_c),
        (all_are_joined, 1, kill_all),
    ],
)
def test_a_stopped_competition_goes_on_to_the_same_bytes(
    whole: Path, tmp_path: Path, reached: Callable[[Path], bool], jobs: int, stop: Callable[[int], None]
) -> None:
    out = tmp_path / "out"
    code, said = stopped_when(reached, out, stop, jobs)
    if stop is press_ctrl_c:
        assert code == 130
        assert said.splitlines()[-1].startswith("fdpose: stopped; what is finished is kept, run the same command again")
        assert "Traceback" not in said
    else:
        assert code == -signal.SIGKILL
    finished = {f: f.stat().st_mtime_ns for f in files_of_finished_events(out)}
    again = synth(out)
    assert again.exit_code == 0, again.output
    assert {f: f.stat().st_mtime_ns for f in finished} == finished, "what was finished is not made again"
    made, expected = contents(out), contents(whole)
    assert sorted(made) == sorted(expected), "nothing is missing, and no part files are left"
    assert [name for name in made if made[name] != expected[name]] == []


def test_a_finished_competition_is_kept(whole: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in (whole / "videos").iterdir()}
    summary = json.loads(synth(whole, *ASKED, "--json").stdout)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert summary["events"] == 2
    assert summary["dives"] == 2
    assert summary["poses"] == len(json.loads((whole / "truth" / "annotations.json").read_text()))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((*ASKED, "--seed", "1"), "holds another competition (seed 0)"),
        (("--dives", "3", *ASKED[2:]), "(dives 2)"),
        (("--dives", "2"), "(dive numbers 5253b, 205b)"),
    ],
)
def test_a_folder_with_another_competition_is_left_alone(whole: Path, words: tuple[str, ...], says: str) -> None:
    before = contents(whole)
    line = line_of(synth(whole, *words), 2)
    assert says in line
    assert "choose another --out" in line
    assert contents(whole) == before


def test_a_competition_of_another_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "competition.json").write_text('{"dives": 4, "seed": 0, "dive_numbers": [], "version": 1}')
    assert "holds another competition (version 1)" in line_of(synth(tmp_path, "--dives", "4"), 2)
    (tmp_path / "competition.json").write_text("{")
    assert "competition.json can't be read" in line_of(synth(tmp_path, "--dives", "4"), 2)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    assert "holds holiday.jpg but no competition.json" in line_of(synth(tmp_path), 2)
    assert [p.name for p in tmp_path.iterdir()] == ["holiday.jpg"]


def test_one_command_fills_a_folder_at_a_time(tmp_path: Path) -> None:
    with held_by_another("fdpose synth", writes=(tmp_path / "competition.json",)) as pid:
        line = line_of(synth(tmp_path), 1)
    assert f"competition.json: fdpose synth is writing it (process {pid} on " in line
    assert line.endswith("; run this command again when that has ended")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--dives", "0"), "0 is not in the range x>=1"),
        (("--seed", "-1"), "-1 is not in the range x>=0"),
        (("--jobs", "0"), "0 is not in the range x>=1"),
    ],
)
def test_a_number_out_of_range_is_bad_usage(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    run = synth(tmp_path / "out", *words)
    assert run.exit_code == 2
    assert says in run.stderr
    assert not (tmp_path / "out").exists()


# -- disks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 300 kB, for this test."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_one_line_and_with_space_it_goes_on(disk: Path, whole: Path) -> None:
    out = disk / "out"
    line = line_of(synth(out), 1)
    assert "No space left on device" in line
    assert str(out) in line
    assert list(out.rglob("*.part")) == []
    subprocess.run(["mount", "-o", "remount,size=40m", str(disk)], check=True)
    assert synth(out).exit_code == 0
    assert contents(out) == contents(whole)


def test_a_read_only_disk_is_one_line(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    line = line_of(synth(disk / "out"), 1)
    assert "can't write here (Read-only file system); choose another --out" in line
    line = line_of(synth(disk), 1)
    assert "can't write here (Read-only file system)" in line
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


def test_a_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "can't write here (Not a directory)" in line_of(synth(tmp_path / "file" / "out"), 1)
