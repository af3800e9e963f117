"""Feeds every importer with damaged copies of valid files: it must refuse each in one line, or take joints in.

Valid files are exports of a small data directory, and files as CVAT, Ultralytics and MPII write them. A case damages
one file of one of them: bytes turned, cut or doubled; values of JSON, YAML, XML, CSV, HDF5 and npz swapped for others
of the wrong type, length or size, or nested deep. It counts as a fault when the import raises anything but the
project's own error, when its message has several lines, when it succeeds with no joint, when it takes longer than 20
seconds of a processor, or when its process dies. Faulty inputs are kept.

    python -m benchmarks.fuzz_imports --minutes 10 --seed 1
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import random
import resource
import shutil
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from scipy.io import savemat

from benchmarks.damage import damage
from finediving_pose.clip import Clip, ClipKey, Split
from finediving_pose.errors import FdposeError
from finediving_pose.extraction.clips_table import add_clips
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.formats.registry import writers
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.poses import ClipPoses, write_poses
from finediving_pose.workspace import Workspace

HANG = 20.0
"""Seconds of processor time after which an import counts as hung; it may wait for a busy processor."""
WAIT = 180.0
"""Seconds of waiting after which it counts as hung whatever it used."""
MEMORY = 12 << 30
"""Bytes of addresses that an import may ask for."""

WIDTH, HEIGHT, FRAMES = 64, 48, 4
SPLITS: tuple[tuple[str, int, Split], ...] = (("A", 1, "train"), ("B", 2, "test"))
CLIPS = [
    Clip(ClipKey(video, index), split, "107b", 3.0, 76.5, (8.5, 8.5, 8.5), 0, FRAMES - 1,
         stage_starts=(1, 2), sub_actions=(3, 24, 36))
    for video, index, split in SPLITS
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Valid:
    """A file or folder that is taken in whole, and the name of its format."""

    name: str
    format: str
    path: Path


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", help="only this one, as the table names it")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-faults"), help="folder for inputs with faults")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = fuzz(Path(folder), given.seed, seconds=60 * given.minutes, keep=given.keep, only=given.format)
    outcomes = sorted({outcome for _, outcome in counts})
    names = sorted({name for name, _ in counts})
    print(f"seed {given.seed}, {sum(counts.values()):,} cases\n{'':12}" + "".join(f"{o:>12}" for o in outcomes))
    for name in [*names, "all"]:
        row = [sum(n for (k, o), n in counts.items() if o == outcome and name in (k, "all")) for outcome in outcomes]
        print(f"{name:12}" + "".join(f"{n:12,}" for n in row))
    raise SystemExit(any(outcome not in ("refused", "taken in") for outcome in outcomes))


def fuzz(
    folder: Path, seed: int, *, seconds: float = math.inf, cases: float = math.inf, keep: Path, only: str | None = None
) -> Counter[tuple[str, str]]:
    """Cases by the valid file's name and the outcome, until the time or the number of cases is over."""
    workspace = Workspace(folder / "data")
    make_data(workspace)
    valid = [v for v in make_valid(workspace, folder / "valid") if only in (None, v.name)]
    rng = random.Random(seed)
    counts: Counter[tuple[str, str]] = Counter()
    end, case, worker = time.monotonic() + seconds, 0, Worker(workspace)
    while time.monotonic() < end and case < cases:
        chosen = valid[case % len(valid)]
        copy = folder / "case" / chosen.path.name
        shutil.rmtree(copy.parent, ignore_errors=True)
        copy.parent.mkdir()
        (shutil.copytree if chosen.path.is_dir() else shutil.copyfile)(chosen.path, copy)
        how = damage(rng, rng.choice(sorted(p for p in (copy.rglob("*") if copy.is_dir() else [copy]) if _counts(p))))
        outcome, said = worker.take_in(copy, chosen.format if rng.random() < 0.8 else None, rng.random() < 0.8)
        counts[chosen.name, outcome] += 1
        if outcome not in ("refused", "taken in"):
            kept = keep / f"{seed}-{case}"
            shutil.copytree(copy.parent, kept, dirs_exist_ok=True)
            print(f"{chosen.name}, {how}: {outcome}: {said}\n  kept in {kept}", flush=True)
        case += 1
    worker.stop()
    return counts


def _counts(path: Path) -> bool:
    return path.is_file() and path.suffix not in (".jpg", ".pkl", ".parquet")


class Worker:
    """A process that imports, and that is replaced where it hangs or dies."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.here, there = context.Pipe()
        # no daemon: the importer of MATLAB files has a process of its own
        self.process = context.Process(target=_serve, args=(there, self.workspace))
        self.process.start()
        there.close()
        self.here.recv()  # it has imported what it needs

    def take_in(self, path: Path, format: str | None, everything: bool) -> tuple[str, str]:
        """What came of an import, and what it said."""
        self.here.send((path, format, everything))
        used, end = self.used(), time.monotonic() + WAIT
        try:
            while time.monotonic() < end and self.used() < used + HANG:
                if self.here.poll(HANG / 4):
                    return self.here.recv()
            outcome = "hang"
        except (EOFError, ConnectionResetError):
            outcome = "death"
        self.stop()
        self.start()
        return outcome, ""

    def used(self) -> float:
        """Seconds of processor time that the process has used (Linux)."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.kill()
        self.process.join()


