"""Cutting dives out of a broadcast: useful frames a second against named peers, same video, same machine.

The video: 1280 x 720 H.264, x264's ordinary groups of pictures (250 frames, 3
B-frames at most), motion everywhere. A useful frame is one of a labelled
dive's, written as JPEG, 256 high. Two shares of dives are measured:

- broadcast: 100 frames of every 600, as in a competition, where most of the
  time is replays, scores and waiting;
- dense: 100 frames of every 150, a best case for whoever decodes everything.

The peers:

(a) the official recipe: ffmpeg writes the whole video as full-size JPEG, then
    one ffmpeg process for each frame scales it; also with the second step for
    useful frames alone, which it does not know of. Both steps are timed on a
    sample (``--sample`` frames of the video, a tenth as many processes) and
    scaled to the whole.
(b) one ``ffmpeg -ss`` for each dive, scaled and written by the same process.
(c) decode only, nothing scaled or written: from the key frame before each dive
    to its end, by all cores, the key frames known beforehand.
(d) decode only, the whole video, without a seek.
(e) OpenCV, from the first frame to the last, ``grab`` for what is not needed.

Rounds are interleaved, so that a busy machine is busy for all; the figure is
the median of the rounds. ffmpeg is the program on the path, or the one of the
imageio-ffmpeg package (extra ``bench``).

Run: python benchmarks/extraction.py --frames 6000 --rounds 5
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.extraction.run import extract_videos
from finediving_pose.extraction.scaling import JPEG_QUALITY
from finediving_pose.extraction.video import index_video
from finediving_pose.frames import HEIGHT
from finediving_pose.parallel import default_jobs
from finediving_pose.workspace import Workspace

LENGTH = 100
"""Frames of a dive."""
SHARES = {"broadcast": 600, "dense": 150}
"""Frames from the start of one dive to the start of the next."""

LOOK = f"scale=-2:{HEIGHT}:out_range=full,format=yuvj420p"
"""What ffmpeg does to a frame: 256 high, the range of JPEG."""

Ranges = list[range]
Work = Callable[[Path, Ranges, Path], float]
"""Does the work, writing below the last path, and returns the seconds it took."""


def make_video(path: Path, n: int) -> None:
    """A moving, noisy picture, so that the decoder has what a pool gives it: motion everywhere."""
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 255, (180, 640, 3), np.uint8), (2560, 720), interpolation=cv2.INTER_AREA)
    noise = rng.integers(0, 12, (8, 720, 1280, 3), np.uint8)
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for i in range(n):
            x = int(640 + 600 * np.sin(i / 40))
            picture = np.asarray(cv2.add(scene[:, x : x + 1280], noise[i % len(noise)]), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ours(video: Path, ranges: Ranges, out: Path) -> float:
    clips = [
        Clip(ClipKey(video.stem, i), start_frame=r.start, end_frame=r.stop - 1) for i, r in enumerate(ranges, start=1)
    ]
    start = time.perf_counter()
    result = extract_videos(Workspace(out), video.parent, clips)
    seconds = time.perf_counter() - start
    if result.n_frames != sum(map(len, ranges)):
        raise SystemExit(f"extraction is not whole: {result.failed}")
    return seconds


class OfficialRecipe:
    """Full-size JPEG of everything, then a process a frame; a sample of both, scaled to the whole."""

    def __init__(self, program: str, sample: int, useful_only: bool) -> None:
        self.program, self.sample, self.useful_only = program, sample, useful_only

    def __call__(self, video: Path, ranges: Ranges, out: Path) -> float:
        everything = ["-i", str(video), "-frames:v", str(self.sample), "-q:v", "2", str(out / "%05d.jpg")]
        writing = timed(lambda: run(self.program, *everything)) / self.sample
        n = max(1, self.sample // 10)

        def scale_some() -> None:
            for i in range(1, n + 1):
                look = ["-vf", LOOK, "-q:v", "2", str(out / f"small_{i:05d}.jpg")]
                run(self.program, "-i", str(out / f"{i:05d}.jpg"), *look)

        n_scaled = sum(map(len, ranges)) if self.useful_only else ranges[-1].stop
        return writing * ranges[-1].stop + timed(scale_some) / n * n_scaled


def ffmpeg_per_clip(program: str, video: Path, ranges: Ranges, out: Path) -> float:
    start = time.perf_counter()
    for i, r in enumerate(ranges):
        cut = ["-ss", f"{r.start / 25:.3f}", "-i", str(video), "-frames:v", str(len(r))]
        run(program, *cut, "-vf", LOOK, "-q:v", "2", str(out / f"{i}_%05d.jpg"))
    return time.perf_counter() - start


def run(program: str, *words: str) -> None:
    subprocess.run([program, "-v", "error", "-nostdin", *words], check=True)


def decode_needed(video: Path, ranges: Ranges, out: Path) -> float:
    index = index_video(video)
    assert index is not None
    groups: list[tuple[int, int]] = []  # time of the key frame to start at, of the last frame needed
    here = 0
    for r in ranges:
        key = index.key_before(r.start)
        if key > here or not groups:
            groups.append((index.times[key], index.times[r[-1]]))
        else:
            groups[-1] = (groups[-1][0], index.times[r[-1]])
        here = r.stop
    with av.open(video) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"

        def decode() -> None:
            for start, stop in groups:
                container.seek(start, stream=stream)
                for frame in container.decode(stream):
                    if frame.pts is not None and frame.pts >= stop:
                        break

        return timed(decode)


def decode_all(video: Path, ranges: Ranges, out: Path) -> float:
    with av.open(video) as container:
        container.streams.video[0].thread_type = "AUTO"
        start = time.perf_counter()
        for number, _ in enumerate(container.decode(video=0), start=1):
            if number == ranges[-1].stop:
                break
        return time.perf_counter() - start


def opencv_sequential(video: Path, ranges: Ranges, out: Path) -> float:
    start, wanted = time.perf_counter(), {n for r in ranges for n in r}
    capture = cv2.VideoCapture(str(video))
    for number in range(ranges[-1].stop):
        capture.grab()
        if number in wanted:
            picture = capture.retrieve()[1]
            height, width = picture.shape[:2]
            small = cv2.resize(picture, (round(width * HEIGHT / height), HEIGHT), interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(out / f"{number:05d}.jpg"), small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return time.perf_counter() - start


def ffmpeg_program() -> str | None:
    found = shutil.which("ffmpeg")
    if found is None:
        try:
            import imageio_ffmpeg
        except ImportError:
            return None
        found = imageio_ffmpeg.get_ffmpeg_exe()
    return found


def peers(sample: int) -> dict[str, Work]:
    found: dict[str, Work] = {"ours": ours}
    program = ffmpeg_program()
    if program:
        found["(a) official recipe"] = OfficialRecipe(program, sample, useful_only=False)
        found["(a) useful frames only"] = OfficialRecipe(program, sample, useful_only=True)
        found["(b) ffmpeg -ss a dive"] = partial(ffmpeg_per_clip, program)
    else:
        print("no ffmpeg program, so (a) and (b) are left out; pip install imageio-ffmpeg")
    more: dict[str, Work] = {
        "(c) decode needed": decode_needed,
        "(d) decode all": decode_all,
        "(e) OpenCV": opencv_sequential,
    }
    return found | more


def compare(video: Path, ranges: Ranges, works: dict[str, Work], rounds: int) -> dict[str, float]:
    """Median useful frames a second of each."""
    n = sum(map(len, ranges))
    rates: dict[str, list[float]] = {name: [] for name in works}
    with tempfile.TemporaryDirectory(dir=video.parents[1]) as out:
        works["ours"](video, ranges, Path(out))  # imports, which a command does once, however many videos it has
    for _ in range(rounds):
        for name, work in works.items():
            with tempfile.TemporaryDirectory(dir=video.parents[1]) as out:
                rates[name].append(n / work(video, ranges, Path(out)))
    return {name: statistics.median(values) for name, values in rates.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=6000, help="length of the video")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sample", type=int, default=200, help="frames of the video on which (a) is timed")
    parser.add_argument("--share", choices=[*SHARES], help="only this share of dives (default: both)")
    options = parser.parse_args()
    if options.frames < 2 * LENGTH or options.sample > options.frames:
        parser.error(f"--frames {options.frames} is too few; at least {2 * LENGTH}, and --sample not more than that")
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "broadcast" / "final.mp4"
        video.parent.mkdir()
        make_video(video, options.frames)
        size = f"{video.stat().st_size / 1e6:.0f} MB, {options.frames} frames"
        for share in [options.share] if options.share else SHARES:
            ranges = [range(a, a + LENGTH) for a in range(20, options.frames - LENGTH, SHARES[share])]
            print(
                f"extraction, {share}: 1280x720 H.264 ({size}), {len(ranges)} dives of {LENGTH} frames,"
                f" median of {options.rounds} interleaved rounds, {default_jobs()} cores"
            )
            rates = compare(video, ranges, peers(options.sample), options.rounds)
            for name, rate in rates.items():
                print(f"  {name:<23}{rate:8.1f} useful frames/s   ours is {rates['ours'] / rate:6.2f} x")


if __name__ == "__main__":
    main()
