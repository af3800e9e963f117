"""Pictures come out of the video as sharp as it is, as long as it is the one that the frames came from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.display import Display
from finediving_pose.extraction.run import extract_videos
from finediving_pose.frames import FrameFolder, open_frames
from finediving_pose.labels.table import write_clips
from finediving_pose.report.source_pictures import pictures_of, source_size
from finediving_pose.workspace import Workspace

N, FIRST = 12, 3
CLIP = Clip(ClipKey("meet", 0), start_frame=FIRST, end_frame=FIRST + 5, n_frames=6, fps=25.0, source="finediving")


def film(path: Path, brighter: int = 0) -> Path:
    """Twelve frames, 640 x 480, each brighter than the one before, with stripes four pixels wide."""
    stripes = np.where(np.arange(640) // 4 % 2, 60, 0)[None, :, None]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10", "g": "5"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for i in range(N):
            grey = np.broadcast_to(stripes + 10 * i + brighter, (480, 640, 3)).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(grey), format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def frames(workspace: Workspace, tmp_path: Path) -> FrameFolder:
    """Frames 3 to 8 of a video, stored 96 lines high."""
    folder = tmp_path / "videos"
    folder.mkdir()
    film(folder / "meet.mp4")
    write_clips(workspace.clips_table, [CLIP])
    extract_videos(workspace, folder, [CLIP], jobs=1, size=96)
    return open_frames(workspace, CLIP.key)


def contrast(picture: np.ndarray) -> float:
    """How far stripes differ, grey levels."""
    return float(np.ptp(picture[: len(picture) // 2].mean((0, 2))))


def test_pictures_are_the_videos_frame_by_frame(frames: FrameFolder) -> None:
    pictures = list(pictures_of(frames, 480))
    assert [p.shape for p in pictures] == [(480, 640, 3)] * 6
    assert [round(float(p.mean())) for p in pictures] == pytest.approx([30 + 10 * (FIRST + i) for i in range(6)], abs=3)
    assert min(map(contrast, pictures)) > 50


def test_frames_that_are_left_out_are_passed_over(frames: FrameFolder) -> None:
    some = replace(frames, numbers=frames.numbers[::2], names=frames.names[::2])
    pictures = list(pictures_of(some, 480))
    assert [round(float(p.mean())) for p in pictures] == pytest.approx([60, 80, 100], abs=3)


@pytest.mark.parametrize("change", ["another", "shorter", "damaged", "gone"])
def test_else_they_are_the_stored_ones(frames: FrameFolder, change: str) -> None:
    path = Path(frames.source)
    if change == "another":
        film(path, brighter=40)
    elif change == "shorter":
        path.write_bytes(path.read_bytes()[:2000])
    elif change == "damaged":
        path.write_bytes(b"no video")
    else:
        path.unlink()
    assert [p.shape for p in pictures_of(frames, 480)] == [(96, 128, 3)] * 6


def test_nothing_is_decoded_that_is_no_larger(frames: FrameFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finediving_pose.extraction.video.decode_frames", None)
    assert len(list(pictures_of(frames, 96))) == 6


def test_the_size_is_the_one_that_was_shown(frames: FrameFolder) -> None:
    assert source_size(frames) == (640, 480)
    turned = Display(rotation=90, applied=True)
    assert source_size(replace(frames, display=turned)) == (480, 640)
    assert source_size(replace(frames, display=replace(turned, applied=False))) == (640, 480)
    assert source_size(replace(frames, source="/nowhere.mp4")) is None