def _serve(pipe: Any, workspace: Workspace) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    writers()
    pipe.send("ready")
    while True:
        path, format, everything = pipe.recv()
        shutil.rmtree(workspace.poses / "manual", ignore_errors=True)
        try:
            intake = take_in(workspace, CLIPS, [path], "fuzz", format, everything=everything)
            joints = sum(intake.layers.values())
            pipe.send(("taken in" if joints else "empty", f"{joints} joints"))
        except FdposeError as e:
            pipe.send(("refused" if len(str(e).splitlines()) == 1 else "many lines", str(e)))
        except BaseException:
            pipe.send(("traceback", traceback.format_exc()[-600:]))


def make_data(workspace: Workspace) -> None:
    """Two clips of four frames; two divers in the first."""
    rng = np.random.default_rng(0)
    for clip in CLIPS:
        folder = workspace.frame_folder(clip.key)
        folder.mkdir(parents=True)
        pictures = [
            simplejpeg.encode_jpeg(rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8), quality=50)
            for _ in range(FRAMES)
        ]
        for number, picture in enumerate(pictures):
            (folder / frame_name(number)).write_bytes(picture)
        numbers = tuple(range(FRAMES))
        names = tuple(f"{n}.jpg" for n in numbers)
        write_manifest(
            FrameFolder(clip.key, folder, numbers, WIDTH, HEIGHT, "a test", names, 25.0, digest_jpegs(pictures))
        )
        pairs = [(n, person) for n in numbers for person in ((0, 1) if clip.key.index == 1 else (0,))]
        n = len(pairs)
        write_poses(
            workspace.pose_file("auto", clip.key),
            ClipPoses(
                frame=np.array([f for f, _ in pairs]),
                person=np.array([p for _, p in pairs]),
                box=np.tile([2, 2, 60, 46], (n, 1)),
                keypoints=rng.uniform(3, 45, (n, 16, 2)),
                visibility=rng.integers(1, 3, (n, 16)),
                confidence=rng.uniform(0.3, 1, (n, 16)),
                source=np.ones((n, 16)),
                author=["net"] * n,
                time=["2026-01-01T00:00:00+00:00"] * n,
            ),
        )
    add_clips(workspace, CLIPS)


def make_valid(workspace: Workspace, folder: Path) -> list[Valid]:
    """An export of every format, and files as other tools write them."""
    endings = {"slp": ".slp", "nwb": ".nwb", "cvat": ".zip", "csv": ".csv"}
    found = []
    for name, writer in writers().items():
        path = folder / name / (name if writer.folder else f"{name}{endings.get(name, '.json')}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export(workspace, CLIPS, name, path)
        found.append(Valid(name, writer.reader, path))
    with zipfile.ZipFile(folder / "cvat" / "cvat.zip") as archive:
        (folder / "annotations.xml").write_bytes(archive.read("annotations.xml"))
    with zipfile.ZipFile(folder / "coco.zip", "w") as archive:
        archive.write(folder / "coco" / "coco.json", "annotations/person_keypoints_default.json")
    predict = folder / "predict"
    (predict / "labels").mkdir(parents=True)
    shutil.copyfile(folder / "yolo" / "yolo" / "data.yaml", predict / "data.yaml")
    for number in range(FRAMES):
        joints = " ".join(f"{0.3 + j / 40:g} {0.2 + j / 30:g} {0.5 + j / 40:g}" for j in range(16))
        (predict / "labels" / f"A__1__{number:05d}.txt").write_text(f"0 0.5 0.5 0.8 0.8 {joints} 0.9\n")
    _write_mat(folder / "mpii.mat")
    return [
        *found,
        Valid("cvat-xml", "cvat", folder / "annotations.xml"),
        Valid("coco-zip", "coco", folder / "coco.zip"),
        Valid("yolo-predict", "yolo", predict),
        Valid("mpii", "mpii", folder / "mpii.mat"),
    ]


def _write_mat(path: Path) -> None:
    def structs(rows: list[dict[str, Any]]) -> np.ndarray:
        array = np.empty((1, len(rows)), [(name, object) for name in rows[0]])
        for i, row in enumerate(rows):
            array[0, i] = tuple(row.values())
        return array

    points = structs([{"x": 5.0 + 2 * j, "y": 4.0 + 2 * j, "id": j, "is_visible": 1} for j in range(16)])
    people = structs([{"annopoints": structs([{"point": points}]), "scale": 0.2}])
    entries = [{"image": structs([{"name": f"A/1/{n:05d}.jpg"}]), "annorect": people} for n in range(FRAMES)]
    savemat(path, {"RELEASE": structs([{"annolist": structs(entries)}])})


if __name__ == "__main__":
    main()
