"""DeepLabCut's annotations: a folder a clip with its pictures and ``CollectedData_<scorer>.csv``.

Format: DeepLabCut documentation, "standard/multi-animal user guide": header rows scorer,
individuals (multi-animal projects only), bodyparts, coords; one row a picture, named in one column
by its path or in three by the path's parts.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex, flat_clip
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.frames import frame_name
from finediving_pose.skeleton import INDEX, JOINTS, LIMBS, N_JOINTS

SCORER = "fdpose"
PERSONS = ("diver0", "diver1")

Header = list[tuple[int, str, int, int]]
"""Column, individual, joint, axis (0 for x, 1 for y)."""


@writes("dlc", "DeepLabCut: labeled-data folders with pictures and CSV files, config.yaml", folder=True)
def write_dlc(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write a multi-animal project's ``config.yaml`` and ``labeled-data/<video>__<index>/``."""
    import yaml

    for posed in clips:
        folder = out / "labeled-data" / flat_clip(posed.clip.key)
        folder.mkdir(parents=True)
        with open(folder / f"CollectedData_{SCORER}.csv", "w", newline="", encoding="utf-8") as f:
            table = csv.writer(f, lineterminator="\n")
            table.writerows(_header())
            for number, rows in posed.posed_frames():
                posed.put_picture(number, folder / frame_name(number))
                table.writerow(["labeled-data", folder.name, frame_name(number), *_values(posed, rows)])
    config = {
        "Task": "diving",
        "scorer": SCORER,
        "date": "",
        "multianimalproject": True,
        "identity": True,
        "project_path": ".",
        "video_sets": {f"videos/{flat_clip(p.clip.key)}.mp4": {"crop": _crop(p)} for p in clips},
        "individuals": list(PERSONS),
        "multianimalbodyparts": list(JOINTS),
        "uniquebodyparts": [],
        "bodyparts": "MULTI!",
        "skeleton": [[JOINTS[a], JOINTS[b]] for a, b in LIMBS],
        "dotsize": 4,
        "TrainingFraction": [0.95],
        "iteration": 0,
    }
    (out / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def _header() -> list[list[str]]:
    columns = [(person, joint, axis) for person in PERSONS for joint in JOINTS for axis in ("x", "y")]
    return [
        ["scorer", "", "", *[SCORER] * len(columns)],
        ["individuals", "", "", *(c[0] for c in columns)],
        ["bodyparts", "", "", *(c[1] for c in columns)],
        ["coords", "", "", *(c[2] for c in columns)],
    ]


def _values(posed: PosedClip, rows: list[int]) -> list[str]:
    joints = np.full((len(PERSONS), N_JOINTS, 2), np.nan)
    for row in rows:
        joints[posed.poses.person[row]] = posed.poses.keypoints[row]
    return [f"{v:.4f}" if np.isfinite(v) else "" for v in joints.reshape(-1).tolist()]


def _crop(posed: PosedClip) -> str:
    return f"0, {posed.frames.width}, 0, {posed.frames.height}"


def _is_dlc(probe: Probe) -> bool:
    if probe.path.is_dir():
        return (probe.path / "labeled-data").is_dir()
    if probe.path.suffix.lower() != ".csv":
        return False
    with open(probe.path, encoding="utf-8", errors="replace") as f:
        return f.readline().startswith("scorer,")


@reads("dlc", "a CSV file that begins with scorer, or a folder with labeled-data/", _is_dlc)
def read_dlc(path: Path, index: FrameIndex) -> Annotations:
    """A CSV file, or all ``CollectedData_*.csv`` of a project folder. The pictures need not be there."""
    if not path.is_dir():
        return Annotations(_read_csv(path))
    files = sorted(path.glob("labeled-data/*/CollectedData_*.csv"))
    if not files:
        raise PoseError(f"{path}: no labeled-data/*/CollectedData_*.csv in this folder; label the frames first")
    return Annotations([pose for file in files for pose in _read_csv(file)])


def _read_csv(path: Path) -> list[ImagePose]:
    try:
        with open(path, newline="", encoding="utf-8") as f:
            lines = [line for line in csv.reader(f) if line]
    except (OSError, ValueError, csv.Error) as e:
        raise PoseError(f"{path}: not a CSV file ({e})") from e
    levels = {line[0]: line for line in lines[:4] if line[0] in ("scorer", "individuals", "bodyparts", "coords")}
    if not {"bodyparts", "coords"} <= levels.keys():
        raise PoseError(f"{path}: no DeepLabCut table; expected header rows scorer, bodyparts, coords")
    header = _columns(path, levels)
    poses = []
    for line_number, line in enumerate(lines[len(levels) :], len(levels) + 1):
        image = "/".join(part for part in line[: min(c for c, *_ in header)] if part).replace("\\", "/")
        entry = f"line {line_number}, image {image}"
        for i, joints in enumerate(_joints(path, entry, line, header)):
            if np.isfinite(joints).all(1).any():
                poses.append(ImagePose.of_joints(image, entry, joints, person=i if i < 2 else None))
    return poses


def _columns(path: Path, levels: dict[str, list[str]]) -> Header:
    bodyparts, coords = levels["bodyparts"], levels["coords"]
    people = levels.get("individuals", [""] * len(bodyparts))
    unknown = next((b for b, c in zip(bodyparts, coords, strict=False) if c in ("x", "y") and b not in INDEX), None)
    if unknown:
        raise PoseError(f"{path}: bodypart {unknown!r} is none of the joints {', '.join(JOINTS)}; rename it")
    axes = {"x": 0, "y": 1}
    return [
        (c, people[c] if c < len(people) else "", INDEX[bodyparts[c]], axes[coords[c]])
        for c in range(min(len(bodyparts), len(coords)))
        if coords[c] in axes
    ]


def _joints(path: Path, entry: str, line: list[str], header: Header) -> list[np.ndarray]:
    """(16, 2) for each individual, in the order of the columns."""
    people: dict[str, np.ndarray] = defaultdict(lambda: np.full((N_JOINTS, 2), np.nan))
    for column, person, joint, axis in header:
        text = line[column].strip() if column < len(line) else ""
        try:
            people[person][joint, axis] = float(text) if text else np.nan
        except ValueError:
            raise PoseError(f"{path}: {entry}: {JOINTS[joint]} is {text!r}, expected a number or nothing") from None
    return list(people.values())
