"""Frame i is frame i of one sequential decode, whatever the container, the codec and the ranges asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finediving_pose.errors import VideoError
from finediving_pose.extraction.scaling import Scaler
from finediving_pose.extraction.video import decode_frames, index_video, open_video
from finediving_pose.jpeg import jpeg_size
from tests.media import painted as numbered
from tests.media import painted_number, write_video

pytestmark = pytest.mark.slow

N = 60
KINDS = {
    "mp4 without B-frames": ("a.mp4", {"codec_options": {"bf": "0", "g": "12"}}),
    "mp4 with B-frames": ("b.mp4", {"codec_options": {"bf": "3", "b_strategy": "0", "g": "25"}}),
    "mp4 with open groups": ("c.mp4", {"codec_options": {"x264-params": "open-gop=1:bframes=3:keyint=20"}}),
    "mp4 of variable rate": ("d.mp4", {"times": [i * 40 + (i % 3) * 11 + 700 * (i > 30) for i in range(N)]}),
    "mkv": ("e.mkv", {"codec_options": {"bf": "2"}}),
    "avi": ("f.avi", {"codec": "mpeg4", "codec_options": {"bf": "0"}}),
    "avi of H.264 with B-frames": ("h.avi", {"codec_options": {"bf": "3", "b_strategy": "0", "g": "25"}}),
    "avi of H.264 without B-frames": ("i.avi", {"codec_options": {"bf": "0", "g": "25"}}),
    "transport stream": ("j.ts", {"codec_options": {"bf": "2"}}),
    "m4v": ("k.m4v", {"codec_options": {"bf": "2"}}),
    "mts": ("l.mts", {"codec_options": {"bf": "3", "b_strategy": "0"}}),
    "3gp": ("m.3gp", {"codec_options": {"bf": "2"}}),
    "flv": ("n.flv", {"codec_options": {"bf": "2"}}),
    "webm": ("g.webm", {"codec": "libvpx", "codec_options": {"deadline": "realtime", "cpu-used": "8"}}),
}


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return {kind: write_video(folder / name, N, **options) for kind, (name, options) in KINDS.items()}


def shown(path: Path, ranges: Sequence[range], threads: int = 0) -> Iterator[tuple[int, int | None]]:
    """Number of every frame asked for, and the number painted in its picture; None for a picture that is lost."""
    return decode_frames(path, ranges, index_video(path), painted, threads)


def painted(frame: av.VideoFrame) -> int:
    return painted_number(frame.to_ndarray(format="rgb24"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_the_one_asked_for(videos: dict[str, Path], kind: str) -> None:
    ranges = [range(40, 55), range(5, 20), range(10, 11), range(18, 45), range(59, 60)]
    wanted = sorted({n for r in ranges for n in r})
    assert list(shown(videos[kind], ranges)) == [(n, n) for n in wanted]


@pytest.mark.parametrize("threads", [1, 4])
def test_the_number_of_threads_changes_nothing(videos: dict[str, Path], threads: int) -> None:
    assert list(shown(videos["mp4 with B-frames"], [range(N)], threads)) == [(n, n) for n in range(N)]


def test_frames_keep_their_proportion(videos: dict[str, Path]) -> None:
    _, picture = next(decode_frames(videos["mkv"], [range(1)], index_video(videos["mkv"]), Scaler()))
    assert picture is not None
    jpeg, size, _ = picture
    assert size == jpeg_size(jpeg, "frame 0") == (427, 256)


def test_the_header_is_told(videos: dict[str, Path]) -> None:
    info = open_video(videos["mp4 with B-frames"])
    assert (info.fps, info.n_frames, info.width, info.height) == (25.0, N, 320, 192)
    assert open_video(videos["mkv"]).n_frames is None


SMALL, LARGE = (64, 48), (320, 192)


def write_streams(path: Path, sizes: Sequence[tuple[int, int]], cover: int | None = None) -> Path:
    """A video of several streams of 20 frames: numbers in the large one, grey in the others; one may be a cover."""
    with av.open(path, "w") as container:
        streams: list[Any] = []
        for i, size in enumerate(sizes):
            stream: Any = container.add_stream("mjpeg" if i == cover else "libx264", rate=25)
            stream.width, stream.height = size
            stream.pix_fmt = "yuvj420p" if i == cover else "yuv420p"
            if i == cover:
                stream.disposition = Disposition.attached_pic
            streams.append(stream)
        for n in range(20):
            for i, (stream, (width, height)) in enumerate(zip(streams, sizes, strict=True)):
                if i == cover and n:
                    continue
                shown = numbered(n) if (width, height) == LARGE else np.full((height, width, 3), 200, np.uint8)
                frame = av.VideoFrame.from_ndarray(shown, format="rgb24").reformat(format=stream.pix_fmt)
                frame.pts = n
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())
    return path


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi", "ts", "mov"])
@pytest.mark.parametrize("sizes", [(SMALL, LARGE), (LARGE, SMALL), (SMALL, LARGE, SMALL)])
def test_the_largest_stream_is_the_video_and_that_is_told(
    tmp_path: Path, ending: str, sizes: Sequence[tuple[int, int]]
) -> None:
    path = write_streams(tmp_path / f"a.{ending}", sizes)
    assert list(shown(path, [range(3, 17)])) == [(n, n) for n in range(3, 17)]
    info = open_video(path)
    assert (info.width, info.height) == LARGE
    assert info.choice and f"holds {len(sizes)} video streams; the largest is taken, 320 x 192" in info.choice


def test_a_cover_is_no_video(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "a.mp4", [(1280, 720), LARGE], cover=0)
    with av.open(path) as container:
        assert len(container.streams.video) == 2
    assert list(shown(path, [range(3, 17)])) == [(n, n) for n in range(3, 17)]
    assert open_video(path).choice is None


def test_a_video_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", 4)
    monkeypatch.setenv("FDPOSE_MAX_PIXELS", "60000")
    with pytest.raises(VideoError, match=r"a\.mp4 declares 320 x 192 pixels, the limit is 60,000"):
        list(shown(path, [range(2)]))


def test_no_range_means_no_work(videos: dict[str, Path]) -> None:
    assert list(shown(videos["mkv"], [])) == []


def test_a_range_past_the_end_names_what_there_is(videos: dict[str, Path]) -> None:
    with pytest.raises(VideoError, match=r"b\.mp4: frames up to 70 .* has only 60 \(0 to 59\)"):
        list(shown(videos["mp4 with B-frames"], [range(50, 71), range(3)]))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cut.mp4", {"codec_options": {"bf": "3", "b_strategy": "0"}, "container_options": {"movflags": "faststart"}}),
        ("cut.mkv", {"codec_options": {"bf": "3", "b_strategy": "0"}}),
        ("cut.avi", {"codec": "mpeg4"}),
        ("cut264.avi", {"codec_options": {"bf": "3", "b_strategy": "0"}}),
    ],
)
def test_a_video_cut_anywhere_gives_no_wrong_frame(tmp_path: Path, name: str, options: dict) -> None:
    """What comes out of a damaged video is numbered as in the whole one; what does not is lost, or an error."""
    whole = write_video(tmp_path / f"whole{name}", N, **options).read_bytes()
    cut = tmp_path / name

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(len(whole) // 10, len(whole) - 1))
    def check(size: int) -> None:
        cut.write_bytes(whole[:size])
        got = []
        try:
            for n, seen in shown(cut, [range(N)], 1):
                got.append((n, n if seen is None else seen))
        except VideoError as e:
            assert name in str(e)
        else:
            assert len(got) == N
        assert got == [(n, n) for n in range(len(got))]

    check()


@pytest.mark.parametrize("name", ["flipped.mp4", "flipped.mkv", "flipped.avi"])
def test_a_video_with_flipped_bits_is_no_silent_mistake(tmp_path: Path, name: str) -> None:
    """Decoders hide damage and drop frames; what is read is what was written, anything else is lost, or an error."""
    whole = write_video(tmp_path / f"whole{name}", N, codec_options={"bf": "3", "b_strategy": "0"}).read_bytes()
    flipped, n_damaged = tmp_path / name, 0
    for seed in range(40):
        rng, content = np.random.default_rng(seed), bytearray(whole)
        for at in rng.integers(0, len(whole), 3):
            content[at] ^= 1 << int(rng.integers(8))
        flipped.write_bytes(content)
        try:
            got = list(shown(flipped, [range(N)], 1))
        except VideoError as e:
            assert name in str(e)
            n_damaged += 1
        else:
            assert [(n, n if seen is None else seen) for n, seen in got] == [(n, n) for n in range(N)]
            n_damaged += any(seen is None for _, seen in got)
    assert n_damaged > 20


def test_a_video_cut_out_of_another_starts_where_it_starts(tmp_path: Path) -> None:
    """Cut at a key frame without re-encoding, with open groups of pictures: no frame is missed, none is an error."""
    options = {"x264-params": "open-gop=1:bframes=3:keyint=20:scenecut=0:b-adapt=0"}
    whole = write_video(tmp_path / "whole.mp4", N, codec_options=options)
    with av.open(whole) as source, av.open(tmp_path / "cut.mkv", "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        key_frames = 0
        for packet in source.demux(stream):
            key_frames += packet.is_keyframe
            if packet.size and key_frames > 1:
                packet.stream = copy
                target.mux(packet)
    assert list(shown(tmp_path / "cut.mkv", [range(30)])) == [(n, 20 + n) for n in range(30)]
