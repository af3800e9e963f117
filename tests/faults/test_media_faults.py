"""Damaged and misnamed media at the command line: one line that helps, exit code 1, and nothing touched."""

from __future__ import annotations

import multiprocessing
import re
import resource
import signal
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

from finediving_pose.cli import main
from finediving_pose.errors import FdposeError
from finediving_pose.extraction.run import extract_videos
from finediving_pose.labels.table import read_clips
from finediving_pose.packed.verify import verify_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.workspace import Workspace
from tests.media import write_pictures, write_video

pytestmark = pytest.mark.slow


def fdpose(workspace: Workspace, *words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words), "--data", str(workspace.root)])


def ranges(folder: Path, *rows: str) -> Path:
    path = folder / "ranges.csv"
    path.write_text("\n".join(["video,index,start_frame,end_frame", *rows]) + "\n")
    return path


def state(folder: Path) -> dict[str, bytes]:
    """Every file and its bytes, but for the clips table, which learns labels even when frames fail."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != "clips.parquet")
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


@pytest.fixture
def extracted(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A data directory with one clip, out of a folder ``videos`` beside it, and its packed file."""
    write_video(tmp_path / "videos" / "good.mp4", 20)
    run = fdpose(workspace, "extract", "--videos", tmp_path / "videos", "--labels", ranges(tmp_path, "good,1,0,9"))
    assert run.exit_code == 0, run.output
    write_packed(workspace)
    return workspace


def no_index(path: Path) -> None:
    """An MP4 that ends before its index, as an interrupted download does."""
    content = write_video(path, 20).read_bytes()
    path.write_bytes(content[: len(content) // 2])


def cut_short(path: Path) -> None:
    content = write_video(path, 20, container_options={"movflags": "faststart"}).read_bytes()
    path.write_bytes(content[: len(content) * 3 // 5])


def sound_only(path: Path) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 8000, 0, Fraction(1, 8000)
        container.mux([*stream.encode(frame), *stream.encode()])


VIDEOS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda p: p.write_bytes(b""), r"not a video, or cut short .*\(0 bytes\)"),
    "text": (lambda p: p.write_text("hello " * 100), r"not a video, or cut short .*\(600 bytes\)"),
    "a picture folder's archive": (lambda p: p.write_bytes(b"PK\x03\x04" + bytes(5000)), "not a video"),
    "without its index": (no_index, "not a video, or cut short so that its index is missing"),
    "cut short": (cut_short, "header promises 20, but only"),
    "sound only": (sound_only, r"holds no pictures \(audio\)"),
    "shorter than the labels say": (lambda p: write_video(p, 10), r"frames up to 18 .* has only 10 \(0 to 9\)"),
}


@pytest.mark.parametrize("kind", VIDEOS)
def test_a_bad_video_is_told_in_one_line_and_the_good_one_is_extracted(
    extracted: Workspace, tmp_path: Path, kind: str
) -> None:
    damage, words = VIDEOS[kind]
    damage(tmp_path / "videos" / "bad.mp4")
    before = state(extracted.root)
    table = ranges(tmp_path, "good,1,0,9", "good,2,10,19", "bad,1,8,18")
    run = fdpose(extracted, "extract", "--videos", tmp_path / "videos", "--labels", table, "--jobs", 1)
    assert run.exit_code == 1
    lines = [line for line in run.stderr.splitlines() if line.startswith("fdpose: ")]
    assert len(lines) == 1
    assert "bad.mp4" in lines[0]
    assert re.search(words, lines[0]), lines[0]
    after = state(extracted.root)
    assert {name: after[name] for name in before} == before
    assert {name.split("/")[2] for name in after if name.startswith("frames/good")} == {"1", "2"}
    assert not any(name.startswith("frames/bad") for name in after)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["extract", "--videos", "nowhere", "--labels", "ranges.csv"], "nowhere: no such folder"),
        (["extract", "--frames", "nowhere"], "nowhere: no such folder"),
        (["extract", "--frames", "videos"], "no frames in a layout that is known"),
        (["extract", "--frames", "pictures", "--labels", "ranges.csv"], "holds none of the 1 clips"),
        (["verify", "videos/good.mp4"], "videos/good.mp4: not an HDF5 file"),
        (["verify", "nowhere.h5"], "nowhere.h5: no such file"),
        (["info", "ranges.csv"], "ranges.csv: not an HDF5 file"),
    ],
)
def test_what_is_not_there_is_named(
    extracted: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    ranges(tmp_path, "good,1,0,9")
    write_pictures(tmp_path / "pictures" / "other" / "1", range(3))
    monkeypatch.chdir(tmp_path)
    before = state(extracted.root)
    run = fdpose(extracted, *words)
    assert run.exit_code == 1
    assert len(run.stderr.splitlines()) == 1
    assert told in run.stderr
    assert state(extracted.root) == before


def test_a_packed_file_cut_short_is_told_by_every_command(extracted: Workspace) -> None:
    content = extracted.packed.read_bytes()
    extracted.packed.write_bytes(content[: len(content) // 2])
    for words in (["verify"], ["info", extracted.packed]):
        run = fdpose(extracted, *words)
        assert run.exit_code == 1
        assert f"{extracted.packed}: cut short" in run.stderr
    assert fdpose(extracted, "pack").exit_code == 0
    assert fdpose(extracted, "verify").exit_code == 0


# -- a disk that is full --------------------------------------------------------------------------------------------


def _limited(work: Callable[[], object], limit: int, send) -> None:
    """Run ``work`` where no file can grow beyond ``limit`` bytes, which fails as a full disk does."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        work()
        send.send("no error")
    except FdposeError as e:
        send.send(str(e))


def on_a_full_disk(work: Callable[[], object], limit: int) -> str:
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    child = context.Process(target=_limited, args=(work, limit, send))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    return receive.recv()


def test_pack_on_a_full_disk_leaves_the_old_file(extracted: Workspace) -> None:
    before = state(extracted.root)
    message = on_a_full_disk(lambda: write_packed(extracted, cache=True), 100_000)
    assert "writing failed" in message
    assert "\n" not in message
    assert state(extracted.root) == before
    assert verify_packed(extracted.packed).damaged == {}


def test_extraction_on_a_full_disk_leaves_the_old_frames(extracted: Workspace, tmp_path: Path) -> None:
    before = state(extracted.root)
    clips = read_clips(extracted)
    message = on_a_full_disk(lambda: extract_videos(extracted, tmp_path / "videos", clips, jobs=1, force=True), 1_000)
    assert "can't write here" in message or "writing failed" in message
    assert state(extracted.root) == before
