"""DeepLabCut's annotations: a folder a clip with its pictures and ``CollectedData_<scorer>.csv`` or ``.h5``.

Format: DeepLabCut documentation, "standard/multi-animal user guide": header rows scorer,
individuals (multi-animal projects only), bodyparts, coords; one row a picture, named in one column
by its path or in three by the path's parts.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from finediving_pose import droppings
from finediving_pose.errors import PoseError
from finediving_pose.formats.deeplabcut_tables import (
    PointTable,
    is_point_csv,
    is_point_hdf5,
    read_point_csv,
    read_point_hdf5,
)
from finediving_pose.formats.frame_index import FrameIndex, flat_clip
from finediving_pose.formats.joint_names import joint_index
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.frames import frame_name
from finediving_pose.skeleton import JOINTS, LIMBS, N_JOINTS

SCORER = "fdpose"
PERSONS = ("diver0", "diver1")

_TABLES = (".csv", ".tsv", ".txt")
_HDF5 = (".h5", ".hdf5")


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
    if probe.path.suffix.lower() in _HDF5:
        return is_point_hdf5(probe.path)
    return probe.path.suffix.lower() in _TABLES and is_point_csv(probe.path)


@reads("dlc", _is_dlc)
def read_dlc(path: Path, index: FrameIndex) -> Annotations:
    """A CSV or HDF5 table, or all ``CollectedData_*`` of a project folder. The pictures need not be there.

    A table with likelihoods holds a model's predictions. Of a CSV and an HDF5 table of one name the CSV is read.
    """
    if not path.is_dir():
        return _poses(path, index)
    csvs = {file.with_suffix(""): file for file in _collected(path, ".csv")}
    files = {file.with_suffix(""): file for file in _collected(path, ".h5")} | csvs
    if not files:
        sheets = next(droppings.found(path, "labeled-data/*/CollectedData_*.xls*"), None)
        if sheets:
            raise PoseError(f"{sheets}: a spreadsheet's own file; save it as CSV beside it, under the same name")
        raise PoseError(f"{path}: no labeled-data/*/CollectedData_*.csv in this folder; label the frames first")
    found = Annotations()
    for file in sorted(files.values()):
        of_file = _poses(file, index)
        found.poses += of_file.poses
        found.told += [sentence for sentence in of_file.told if sentence not in found.told]
    return found


def _collected(path: Path, ending: str) -> Iterator[Path]:
    """The tables of a project."""
    return droppings.found(path, f"labeled-data/*/CollectedData_*{ending}")


def _poses(path: Path, index: FrameIndex) -> Annotations:
    table = read_point_hdf5(path) if path.suffix.lower() in _HDF5 else read_point_csv(path)
    unknown = next((c.bodypart for c in table.columns if joint_index(c.bodypart) is None), None)
    if unknown is not None:
        raise PoseError(f"{path}: bodypart {unknown!r} is none of the joints {', '.join(JOINTS)}; rename it")
    named = [(c.individual, joint_index(c.bodypart), c.coord) for c in table.columns]
    if len(set(named)) < len(named):
        raise PoseError(f"{path}: two columns hold the same coordinate of one joint; rename or delete one")
    individuals = list(dict.fromkeys(c.individual for c in table.columns))
    found = Annotations()
    if len(individuals) > 2:
        found.told.append(f"{path.name} has columns for {len(individuals)} individuals; at most two dive in a frame")
    predicted = any(c.coord == "likelihood" for c in table.columns)
    for name in individuals:
        points = _points(table, name, path)
        person = individuals.index(name) if len(individuals) < 3 else None
        person = PERSONS.index(name) if name in PERSONS else None if set(PERSONS) & set(individuals) else person
        for row in np.flatnonzero(np.isfinite(points[..., :2]).all(-1).any(-1)).tolist():
            entry = table.entries[row]
            image = _image(path, table.images[row], entry, index)
            known = {"person": person, "annotator": None if predicted else table.scorer or None}
            if predicted:
                known |= {"predicted": True, "confidence": np.nan_to_num(points[row, :, 2]).astype(np.float32)}
            found.poses.append(ImagePose.of_joints(image, entry, points[row, :, :2], listing=entry, **known))
    return found


def _points(table: PointTable, individual: str, path: Path) -> np.ndarray:
    """x, y and likelihood of an individual's joints: (rows, 16, 3), NaN where there are none."""
    points = np.full((len(table.images), N_JOINTS, 3), np.nan)
    for i, column in enumerate(table.columns):
        joint = joint_index(column.bodypart)
        if column.individual == individual and joint is not None and column.coord in _COORDS:
            points[:, joint, _COORDS.index(column.coord)] = table.values[:, i]
    half = np.argwhere(np.isnan(points[..., 0]) != np.isnan(points[..., 1]))
    if len(half):
        row, joint = half[0]
        has, lacks = ("x", "y") if np.isnan(points[row, joint, 1]) else ("y", "x")
        raise PoseError(
            f"{path}: {table.entries[row]}: {JOINTS[joint]} has {has} and no {lacks}; give both, or neither"
        )
    return points


_COORDS = ("x", "y", "likelihood")


def _image(path: Path, image: str, entry: str, index: FrameIndex) -> str:
    """The picture of a row; in a video's predictions, which count frames, that of the clip whose video it is."""
    if not image.isdigit():
        return image
    video = re.sub(r"DLC_.*$", "", path.stem)
    frames = next((f for f in index.folders.values() if flat_clip(f.key) == video), None)
    if frames is None:
        raise PoseError(
            f"{path}: {entry}: a row of the video {video}, whose size the file does not say; predict on the clip's"
            " pictures instead, as fdpose export dlc writes them"
        )
    if int(image) >= len(frames.numbers):
        raise PoseError(f"{path}: {entry}: {frames.key} has {len(frames.numbers)} frames; extract it again")
    return f"{frames.key}/{frame_name(frames.numbers[int(image)])}"
