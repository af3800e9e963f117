"""What fdpose kinematics says of upright videos in which the diver reaches the edges, against what is truly there.

    python benchmarks/kinematics_upright.py --folder /tmp/kinematics-upright --dives 16 --seed 73

Dives are performed and filmed as for benchmarks/kinematics_errors.py, then cut to the middle 9:16 of the picture, as if
a phone had been held upright too near: at the take-off, in the pike and at the entry parts of the diver are beyond the
sides. They are measured as ``fdpose dive`` does, without stages and with number and height. For every quantity are
printed: how many have a number, the median of their errors and the 95th percentile, the share of them within the error
bar, and how many are wrong by more than three error bars.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from kinematics_errors import True_, shots

from finediving_pose.kinematics.measure import measure_clip
from finediving_pose.kinematics.quantities import DIVE_QUANTITIES
from finediving_pose.labels.table import read_clips
from finediving_pose.synth.camera import HEIGHT, WIDTH
from finediving_pose.synth.dive import FPS
from finediving_pose.synth.filming import film_event, is_finished, video_file
from finediving_pose.synth.joining import join
from finediving_pose.synth.plan import DIVE_NUMBERS, Event, Plan, deal
from finediving_pose.workspace import Workspace

NARROW = 2 * round(HEIGHT * 9 / 32)
"""Width of an upright picture, pixels."""


def cut(source: Path, target: Path) -> None:
    """The middle of a video, as wide as an upright picture."""
    left = (WIDTH - NARROW) // 2
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(source)) as film, av.open(str(target), "w") as upright:
        stream: Any = upright.add_stream("libx264", rate=Fraction(FPS), options={"preset": "superfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = NARROW, HEIGHT, "yuv420p"
        for frame in film.decode(video=0):
            picture = np.array(frame.to_ndarray(format="rgb24")[:, left : left + NARROW], np.uint8)
            upright.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        upright.mux(stream.encode(None))


def made(folder: Path, events: list[Event], plan: Plan) -> Workspace:
    """The dives filmed, cut, extracted and annotated in ``folder``."""
    films, upright, data = folder / "films", folder / "upright", Workspace(folder / "data")
    for event in events:
        if not is_finished(films, event):
            film_event(films, event)
        cut(video_file(films, event), upright / f"{event.video}.mp4")
    join(films, plan, events)
    for words in (["extract", "--videos", upright, "--labels", films / "labels"], ["annotate", "--auto"]):
        command = [sys.executable, "-m", "finediving_pose.cli", *map(str, words), "--data", str(data.root)]
        subprocess.run(command, check=True)
    return data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/kinematics-upright"))
    parser.add_argument("--dives", type=int, default=16)
    parser.add_argument("--seed", type=int, default=73)
    options = parser.parse_args()
    order = np.random.default_rng(options.seed).permutation(len(DIVE_NUMBERS))[: options.dives]
    events = deal(options.dives, options.seed, [DIVE_NUMBERS[i] for i in order])
    data = made(options.folder, events, Plan(options.dives, options.seed))
    truth = {key: True_.of(shot).dive_truth() for key, shot in shots(events)}
    errors: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for clip in read_clips(data):
        (found,) = measure_clip(data, replace(clip, stage_starts=(), sub_actions=()))
        for name, true in truth[str(clip.key)].items():
            value = found.values[name]
            errors[name] += [(abs(value.value - true), value.error)] if value.measured else []
    print(f"{'':<20} measured  median     95 %   within ±  beyond 3 ±")
    for name in (n for n in DIVE_QUANTITIES if errors[n]):
        off, bar = np.array(errors[name]).T
        possible = sum(name in true for true in truth.values())
        within, beyond = np.mean(off <= np.maximum(bar, 1e-9)), int(np.sum(off > 3 * np.maximum(bar, 1e-9)))
        marks = "  ".join(f"{mark:7.3f}" for mark in np.quantile(off, [0.5, 0.95]))
        print(f"{name:<20} {len(off):>3} of {possible}  {marks}  {within:8.0%}  {beyond:10}")


if __name__ == "__main__":
    main()
