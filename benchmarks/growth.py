"""How commands grow with the number of clips: processor seconds and memory of each with 300, 1000 and 3000 clips.

The clips are a few short ones of a data directory with automatic poses, over and over under new names, each with
pictures of its own. What a command does with one frame is the same at every size and cheap, so that what grows faster
than the clips shows. The exponent is the slope of logarithms: 1 is as fast as the clips, 0 is what every start takes.
Without kinematics: it draws a plot of every dive, 0.4 processor seconds each, whatever their number.

Make the data first:

fdpose synth --dives 20 --seed 77 --out synthetic
fdpose extract --labels synthetic/labels --videos synthetic/videos --data data
fdpose annotate --auto --data data

Run: python -m benchmarks.growth data WORK
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from benchmarks.rehearsal import FDPOSE, FORMATS, Step, fit, measure, show, write_down
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, open_frames, write_manifest
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.poses import ClipPoses, read_poses, take_rows, write_poses
from finediving_pose.workspace import Workspace

SIZES = (300, 1000, 3000)
FRAMES = 6
"""Of a clip, from its middle."""


@click.command(help=__doc__)
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("work", type=click.Path(path_type=Path))
@click.option("--clips", "sizes", type=int, multiple=True, default=SIZES, show_default=True)
def main(source: Path, work: Path, sizes: tuple[int, ...]) -> None:
    for n in sizes:
        folder = work / str(n)
        if (folder / "rehearsal.json").is_file():
            continue
        shutil.rmtree(folder, ignore_errors=True)
        many(Workspace(source), Workspace(folder / "data"), n)
        measured = []
        for step in steps(folder):
            click.echo(f"{n} clips: {step.name}")
            measured.append(measure(step, folder, folder / "log", None))
        write_down(folder / "rehearsal.json", n, 0, measured)
        show(measured, n)
        shutil.rmtree(folder / "data")
        shutil.rmtree(folder / "export")
    fit([work / str(n) for n in sizes])


def steps(folder: Path) -> list[Step]:
    def step(*words: str, fine: tuple[int, ...] = (0,)) -> Step:
        name = " ".join(word for word in words if not word.startswith(("-", "/")))
        return Step(name, (*FDPOSE, *words, "--data", str(folder / "data")), fine)

    nothing_left = step("annotate", "--auto", "--device", "cpu")
    return [
        step("info"),
        step("validate", fine=(0, 1)),
        replace(nothing_left, name="annotate, nothing left"),
        step("merge"),
        step("pack", "--cache"),
        step("verify"),
        *(step("export", name, "--out", str(folder / "export" / name)) for name in FORMATS),
    ]


def many(source: Workspace, target: Workspace, n: int) -> None:
    """A data directory of ``n`` clips, made of the clips of another."""
    short = [shortened(source, clip) for clip in read_clips(source)]
    made = []
    for i in range(n):
        clip, frames, poses = short[i % len(short)]
        key = ClipKey(f"{clip.key.video}_{i // len(short):04d}", clip.key.index)
        copied(frames, replace(frames, key=key, folder=target.frame_folder(key)), i)
        write_poses(target.pose_file("auto", key), poses)
        made.append(replace(clip, key=key))
    write_clips(target.clips_table, made)


def shortened(source: Workspace, clip: Clip) -> tuple[Clip, FrameFolder, ClipPoses]:
    """The middle of a clip, in one stage."""
    frames = open_frames(source, clip.key)
    start = len(frames.numbers) // 2 - FRAMES // 2
    part = slice(start, start + FRAMES)
    seconds = tuple(s - frames.seconds[start] for s in frames.seconds[part])
    cut = replace(frames, numbers=frames.numbers[part], names=frames.names[part], n_bytes=(), seconds=seconds)
    poses = read_poses(source.pose_file("auto", clip.key))
    first, last = cut.numbers[0], cut.numbers[-1]
    rows = np.flatnonzero((poses.frame >= first) & (poses.frame <= last))
    whole = replace(clip, start_frame=first, end_frame=last, n_frames=FRAMES, stage_starts=(), sub_actions=())
    return whole, cut, take_rows(poses, rows)


def copied(frames: FrameFolder, target: FrameFolder, mark: int) -> None:
    """Pictures under new names, linked but for the first, whose comment makes the clip another one."""
    target.folder.mkdir(parents=True)
    first, *others = frames.numbers
    jpeg = frames.jpeg(first)
    comment = f"{mark:08d}".encode()
    marked = jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]
    target.path(first).write_bytes(marked)
    for number in others:
        os.link(frames.path(number), target.folder / frame_name(number))
    jpegs = [target.jpeg(number) for number in target.numbers]
    write_manifest(replace(target, digest=digest_jpegs(jpegs), n_bytes=tuple(map(len, jpegs))))


if __name__ == "__main__":
    main()
