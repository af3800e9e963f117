"""Feeds every importer with damaged copies of valid files: it must refuse each in one line, or take joints in.

Valid files are exports of a small data directory, and files as CVAT, Ultralytics and MPII write them. A case damages
one file of one of them: bytes turned, cut or doubled; values of JSON, YAML, XML, CSV, HDF5 and npz swapped for others
of the wrong type, length or size, or nested deep. It counts as a fault when the import raises anything but the
project's own error, when its message has several lines, when it succeeds with no joint, when it takes longer than 20
seconds of a processor, or when its process dies. Faulty inputs are kept.

    python benchmarks/fuzz_imports.py --minutes 10 --seed 1
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import random
import re
import resource
import shutil
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import simplejpeg
import yaml
from scipy.io import loadmat, savemat

from finediving_pose.clip import Clip, ClipKey, Split
from finediving_pose.errors import FdposeError
from finediving_pose.extraction.run import add_clips
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.formats.registry import writers
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.poses import ClipPoses, write_poses
from finediving_pose.skeleton import JOINTS
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

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 0.5, 3, 17, 1e9, 1e308, -1e308, 2**70, math.nan, math.inf, "", "x", "1", "nan",
    "\u0000", [], {}, [[]], [None], {"a": 1}, "head_top", [1, 2], [[1, 2]] * 16, "y" * 5000,
)  # fmt: skip


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


def damage(rng: random.Random, path: Path) -> str:
    """Change a file in place; returns what was done, in words."""
    by_suffix = {
        ".json": [_json, _json, _json, _text], ".yaml": [_yaml, _yaml, _text], ".xml": [_text], ".csv": [_text, _text],
        ".txt": [_text, _text], ".zip": [_zip, _zip, _zip], ".npz": [_npz], ".slp": [_hdf5, _hdf5],
        ".nwb": [_hdf5, _hdf5], ".h5": [_hdf5], ".mat": [_mat, _mat],
    }  # fmt: skip
    ways: list[Callable[[random.Random, Path], None]] = [_bytes, *by_suffix.get(path.suffix, [_bytes])]
    way = rng.choice(ways)
    way(rng, path)
    return f"{way.__name__.strip('_')} of {path.name}"


def _bytes(rng: random.Random, path: Path) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 2, 8))):
        at, length = rng.randrange(len(data) + 1), rng.choice((1, 2, 16, 300))
        kind = rng.randrange(5)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            data[at : at + length] = rng.randbytes(length)
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = data[at : at + length]
        elif data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(data))


def _swap(rng: random.Random, value: Any) -> Any:
    """The value with something in it swapped, doubled or left out."""
    inside = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not inside or rng.random() < 0.12:
        deep: Any = 1
        for _ in range(rng.choice((50, 70, 3000))):
            deep = [deep]
        return rng.choice([*ODD, deep]) if rng.random() < 0.97 else deep
    key = rng.choice(inside)
    kind = rng.random()
    if kind < 0.8:
        value[key] = _swap(rng, value[key])
    elif kind < 0.9 or isinstance(value, dict):
        del value[key]
    else:
        value.insert(key, value[key])
    return value


def _json(rng: random.Random, path: Path) -> None:
    content = _swap(rng, json.loads(path.read_text()))
    try:
        text = json.dumps(content)
    except RecursionError:
        text = "[" * 5000 + "]" * 5000
    path.write_text(text)


def _yaml(rng: random.Random, path: Path) -> None:
    try:
        path.write_text(yaml.safe_dump(_swap(rng, yaml.safe_load(path.read_text()))))
    except RecursionError:
        path.write_text("a: " + "[" * 3000 + "]" * 3000)


def _text(rng: random.Random, path: Path) -> None:
    """One word or number for another, a line doubled, left out or cut; a key doubled in JSON is a line here."""
    path.write_text(_changed(rng, path.read_text()))


def _changed(rng: random.Random, text: str) -> str:
    words = list(re.finditer(r"[-+\w.]+", text))
    kind = rng.random()
    if kind < 0.7 and words:
        for word in sorted(rng.sample(words, min(len(words), rng.choice((1, 1, 3)))), key=lambda w: -w.start()):
            text = text[: word.start()] + _word(rng) + text[word.end() :]
        return text
    pieces = re.split(r"(?<=[\n,>])", text)
    at = rng.randrange(len(pieces))
    if kind < 0.8:
        pieces.insert(at, pieces[at])
    elif kind < 0.9:
        del pieces[at]
    else:
        return "".join(pieces[:at])
    return "".join(pieces)


def _word(rng: random.Random) -> str:
    odd = rng.choice((*ODD, rng.choice(JOINTS), rng.randrange(100), "<!DOCTYPE a>", '"', ",", "&a;", "*a"))
    return odd if isinstance(odd, str) else json.dumps(odd)


def _zip(rng: random.Random, path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice([n for n in content if n.endswith((".xml", ".json"))])
    inner = path.with_name(f"inner-{Path(name).name}")
    inner.write_bytes(content[name])
    damage(rng, inner)
    content[name] = inner.read_bytes()
    inner.unlink()
    with zipfile.ZipFile(path, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def _npz(rng: random.Random, path: Path) -> None:
    content: dict[str, Any] = {rng.choice(("pred", "pred", "pred", "prd")): _array(rng, np.load(path)["pred"])}
    np.savez(path, **content)


def _mat(rng: random.Random, path: Path) -> None:
    """One field of a struct swapped."""
    content: dict[str, Any] = {"RELEASE": loadmat(path)["RELEASE"]}
    at = content["RELEASE"]
    while isinstance(at, np.ndarray) and at.dtype.names and at.size:
        struct, field = at.reshape(-1)[rng.randrange(at.size)], rng.choice(at.dtype.names)
        inner = struct[field]
        if rng.random() < 0.15 or not (isinstance(inner, np.ndarray) and inner.dtype.names):
            odd = rng.choice([v for v in ODD if isinstance(v, (float, str)) or v in (0, -1, 17)])
            struct[field] = rng.choice((odd, np.zeros((0, 0)), np.zeros(3), at[:, :0]))
            break
        at = inner
    savemat(path, content)


def _array(rng: random.Random, value: np.ndarray) -> np.ndarray:
    """The array with another shape, type or contents."""
    kind = rng.randrange(6)
    if kind == 0 and value.size:
        value = value.copy()
        numbers = value.dtype.kind in "fiu"
        if numbers:
            value.reshape(-1)[rng.randrange(value.size)] = rng.choice((0, 1, 100))
        return value
    if kind == 1:
        return value[: rng.randrange(len(value) + 1)] if value.ndim else value.reshape(1)
    if kind == 2:
        return np.zeros(value.shape, rng.choice(("f8", "i8", "u1", "c16", "S4", "?")))
    if kind == 3 and value.dtype.kind == "f":
        return np.full_like(value, rng.choice((math.nan, math.inf, 1e30, -5, 0, 0.5)))
    if kind == 4:
        return np.zeros(rng.choice(((), (0,), (1,), (96, 16), (3, 3, 3))))
    return value.reshape(-1)


def _hdf5(rng: random.Random, path: Path) -> None:
    """One data set replaced, or one set, group or attribute left out or swapped."""
    open_h5: Any = h5py.File
    with open_h5(path, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        item = file[name := rng.choice(names)]
        kind = rng.random()
        if kind < 0.2:
            del file[name]
        elif kind < 0.4 and len(item.attrs):
            key = rng.choice(sorted(item.attrs))
            del item.attrs[key]
            if rng.random() < 0.7:
                item.attrs[key] = rng.choice(("x", 3, 1e308, b"\xff", "[]", "{}", json.dumps([1, {"a": None}])))
        elif isinstance(item, h5py.Dataset):
            value, attributes = np.asarray(item[()]), dict(item.attrs)
            plain = value.dtype.kind in "fiub"
            changed = _array(rng, value) if plain else value[: rng.randrange(len(value) + 1)] if value.ndim else value
            del file[name]
            file.create_dataset(name, data=changed, dtype=None if plain else _text_type(value))
            for key, attribute in attributes.items():
                if not isinstance(attribute, h5py.Reference):
                    file[name].attrs[key] = attribute


def _text_type(value: np.ndarray) -> Any:
    """The type to store an array of texts, references or records with."""
    return h5py.string_dtype() if value.dtype.kind == "O" else value.dtype


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
    endings = {"slp": ".slp", "nwb": ".nwb", "cvat": ".zip"}
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
