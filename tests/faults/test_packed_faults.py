"""The packed file under kills, full and read-only disks, flipped bytes and two writers: whole, or one clear line."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finediving_pose.cli import main
from finediving_pose.errors import BusyError, FdposeError, PackedError
from finediving_pose.labels.table import read_clips
from finediving_pose.packed import writer
from finediving_pose.packed.card import card_path, croissant_path
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.verify import verify_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import fill
from tests.holding import held_by_another

pytestmark = pytest.mark.slow

FORK = multiprocessing.get_context("fork")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Four clips of two videos. Not to be changed."""
    return fill(Workspace(tmp_path_factory.mktemp("source") / "data"))


@pytest.fixture(scope="module")
def packed(source: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole packed file. Not to be changed."""
    path = tmp_path_factory.mktemp("packed") / "packed.h5"
    write_packed(source, target=path, cache=True)
    return path


def files_in(folder: Path) -> list[str]:
    """Names of the files in a folder, but for the descriptions of packed files, which must be those of files there."""
    files = sorted(folder.iterdir())
    packed = [p for p in files if p.suffix == ".h5"]
    described = {path for p in packed for path in (card_path(p), croissant_path(p))}
    return [p.name for p in files if p not in described]


# -- kill -9 --------------------------------------------------------------------------------------------------------


def test_pack_killed_at_any_time_leaves_the_old_file_or_the_new_one(source: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "packed.h5"
    old = write_packed(source, target=target, clips=read_clips(source)[:2])["digest"]
    old_bytes = target.read_bytes()
    started = time.perf_counter()
    new = write_packed(source, target=tmp_path / "other.h5", cache=True)["digest"]
    takes = time.perf_counter() - started
    moments, left = random.Random(0), []
    while left.count(old) < 20:
        target.write_bytes(old_bytes)
        child = FORK.Process(target=lambda: write_packed(source, target=target, cache=True))
        child.start()
        time.sleep(takes * moments.random())
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        if child.exitcode == -signal.SIGKILL:
            left.append(open_packed(target).digest)
            assert left[-1] in (old, new)
            assert verify_packed(target).whole
    write_packed(source, target=target, cache=True)
    assert files_in(tmp_path) == ["other.h5", "packed.h5"]


# -- the disk -------------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A file system of its own; the test is skipped where none may be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(source: Workspace, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=256k") as disk:
        (disk / "packed.h5").write_bytes(b"old")
        with pytest.raises(PackedError, match=r"needs .* GB, .* GB are free; free the space"):
            write_packed(source, target=disk / "packed.h5", cache=True)
        assert [(p.name, p.read_bytes()) for p in disk.iterdir()] == [("packed.h5", b"old")]


def test_a_disk_that_fills_up_while_packing_keeps_the_old_file(
    source: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_check_space", lambda *_: None)  # the space goes after it was looked at
    with small_disk(tmp_path / "disk", "size=1m") as disk:
        target = disk / "packed.h5"
        old = write_packed(source, target=target)["digest"]
        with pytest.raises(FdposeError, match=r"packed\.h5: writing failed \([^\n]*\); what was there before is unt"):
            write_packed(source, target=target, cache=True)
        assert (verify_packed(target).whole, open_packed(target).digest) == (True, old)
        assert files_in(disk) == ["packed.h5"]


def test_a_read_only_target_is_told_in_one_line(source: Workspace, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "ro") as disk:
        words = ["pack", "--out", str(disk / "packed.h5"), "--data", str(source.root)]
        run = CliRunner().invoke(main, words)
    told = [line for line in run.stderr.splitlines() if line.startswith("fdpose: ")]
    assert run.exit_code == 1
    assert len(told) == 1
    assert "packed.h5: can't write here (Read-only file system)" in told[0]


# -- flipped and missing bytes --------------------------------------------------------------------------------------


def told(path: Path) -> str:
    """What verify has to say of a file; empty where all is well."""
    try:
        found = verify_packed(path)
    except PackedError as e:
        assert "\n" not in str(e)
        return str(e)
    return ", ".join([*found.damaged, *found.parts])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_found(packed: Path, tmp_path: Path, place: float, bit: int) -> None:
    content = bytearray(packed.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(content)
    assert told(damaged)


def small_places(path: Path) -> list[int]:
    """Bytes outside the pictures, which take nearly all of the file."""
    with h5py.File(path, "r") as file:
        large = [file["cache/rgb_112x200"], file["frames/jpeg"]]
        spans = [(d.id.get_offset(), d.id.get_storage_size()) for d in large if isinstance(d, h5py.Dataset)]
    return [i for i in range(path.stat().st_size) if not any(a <= i < a + n for a, n in spans)]


def test_flipped_bits_in_what_is_small_are_found(packed: Path, tmp_path: Path) -> None:
    """Headers, attributes, offsets, labels and poses, and the unused bytes between them."""
    content, damaged, chance = packed.read_bytes(), tmp_path / "damaged.h5", random.Random(1)
    for place in chance.sample(small_places(packed), 150):
        flipped = bytearray(content)
        flipped[place] ^= 1 << chance.randrange(8)
        damaged.write_bytes(flipped)
        assert told(damaged), f"byte {place}"


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.9999])
def test_a_truncated_file_is_told(packed: Path, tmp_path: Path, share: float) -> None:
    damaged = tmp_path / "damaged.h5"
    content = packed.read_bytes()
    damaged.write_bytes(content[: int(len(content) * share)])
    assert "damaged.h5: cut short" in told(damaged) or "damaged.h5: not an HDF5 file" in told(damaged)


def test_bytes_behind_the_end_are_found(packed: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(packed.read_bytes() + b"more")
    assert told(damaged) == "attributes and HDF5 structure"


# -- two at once ----------------------------------------------------------------------------------------------------


def _result(work: Callable[[], object], send) -> None:
    try:
        work()
        send.send("")
    except FdposeError as e:
        send.send(str(e))


def test_two_packs_to_one_target_at_once_end_whole_or_are_told(source: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "packed.h5"
    for _ in range(5):
        pipes = [FORK.Pipe(duplex=False) for _ in range(3)]
        children = [
            FORK.Process(target=_result, args=(lambda: write_packed(source, target=target, cache=True), send))
            for _, send in pipes
        ]
        for child in children:
            child.start()
        messages = [receive.recv() for receive, _ in pipes]
        for child in children:
            child.join()
        assert "" in messages
        assert all(not m or "packed.h5: fdpose pack is writing it (process " in m for m in messages), messages
        assert verify_packed(target).whole
        assert files_in(tmp_path) == ["packed.h5"]


def test_a_second_pack_is_refused_while_the_first_is_writing(source: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "packed.h5"
    target.write_bytes(b"whole")
    with held_by_another("fdpose pack", writes=(target,)) as pid, pytest.raises(BusyError) as e:
        write_packed(source, target=target)
    assert f"packed.h5: fdpose pack is writing it (process {pid} on " in str(e.value)
    assert target.read_bytes() == b"whole"
