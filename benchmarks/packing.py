"""Packing against a plain copy of the same bytes: same machine, same disk, both fsynced.

The work: the JPEG files of some clips, with their poses, into one HDF5 file with its digests. The peer reads the
same JPEG files one by one and writes their bytes, end to end, into one file. The rounds are interleaved; a
figure is the median of the rounds.

Run: python benchmarks/packing.py --clips 100 --rounds 5
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.labels.table import write_clips
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import ClipPoses, write_poses
from finediving_pose.workspace import Workspace

LENGTH = 104


def make_clips(workspace: Workspace, n: int) -> None:
    """Clips of 104 frames of about 15 kB, each with a pose."""
    rng = np.random.default_rng(0)
    soft = np.kron(rng.integers(40, 215, (16, 28, 3)), np.ones((16, 16, 1))).astype(np.uint8)[:, :447]
    picture = np.clip(soft + rng.normal(0, 2.2, soft.shape), 0, 255).astype(np.uint8)
    jpegs = [
        simplejpeg.encode_jpeg(np.ascontiguousarray(np.roll(picture, 7 * i, axis=1)), quality=80) for i in range(LENGTH)
    ]
    names = tuple(frame_name(i) for i in range(LENGTH))
    height, width, _ = picture.shape
    ones = np.ones((LENGTH, 16))
    clips = []
    for c in range(n):
        key = ClipKey("Bench", c)
        folder = workspace.frame_folder(key)
        folder.mkdir(parents=True)
        for name, jpeg in zip(names, jpegs, strict=True):
            (folder / name).write_bytes(jpeg)
        numbers = tuple(range(LENGTH))
        write_manifest(FrameFolder(key, folder, numbers, width, height, "made up", names, 25.0, digest_jpegs(jpegs)))
        points = rng.uniform(50, 200, (LENGTH, 16, 2))
        poses = ClipPoses(
            np.arange(LENGTH), np.zeros(LENGTH), np.tile([40, 40, 210, 210], (LENGTH, 1)), points, 2 * ones, ones, ones,
            ["a"] * LENGTH, [""] * LENGTH,
        )  # fmt: skip
        write_poses(workspace.pose_file("auto", key), poses)
        clips.append(Clip(key, "train", "107b", 3.0, 72.0, start_frame=0, end_frame=LENGTH - 1, n_frames=LENGTH))
    write_clips(workspace.clips_table, clips)


def copy(workspace: Workspace, target: Path) -> None:
    """The bytes of every JPEG file, end to end."""
    with open(target, "wb") as out:
        for folder in sorted(workspace.frames.glob("*/*")):
            for file in sorted(folder.glob("*.jpg")):
                out.write(file.read_bytes())
        out.flush()
        os.fsync(out.fileno())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        workspace = Workspace(Path(root) / "data")
        make_clips(workspace, options.clips)
        megabytes = sum(f.stat().st_size for f in workspace.frames.rglob("*.jpg")) / 1e6
        target = Path(root) / "out"
        ways: dict[str, Callable[[], object]] = {
            "plain copy": lambda: copy(workspace, target),
            "fdpose pack": lambda: write_packed(workspace, target=target),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.rounds + 1):  # the first warms up
            for name, work in ways.items():
                target.unlink(missing_ok=True)
                started = time.perf_counter()
                work()
                times[name].append(time.perf_counter() - started)
    print(
        f"packing, {options.clips} clips of {LENGTH} frames, {megabytes:.0f} MB of JPEG, median of {options.rounds}"
        " interleaved rounds"
    )
    reference = statistics.median(times["plain copy"][1:])
    for name, values in times.items():
        seconds = statistics.median(values[1:])
        print(f"  {name:<14}{megabytes / seconds:8.0f} MB/s   {reference / seconds:.2f}")


if __name__ == "__main__":
    main()
