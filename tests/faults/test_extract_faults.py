"""Extraction under kill -9, on a full disk, a read-only one, and with names that try to get out of the directory.

Nothing is lost, nothing is half-written, and there is one clear line.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import BusyError
from finediving_pose.extraction.clips_table import add_clips
from finediving_pose.extraction.run import extract_frames, extract_videos
from finediving_pose.frames import digest_jpegs, is_complete, open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace
from tests.holding import held_by_another
from tests.killing import count_moments, kill_at
from tests.media import painted_number, write_pictures, write_video

pytestmark = pytest.mark.slow

RANGES = {"men": [(0, 5), (4, 9), (20, 24)], "women": [(0, 3), (15, 29)]}
CLIPS = [
    Clip(ClipKey(video, i), start_frame=a, end_frame=b)
    for video, ranges in RANGES.items()
    for i, (a, b) in enumerate(ranges, start=1)
]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for name in RANGES:
        write_video(folder / f"{name}.mp4", 30, codec_options={"bf": "3", "g": "10"})
    table = [f"{c.key.video},{c.key.index},{c.start_frame},{c.end_frame}" for c in CLIPS]
    (folder / "ranges.csv").write_text("\n".join(["video,index,start_frame,end_frame", *table]) + "\n")
    return folder


def fdpose(workspace: Workspace, *words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words), "--data", str(workspace.root)])


def check(workspace: Workspace) -> int:
    """Every folder that counts as complete is: the right frames, whole, in order. Returns how many there are."""
    complete = [c for c in CLIPS if is_complete(workspace, c.key)]
    for clip in complete:
        frames = open_frames(workspace, clip.key)
        assert frames.numbers == tuple(clip.frame_range or ())
        assert [painted_number(frames.read(n)) for n in frames.numbers] == list(frames.numbers)
        assert digest_jpegs(frames.jpeg(n) for n in frames.numbers) == frames.digest
        assert len(list(frames.folder.iterdir())) == len(frames.numbers) + 1
    return len(complete)


def leftovers(folder: Path) -> list[Path]:
    return [p for p in folder.rglob(".*") if p.name.endswith((".part", ".old"))]


# -- kill -9 --------------------------------------------------------------------------------------------------------


def _killed_everywhere(workspace: Workspace, work: Callable[[], object], kills: int) -> int:
    """Kill at random moments, each run going on from what the one before left; then run to the end: clips made."""
    total, chance = count_moments(work), random.Random(0)
    for _ in range(kills):
        kill_at(work, chance.randrange(1, total))
        check(workspace)
    work()
    assert leftovers(workspace.frames) == []
    assert [c.n_frames for c in read_clips(workspace)] == [len(c.frame_range or ()) for c in CLIPS]
    return check(workspace)


def test_kills_at_random_moments_of_cutting_videos(workspace: Workspace, videos: Path) -> None:
    made = _killed_everywhere(workspace, lambda: extract_videos(workspace, videos, CLIPS, jobs=1, force=True), 20)
    assert made == len(CLIPS)


def test_kills_at_random_moments_of_taking_in_frames(workspace: Workspace, tmp_path: Path) -> None:
    for name in RANGES:
        write_pictures(tmp_path / "in" / name, range(30))
    before = {p: p.read_bytes() for p in (tmp_path / "in").rglob("*.jpg")}
    made = _killed_everywhere(workspace, lambda: extract_frames(workspace, tmp_path / "in", CLIPS, True, jobs=1), 12)
    assert made == len(CLIPS)
    assert {p: p.read_bytes() for p in (tmp_path / "in").rglob("*.jpg")} == before


def test_what_was_finished_before_a_kill_is_not_made_again(workspace: Workspace, videos: Path) -> None:
    def work() -> None:
        extract_videos(workspace, videos, CLIPS, jobs=1)

    kill_at(work, count_moments(lambda: extract_videos(Workspace(workspace.root / "x"), videos, CLIPS, jobs=1)) // 2)
    made = {c.key: workspace.frame_folder(c.key).stat().st_ino for c in CLIPS if is_complete(workspace, c.key)}
    assert 0 < len(made) < len(CLIPS)
    result = extract_videos(workspace, videos, CLIPS, jobs=1)
    assert sorted(result.kept) == sorted(made)
    assert {key: workspace.frame_folder(key).stat().st_ino for key in made} == made
    assert check(workspace) == len(CLIPS)


@pytest.mark.parametrize("seconds", [0.6, 0.8, 1.0, 1.2])
def test_the_whole_command_killed_with_its_workers_goes_on(workspace: Workspace, videos: Path, seconds: float) -> None:
    words = ["extract", "--videos", str(videos), "--labels", str(videos / "ranges.csv"), "--jobs", "2"]
    run = subprocess.Popen(
        [sys.executable, "-m", "finediving_pose.cli", *words, "--data", str(workspace.root)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    check(workspace)
    again = fdpose(workspace, *words[:-1], "1")
    assert again.exit_code == 0, again.output
    assert check(workspace) == len(CLIPS)
    assert leftovers(workspace.frames) == []


def test_what_a_kill_left_of_the_table_is_cleared_away_by_who_may_write_it(workspace: Workspace) -> None:
    add_clips(workspace, CLIPS)
    part = workspace.root / ".clips.parquet.killed.part"
    part.touch()
    with held_by_another("fdpose extract", writes=(workspace.clips_table,)), pytest.raises(BusyError):
        add_clips(workspace, CLIPS)
    assert part.exists()
    add_clips(workspace, CLIPS)
    assert not part.exists()
    assert len(read_clips(workspace)) == len(CLIPS)


def test_a_worker_killed_in_mid_run_costs_a_retry(workspace: Workspace, tmp_path: Path) -> None:
    for i in range(4):
        write_video(tmp_path / "videos" / f"v{i}.mp4", 200, codec_options={"preset": "ultrafast"})
    clips = [Clip(ClipKey(f"v{i}", j), start_frame=40 * j, end_frame=40 * j + 39) for i in range(4) for j in range(5)]
    killed: list[int] = []

    def kill_one() -> None:
        while not killed:
            busy = list(workspace.frames.rglob(".*.part")) if workspace.frames.is_dir() else []
            workers = multiprocessing.active_children()
            if busy and workers and workers[0].pid:
                os.kill(workers[0].pid, signal.SIGKILL)
                killed.append(workers[0].pid)
            time.sleep(0.002)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    result = extract_videos(workspace, tmp_path / "videos", clips, jobs=2)
    killer.join(5)
    assert killed
    assert result.failed == {}
    assert sorted(result.made) == sorted(c.key for c in clips)
    assert all(len(open_frames(workspace, c.key).numbers) == 40 for c in clips)
    assert leftovers(workspace.root) == []


# -- disks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 600 kB, for this test."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def one_line(run: Result) -> str:
    assert run.exit_code == 1, run.output
    lines = [line for line in run.stderr.splitlines() if not line.startswith("extracting: ")]
    assert len(lines) == 1, run.stderr
    return lines[0]


@pytest.mark.parametrize("jobs", [1, 4])
def test_a_full_disk_is_one_line_and_what_was_finished_stays(disk: Path, videos: Path, jobs: int) -> None:
    workspace = Workspace(disk / "data")
    words = ["extract", "--videos", videos, "--labels", videos / "ranges.csv", "--jobs", jobs]
    assert fdpose(workspace, *words, "--clip", "men/3").exit_code == 0
    filler = disk / "filler"
    space = os.statvfs(disk)
    filler.write_bytes(bytes(space.f_bavail * space.f_frsize - 40_000))
    run = fdpose(workspace, *words, "--clip", "men")
    line = one_line(run)  # of a clip's folder, or of the table where the frames took the last space
    assert "No space left on device" in line
    assert "can't write here" in line or "writing failed" in line
    assert 0 <= check(workspace) < 3
    assert leftovers(workspace.root) == []
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
    assert fdpose(workspace, *words, "--clip", "men").exit_code == 0
    assert check(workspace) == 3


def test_a_read_only_disk_is_one_line(disk: Path, videos: Path) -> None:
    workspace = Workspace(disk / "data")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    run = fdpose(workspace, "extract", "--videos", videos, "--labels", videos / "ranges.csv", "--jobs", 1)
    assert "can't write here (Read-only file system); free the space or write elsewhere" in one_line(run)
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert list(disk.iterdir()) == []


def test_a_file_in_the_way_of_the_frames_is_one_line(workspace: Workspace, videos: Path) -> None:
    workspace.root.mkdir()
    workspace.frames.write_text("mine")
    run = fdpose(workspace, "extract", "--videos", videos, "--labels", videos / "ranges.csv", "--clip", "men/1")
    assert "can't write here (Not a directory)" in one_line(run)
    assert workspace.frames.read_text() == "mine"


# -- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../evil", "..", "/evil", "a/b", "a\\b", ".hidden", "a\x00b", "x" * 300])
def test_a_name_that_leaves_the_directory_is_refused(workspace: Workspace, tmp_path: Path, name: str) -> None:
    write_video(tmp_path / "videos" / "men.mp4", 5)
    (tmp_path / "ranges.csv").write_text(f"video,index,start_frame,end_frame\nmen,1,0,2\n{name},1,0,2\n")
    before = sorted(tmp_path.rglob("*"))
    run = fdpose(workspace, "extract", "--videos", tmp_path / "videos", "--labels", tmp_path / "ranges.csv")
    assert "can't be a folder name" in one_line(run)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["a:b__1.mp4", " __1.mp4", "..__1.mp4"])
def test_a_video_of_a_dive_with_an_unsafe_name_is_refused(workspace: Workspace, tmp_path: Path, name: str) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / name).write_bytes(write_video(tmp_path / "men.mp4", 5).read_bytes())
    (tmp_path / "ranges.csv").write_text("video,index,start_frame,end_frame\nmen,1,0,2\n")
    before = sorted(tmp_path.rglob("*"))
    run = fdpose(workspace, "extract", "--videos", tmp_path / "videos", "--labels", tmp_path / "ranges.csv")
    one_line(run)
    assert {p for p in tmp_path.rglob("*") if workspace.root not in (p, *p.parents)} == set(before)
    assert not workspace.frames.exists()
