"""A small data directory with something of everything, and commands on it in processes of their own.

Six clips of six pictures with automatic, hand and merged poses, and a packed file. Commands run in processes that are
forked from this one, so that nothing is spent on imports.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextvars import Context
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError
from finediving_pose.extraction.clips_table import add_clips
from finediving_pose.extraction.run import extract_frames
from finediving_pose.frames import digest_jpegs, open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.packed.verify import verify_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import ClipPoses, JointSource, read_poses, write_poses
from finediving_pose.workspace import Workspace

FRAMES = 6
KEYS = [ClipKey(video, i) for video in ("cup", "meet") for i in range(3)]
AUTHORS = {"diver-r18": JointSource.AUTOMATIC, "anna": JointSource.MANUAL}
FORK = multiprocessing.get_context("fork")


# -- a small data directory -----------------------------------------------------------------------------------------


def pictures(folder: Path, seed: int) -> None:
    """Pictures of 96 x 64 with something in the middle."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for i in range(FRAMES):
        picture = np.full((64, 96, 3), int(rng.integers(30, 220)), np.uint8)
        picture[10:50, 30:60] = (200, 120, 40)
        (folder / f"{i:05d}.jpg").write_bytes(simplejpeg.encode_jpeg(picture))


def poses(author: str, source: JointSource, shift: float, frames: range = range(FRAMES)) -> ClipPoses:
    n = len(frames)
    joints = np.tile(np.linspace(10, 50, 32).reshape(16, 2) + shift, (n, 1, 1))
    return ClipPoses(
        frame=np.array(frames),
        person=np.zeros(n),
        box=np.tile([5, 5, 60, 60], (n, 1)),
        keypoints=joints,
        visibility=np.full((n, 16), 2),
        confidence=np.ones((n, 16)),
        source=np.full((n, 16), source),
        author=[author] * n,
        time=["2026-01-01T00:00:00+00:00"] * n,
    )


def make_data(folder: Path) -> Workspace:
    """Clips with every layer of poses, and a packed file; ``in`` and ``hand.json`` are what more can be made from."""
    workspace = Workspace(folder / "data")
    for seed, key in enumerate(KEYS):
        pictures(folder / "in" / key.video / str(key.index), seed)
    extract_frames(workspace, folder / "in", jobs=1)
    labels = {"action_type": "107b", "difficulty": 3.0, "stage_starts": (2, 4), "sub_actions": (1, 2, 3)}
    splits = ["train"] * (len(KEYS) - 2) + ["test"] * 2
    add_clips(
        workspace,
        [
            Clip(key, split=split, dive_score=50.0 + key.index, source="synthetic", **labels)  # type: ignore[arg-type]
            for key, split in zip(KEYS, splits, strict=True)
        ],
    )
    for key in KEYS:
        machine, hand = (poses(author, source, key.index) for author, source in AUTHORS.items())
        write_poses(workspace.pose_file("auto", key), machine)
        write_poses(workspace.pose_file("merged", key), hand)
        write_poses(workspace.pose_file("manual/anna", key), poses("anna", JointSource.MANUAL, key.index, range(1, 4)))
    joints, visible = np.linspace(12, 55, 32).reshape(16, 2).tolist(), [1] * 16
    entries = [
        {"image": f"{key}/{n:05d}.jpg", "joints": joints, "joints_vis": visible} for key in KEYS for n in range(3)
    ]
    (folder / "hand.json").write_text(json.dumps(entries))
    write_packed(workspace, cache=True)
    return workspace


# -- what is whole ----------------------------------------------------------------------------------------------------


def whole(root: Path) -> set[str]:
    """Names of everything in a data directory, and beside it, that can be read."""
    return {name for name, read in _things(root) if _can(read)}


def _can(read: Callable[[], object]) -> bool:
    try:
        return read() is not False
    except (FdposeError, OSError, ValueError, KeyError, RuntimeError):
        return False


def _things(root: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    from annotate.estimators.checkpoint import read_checkpoint
    from baselines.runs.results import read_run

    workspace = Workspace(root / "data")
    yield "clips.parquet", lambda: read_clips(workspace)
    for key in KEYS:
        yield f"frames/{key}", lambda key=key: _pictures_are_whole(workspace, key)
    for path in workspace.poses.rglob("*.parquet"):
        if not path.name.startswith("."):
            yield from _frames_of(path, str(path.relative_to(workspace.root)))
    for path in (workspace.root / "estimators").glob("*/*.pth"):
        yield str(path.relative_to(workspace.root)), lambda path=path: read_checkpoint(path)
    for folder in workspace.runs.glob("[!.]*") if workspace.runs.is_dir() else ():
        yield f"runs/{folder.name}", lambda folder=folder: read_run(folder)
    yield "finediving_pose.h5", lambda: verify_packed(workspace.packed).whole
    yield "export", lambda: _export_is_whole(root / "yolo")


def _frames_of(path: Path, name: str) -> Iterator[tuple[str, Callable[[], object]]]:
    for frame in read_poses(path).frame.tolist() if _can(lambda: read_poses(path)) else ():
        yield f"{name}: {frame}", lambda: True


def _pictures_are_whole(workspace: Workspace, key: ClipKey) -> bool:
    frames = open_frames(workspace, key)
    return digest_jpegs(frames.jpeg(n) for n in frames.numbers) == frames.digest


def _export_is_whole(folder: Path) -> bool:
    from finediving_pose.formats.export_record import changed_since, read_record, record_path

    record = read_record(record_path(folder))
    return record is not None and not changed_since(folder, record)


# -- processes ----------------------------------------------------------------------------------------------------


def shorten_trainings() -> None:
    """An epoch of finetune is one step: a kill may come before, in and after any of three checkpoints."""
    import annotate.training.finetune
    import annotate.training.train

    annotate.training.train.STEPS_PER_EPOCH = 1
    annotate.training.finetune.MEASURED = 2


def import_everything() -> None:
    """Once, for all the processes that are forked from this one."""
    import torch

    import finediving_pose.formats.export  # noqa: F401

    torch.set_num_threads(1)


def run(words: list[str], log: Path) -> int:
    """Run a command to its end in a process of its own; its exit code."""
    child = start(words, log)
    child.join()
    return child.exitcode if child.exitcode is not None else -1


def start(words: list[str], log: Path) -> BaseProcess:
    child = FORK.Process(target=Context().run, args=(_main, words, log))
    child.start()
    return child


def _main(words: list[str], log: Path) -> None:
    from finediving_pose.cli import main

    os.setsid()  # so that it can be killed with all that it started
    file = open(log, "w", buffering=1, encoding="utf-8")  # noqa: SIM115  (until the process ends)
    for number in (1, 2):
        os.dup2(file.fileno(), number)
    sys.stdout = sys.stderr = file
    main(words)


def kill(child: BaseProcess) -> bool:
    """Kill it and its children; whether it was still running."""
    running = child.is_alive()
    try:
        os.killpg(child.pid or 0, signal.SIGKILL)
    except ProcessLookupError:
        child.kill()
    child.join()
    return running and child.exitcode == -signal.SIGKILL


def last_line(log: Path) -> str:
    """The last line that a command wrote."""
    return (log.read_text(errors="replace").strip().splitlines() or [""])[-1]
