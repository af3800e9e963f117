"""Cutting dives out of a broadcast: frames a second against named peers, same work, same machine.

The work: 1280 x 720 H.264 with B-frames, ranges of frames in one video, every
frame written as JPEG of quality 95, 256 high. The rounds are interleaved, so
that a busy machine is busy for all; the figure is the median of the rounds.

Run: python benchmarks/extraction.py --frames 3000 --rounds 5
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.extract import extract_videos
from finediving_pose.frames import HEIGHT
from finediving_pose.scale import default_jobs
from finediving_pose.video_cutting import JPEG_QUALITY
from finediving_pose.workspace import Workspace

LENGTH, EVERY = 100, 150
"""Frames of a dive, and frames from the start of one dive to the next."""


def make_video(path: Path, n: int) -> None:
    """A moving, noisy picture, so that the decoder has what a pool gives it: motion everywhere."""
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 255, (180, 640, 3), np.uint8), (2560, 720), interpolation=cv2.INTER_AREA)
    noise = rng.integers(0, 12, (8, 720, 1280, 3), np.uint8)
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "23", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for i in range(n):
            x = int(640 + 600 * np.sin(i / 40))
            picture = np.asarray(cv2.add(scene[:, x : x + 1280], noise[i % len(noise)]), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())


def ours(video: Path, ranges: list[range], out: Path) -> None:
    clips = [
        Clip(ClipKey(video.stem, i), start_frame=r.start, end_frame=r.stop - 1) for i, r in enumerate(ranges, start=1)
    ]
    result = extract_videos(Workspace(out), video.parent, clips)
    assert result.n_frames == sum(map(len, ranges))


def opencv_sequential(video: Path, ranges: list[range], out: Path) -> None:
    capture = cv2.VideoCapture(str(video))
    for number in range(ranges[-1].stop):
        capture.grab()
        if any(number in r for r in ranges):
            _write(out / f"{number:05d}.jpg", capture.retrieve()[1])


def opencv_seek(video: Path, ranges: list[range], out: Path) -> None:
    """The usual way: ask for frame n and hope."""
    capture = cv2.VideoCapture(str(video))
    for r in ranges:
        capture.set(cv2.CAP_PROP_POS_FRAMES, r.start)
        for number in r:
            _write(out / f"{number:05d}.jpg", capture.read()[1])


def _write(path: Path, picture: np.ndarray) -> None:
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (round(width * HEIGHT / height), HEIGHT), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


def ffmpeg_per_clip(video: Path, ranges: list[range], out: Path) -> None:
    for i, r in enumerate(ranges):
        cut = ["-ss", f"{r.start / 25:.3f}", "-i", str(video), "-frames:v", str(len(r))]
        look = ["-vf", f"scale=-2:{HEIGHT}", "-q:v", "2", str(out / f"{i}_%05d.jpg")]
        subprocess.run(["ffmpeg", "-v", "error", *cut, *look], check=True)


def decode_only(video: Path, ranges: list[range], out: Path) -> None:
    with av.open(video) as container:
        container.streams.video[0].thread_type = "AUTO"
        for number, _ in enumerate(container.decode(video=0), start=1):
            if number == ranges[-1].stop:
                break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=3000, help="length of the video")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    peers: dict[str, Callable[[Path, list[range], Path], None]] = {
        "ours": ours,
        "OpenCV, sequential": opencv_sequential,
        "OpenCV, seek": opencv_seek,
        "decode only (PyAV)": decode_only,
    }
    if shutil.which("ffmpeg"):
        peers["ffmpeg -ss per clip"] = ffmpeg_per_clip
    ranges = [range(a, a + LENGTH) for a in range(20, options.frames - LENGTH, EVERY)]
    n = sum(map(len, ranges))
    rates: dict[str, list[float]] = {name: [] for name in peers}
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "broadcast" / "final.mp4"
        video.parent.mkdir()
        make_video(video, options.frames)
        for _ in range(options.rounds):
            for name, work in peers.items():
                with tempfile.TemporaryDirectory(dir=folder) as out:
                    start = time.perf_counter()
                    work(video, ranges, Path(out))
                    rates[name].append(n / (time.perf_counter() - start))
        size = video.stat().st_size / 1e6
    print(
        f"extraction, 1280x720 H.264 ({size:.0f} MB, {options.frames} frames), {len(ranges)} ranges of {LENGTH} frames,"
        f" median of {options.rounds} interleaved rounds, {default_jobs()} cores"
    )
    reference = statistics.median(rates["ours"])
    for name, values in rates.items():
        rate = statistics.median(values)
        print(f"  {name:<22}{rate:7.0f} frames/s   {rate / reference:.2f}")


if __name__ == "__main__":
    main()
