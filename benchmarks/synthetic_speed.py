"""Making a synthetic competition against writing its finished frames: what share is drawing, what memory it needs.

First whole competitions of several sizes, each by a process of its own with its workers: finished frames a second from
the start to the last joined file, and the peak of memory of the first process and of the largest of its workers, which
levels off with the largest scene and does not grow with the number of dives. Then, in one process, the frames of one
event as H.264 video of 256 lines. The peer, PyAV (FFmpeg's libx264), writes the very same pictures with the same
settings when they lie in memory already, and does nothing else; the rounds are interleaved, a figure is the median of
the rounds.

Run: python benchmarks/synthetic_speed.py --dives 4 --rounds 5 --sizes 50 200
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2

from finediving_pose.parallel import default_jobs
from finediving_pose.synth.filming import Take, film_event, write_video
from finediving_pose.synth.plan import DIVES_PER_EVENT, Event

NUMBERS = ("107b", "5253b", "407c", "6243d")

COMPETITION = """
import json, resource, sys, time
from pathlib import Path
from finediving_pose.synth.competition import make_competition

if __name__ == "__main__":
    started = time.perf_counter()
    make_competition(Path(sys.argv[1]), dives=int(sys.argv[2]), jobs=int(sys.argv[3]))
    seconds = time.perf_counter() - started
    peaks = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps([seconds, *peaks]))
"""
"""A program of its own, as a peak of memory is that of a process's whole life (Linux: kilobytes)."""


def drawing_and_writing(dives: int, rounds: int) -> None:
    """Frames a second of the whole, of drawing alone, and of the peer."""
    event = Event("Speed", 10.0, False, tuple(NUMBERS[i % len(NUMBERS)] for i in range(dives)), (0, 0))
    take = Take(event)
    pictures = list(take.pictures(io.StringIO()))
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as root:
        out = Path(root)
        ways: dict[str, Callable[[], object]] = {
            "PyAV alone": lambda: write_video(out / "written.mp4", pictures, take.crf),
            "drawing alone": lambda: sum(1 for _ in Take(event).pictures(io.StringIO())),
            "fdpose synth": lambda: film_event(out, event),
        }
        for _ in range(rounds + 1):  # the first warms up
            for name, work in ways.items():
                started = time.perf_counter()
                work()
                times.setdefault(name, []).append(time.perf_counter() - started)
        megabits = (out / "written.mp4").stat().st_size * 8 / 1e6
    print(
        f"one event of {dives} dives, {len(pictures)} frames, {megabits / len(pictures) * 25:.2f} Mbit/s, one process,"
        f" median of {rounds} interleaved rounds"
    )
    reference = statistics.median(times["PyAV alone"][1:])
    for name, values in times.items():
        seconds = statistics.median(values[1:])
        print(f"  {name:<14}{len(pictures) / seconds:8.1f} frames/s   {reference / seconds:.2f}")


def competition(dives: int, jobs: int) -> None:
    """Speed and peaks of memory of one competition."""
    with tempfile.TemporaryDirectory() as root:
        out, program = Path(root) / "out", Path(root) / "competition.py"
        program.write_text(COMPETITION)
        run = subprocess.run(
            [sys.executable, str(program), str(out), str(dives), str(jobs)], stdout=subprocess.PIPE, check=True
        )
        seconds, own, largest = json.loads(run.stdout)
        frames = sum(frames_of(video) for video in (out / "videos").glob("*.mp4"))
        size = sum(f.stat().st_size for f in out.rglob("*") if f.is_file()) / 1e6
    print(
        f"  {dives:5} dives{frames:8} frames{frames / seconds:8.1f} frames/s{own:7.0f} MiB first process"
        f"{largest:7.0f} MiB largest worker{size:8.1f} MB on disk"
    )


def frames_of(video: Path) -> int:
    with av.open(str(video)) as container:
        return container.streams.video[0].frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dives", type=int, default=DIVES_PER_EVENT // 2, help="of the one event")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="*", default=[50, 200], help="dives of the whole competitions")
    parser.add_argument("--jobs", type=int, default=default_jobs())
    options = parser.parse_args()
    if options.sizes:
        print(f"whole competitions, {options.jobs} processes")
    for dives in options.sizes:  # before this process is large: on Linux a child's peak starts with its parent's size
        competition(dives, options.jobs)
    cv2.setNumThreads(1)
    drawing_and_writing(options.dives, options.rounds)


if __name__ == "__main__":
    main()
