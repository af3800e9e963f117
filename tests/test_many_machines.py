"""Commands on a cluster whose parts come and go: nothing is lost, and the bytes are those of one process."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simplejpeg import encode_jpeg

from annotate.merge import merge_clips
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError
from finediving_pose.extraction.run import extract_frames
from finediving_pose.kinematics.run import measure_clips
from finediving_pose.labels.table import read_clips
from finediving_pose.packed.verify import verify_packed
from finediving_pose.poses import write_poses
from finediving_pose.workspace import Workspace
from tests.baselines.small_runs import pack_made_up
from tests.command import fdpose
from tests.dask_processes import start_scheduler, start_worker
from tests.finediving_pose.packed.made_up import random_poses

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'fdpose[scale]'")
pytestmark = pytest.mark.slow


def contents(folder: Path) -> dict[str, str]:
    """Digest of every file, by its path."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[str]:
    scheduler, address = start_scheduler(folder)
    running = [scheduler, *(start_worker(address, folder) for _ in range(workers))]
    try:
        yield address
    finally:
        for process in running:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Twelve packed dives with poses of a machine, and of a person where the key is even."""
    made = pack_made_up(Workspace(tmp_path_factory.mktemp("data")))
    for n, clip in enumerate(read_clips(made)):
        frames = [int(p.stem) for p in sorted(made.frame_folder(clip.key).glob("*.jpg"))]
        write_poses(made.pose_file("auto", clip.key), random_poses(frames, [0] * len(frames), n, (1,)))
        if n % 2 == 0:
            hand = random_poses(frames[::3], [0] * len(frames[::3]), 100 + n, (2,))
            write_poses(made.pose_file("manual/anna", clip.key), hand)
    return made


def merged(data: Workspace, **where: Any) -> Any:
    return merge_clips(data, read_clips(data), **where).as_dict(), contents(data.poses / "merged")


def measured(data: Workspace, **where: Any) -> Any:
    done = measure_clips(data, read_clips(data), data.root / "out", **where)
    return done.as_dict(), contents(data.root / "out")


def verified(data: Workspace, **where: Any) -> Any:
    return verify_packed(data.packed, **where)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cluster(tmp_path_factory.mktemp("dask")) as address:
        yield address


@pytest.mark.parametrize("work", [merged, measured, verified])
def test_processes_and_clusters_give_what_one_process_gives(
    data: Workspace, running: str, work: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finediving_pose.packed.verify.CLIPS_AT_ONCE", 5)
    alone = work(data, jobs=1)
    assert work(data, jobs=2) == alone
    assert work(data, scheduler=running) == alone


def test_damage_is_found_by_any_number_of_processes(
    data: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finediving_pose.packed.verify.CLIPS_AT_ONCE", 5)
    content = bytearray(data.packed.read_bytes())
    for at in (content.index(b"\xff\xd8\xff"), content.rindex(b"\xff\xd8\xff")):
        content[at + 30] ^= 0xFF
    (tmp_path / "damaged.h5").write_bytes(content)
    alone = verify_packed(tmp_path / "damaged.h5", jobs=1)
    assert len(alone.damaged) == 2
    assert verify_packed(tmp_path / "damaged.h5", jobs=2) == alone
    assert list(verify_packed(tmp_path / "damaged.h5", jobs=2).damaged) == list(alone.damaged), "in the file's order"


def test_one_damaged_pose_file_does_not_keep_the_others_from_their_merge(data: Workspace, tmp_path: Path) -> None:

    copy = Workspace(Path(shutil.copytree(data.root, tmp_path / "copy")))
    shutil.rmtree(copy.poses / "merged")
    clips = read_clips(copy)
    for clip in clips[:2]:
        copy.pose_file("auto", clip.key).write_bytes(b"PAR1")
    result = fdpose("merge", "--data", copy.root, "--jobs", 2)
    assert result.exit_code == 1
    assert "and 1 more clips can't be merged" in result.stderr and "Traceback" not in result.output
    assert len(list((copy.poses / "merged").rglob("*.parquet"))) == len(clips) - 2


@pytest.mark.parametrize("command", [("merge",), ("verify",), ("kinematics",)])
def test_jobs_and_a_scheduler_exclude_each_other(data: Workspace, command: tuple[str, ...]) -> None:
    result = fdpose(*command, "--data", data.root, "--jobs", 2, "--scheduler", "tcp://127.0.0.1:9")
    assert result.exit_code == 2
    assert "give only one" in result.stderr


CLIPS = 150


def pictures(folder: Path) -> Path:

    for clip in range(CLIPS):
        place = folder / "v" / str(clip)
        place.mkdir(parents=True)
        for frame in range(3):
            picture = np.full((64, 64, 3), (clip + 40 * frame) % 256, np.uint8)
            (place / f"{frame:05}.jpg").write_bytes(encode_jpeg(picture))
    return folder


def when(done: Callable[[], int], count: int, act: Callable[[], None]) -> threading.Thread:
    """Act as soon as so many are done."""

    def wait() -> None:
        while done() < count:
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


class Extraction:
    """Frames taken in from a folder; what is finished is kept."""

    FILE = "v/*/clip.json"

    def __init__(self, source: Path, root: Path) -> None:
        self.source, self.data = source if source.exists() else pictures(source), Workspace(root)

    def run(self, **where: Any) -> None:
        result = extract_frames(self.data, self.source, **where)
        assert len(result.kept) + len(result.made) == CLIPS and not result.failed

    def made(self) -> Path:
        return self.data.frames


class Merge:
    """Poses of a machine merged."""

    FILE = "v/*.parquet"

    def __init__(self, source: Path, root: Path) -> None:
        self.data = Workspace(root)
        self.clips = [Clip(ClipKey("v", n)) for n in range(CLIPS)]
        for clip in self.clips:
            write_poses(self.data.pose_file("auto", clip.key), random_poses([0, 1, 2], [0, 0, 0], clip.key.index, (1,)))

    def run(self, **where: Any) -> None:
        assert merge_clips(self.data, self.clips, **where).clips == CLIPS

    def made(self) -> Path:
        return self.data.poses / "merged"


@pytest.mark.parametrize("kind", [Extraction, Merge])
def test_a_worker_dies_one_comes_late_and_the_scheduler_starts_anew(tmp_path: Path, kind: type[Any]) -> None:
    """The one run ends in a line; the same again finishes what is left, and all is as from one process."""
    alone, work = kind(tmp_path / "source", tmp_path / "alone"), kind(tmp_path / "source", tmp_path / "data")
    alone.run(jobs=1)
    expected = contents(alone.made())

    def done() -> int:
        return len(list(work.made().glob(kind.FILE)))

    scheduler, address = start_scheduler(tmp_path)
    running = [start_worker(address, tmp_path), start_worker(address, tmp_path)]
    try:
        events = [
            when(done, 10, running[0].kill),
            when(done, 15, lambda: running.append(start_worker(address, tmp_path))),
            when(done, 60, scheduler.kill),
        ]
        with pytest.raises(FdposeError, match="run the same command again"):
            work.run(scheduler=address)
        for event in events:
            event.join()
        assert 60 <= done() < CLIPS
        scheduler, again = start_scheduler(tmp_path, int(address.rpartition(":")[2]))
        assert again == address
        running.append(start_worker(address, tmp_path))
        work.run(scheduler=address)
    finally:
        for process in (scheduler, *running):
            process.kill()
            process.wait()
    assert contents(work.made()) == expected and len(expected) >= CLIPS
