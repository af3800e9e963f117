"""What the packets say is what a sequential decode gives, and a seek gives the same frames as no seek."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finediving_pose.extraction import video as media
from finediving_pose.extraction.packets import PacketIndex
from finediving_pose.extraction.video import decode_frames, index_video, merged, open_video
from tests.media import painted_number, remux, write_video

pytestmark = pytest.mark.slow

N = 90
B_FRAMES = {"bf": "3", "b_strategy": "0", "g": "15", "sc_threshold": "0"}
OPEN = {"x264-params": "open-gop=1:bframes=3:keyint=15:scenecut=0:b-adapt=0"}


def plain(folder: Path) -> Path:
    return write_video(folder / "plain.mp4", N, codec_options=B_FRAMES)


def variable(folder: Path) -> Path:
    times = [i * 40 + (i % 3) * 11 + 700 * (i > 30) for i in range(N)]
    return write_video(folder / "variable.mp4", N, codec_options=B_FRAMES, times=times)


def late(folder: Path) -> Path:
    return write_video(folder / "late.mp4", N, codec_options=B_FRAMES, times=[5000 + 40 * i for i in range(N)])


def cut_by_edit_list(folder: Path) -> Path:
    """The packets from the key frame before on are in the file; the edit list starts between two key frames."""
    return remux(plain(folder), folder / "edited.mp4", before=["-ss", "0.84"])


def rotated(folder: Path) -> Path:
    return remux(plain(folder), folder / "rotated.mp4", before=["-display_rotation", "90"])


VIDEOS: dict[str, Callable[[Path], Path]] = {
    "closed groups, B-frames": plain,
    "open groups": lambda f: write_video(f / "open.mp4", N, codec_options=OPEN),
    "open groups, mkv": lambda f: write_video(f / "open.mkv", N, codec_options=OPEN),
    "variable rate": variable,
    "a start time other than zero": late,
    "late, mkv": lambda f: remux(late(f), f / "late.mkv", after=["-copyts"]),
    "transport stream in mkv's place": lambda f: remux(plain(f), f / "stream.ts"),
    "edit list": cut_by_edit_list,
    "rotated": rotated,
    "fragments": lambda f: remux(plain(f), f / "fragments.mp4", after=["-movflags", "frag_keyframe+empty_moov"]),
    "intra refresh": lambda f: write_video(
        f / "refresh.mp4", N, codec_options={"x264-params": "intra-refresh=1:keyint=15:bframes=0"}
    ),
}


@pytest.fixture(scope="module", params=VIDEOS)
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return VIDEOS[request.param](tmp_path_factory.mktemp("videos"))


def shown(frame: av.VideoFrame) -> int:
    return painted_number(frame.to_ndarray(format="rgb24"))


def sequential(path: Path) -> list[int]:
    with av.open(path) as container:
        return [shown(f) for f in container.decode(video=0)]


def test_every_frame_is_that_of_a_sequential_decode(video: Path) -> None:
    """Also one by one, each with a seek of its own."""
    frames, index = sequential(video), index_video(video)
    assert len(frames) >= 65
    assert list(decode_frames(video, [range(len(frames))], index, shown)) == list(enumerate(frames))
    for threads, numbers in ((1, range(len(frames) - 1, 0, -7)), (2, range(3, len(frames), 17))):
        for n in numbers:
            assert list(decode_frames(video, [range(n, n + 1)], index, shown, threads)) == [(n, frames[n])]
    if index is not None:
        assert len(index) == len(frames)


def test_the_ways_of_the_test_are_taken(tmp_path: Path) -> None:
    """The edit list hides packets, the rotation is there, and seeks happen: else the test above proves nothing."""
    edited = cut_by_edit_list(tmp_path)
    with av.open(edited) as container:
        assert any(p.is_discard for p in container.demux(video=0))
    assert sequential(edited)[0] == 21
    with av.open(rotated(tmp_path)) as container:
        assert next(container.decode(video=0)).rotation in (90, -90)
    assert (open_video(rotated(tmp_path)).width, open_video(rotated(tmp_path)).height) == (320, 192)
    index = index_video(plain(tmp_path))
    assert index is not None
    assert index.key_frames() == list(range(0, N, 15))
    assert media._runs([range(5, 8), range(18, 20), range(50, 60)], index) == [
        (0, [range(5, 8), range(18, 20)]),
        (45, [range(50, 60)]),
    ]


def test_a_container_that_seeks_to_the_wrong_place_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = plain(tmp_path)
    index = index_video(video)
    real = media._decoded

    def astray(container, stream, time, threads):
        assert index is not None
        return real(container, stream, None if time is None else index.times[75], threads)

    monkeypatch.setattr(media, "_decoded", astray)
    assert list(decode_frames(video, [range(50, 55)], index, shown)) == [(n, n) for n in range(50, 55)]


@pytest.mark.parametrize("name", ["damaged.mp4", "damaged.mkv"])
def test_a_packet_that_is_damaged_costs_its_group_alone(tmp_path: Path, name: str) -> None:
    """Frames after it are exact; none that is given is a picture patched up by the decoder."""
    whole = write_video(tmp_path / f"whole{name}", N, codec_options=B_FRAMES)
    with av.open(whole) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        victim = packets[33]
        at = whole.read_bytes().find(bytes(victim))
        size = victim.size
    content = bytearray(whole.read_bytes())
    content[at + 8 : at + size] = b"\xff" * (size - 8)
    damaged = tmp_path / name
    damaged.write_bytes(content)
    got = dict(decode_frames(damaged, [range(N)], index_video(damaged), shown))
    lost = [n for n, number in got.items() if number is None]
    assert lost
    assert set(lost) <= set(range(30, 45))
    assert {n: number for n, number in got.items() if number is not None} == {n: n for n in range(N) if n not in lost}
    later = list(decode_frames(damaged, [range(50, 70)], index_video(damaged), shown))
    assert later == [(n, n) for n in range(50, 70)]


def test_the_frames_that_damage_can_touch() -> None:
    """Decoded I0 P4 b2 b1 b3 | I8 b6 b5 b7 P10 b9, an open group at 8."""
    order = [0, 4, 2, 1, 3, 8, 6, 5, 7, 10, 9]
    index = PacketIndex([100 * n for n in order], [n in (0, 8) for n in order])
    assert index.touched_by(2) == {1, 2, 3, 5, 6, 7}
    assert index.touched_by(10) == {9, 10}
    assert index.settled(1) == 4
    assert index.settled(4) == 4
    assert [index.key_before(n) for n in (0, 7, 8, 10)] == [0, 0, 8, 8]
    assert (index.number(800), index.number(801), index.number(None)) == (8, None, None)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda x: range(x[0], x[0] + x[1]))))
@settings(max_examples=100)
def test_merged_ranges_hold_the_same_numbers_once(ranges: list[range]) -> None:
    result = merged(ranges)
    assert [n for r in result for n in r] == sorted({n for r in ranges for n in r})
    assert all(a.stop < b.start for a, b in pairwise(result))
