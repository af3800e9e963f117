"""Ultralytics' YOLO pose data sets: ``data.yaml``, pictures, one text file a picture.

Format: docs.ultralytics.com, "Pose estimation datasets". A line is class, box (centre, size), then
x, y, v of each joint; positions are fractions of the picture's width and height.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex, flat_clip
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.frames import frame_name
from finediving_pose.poses import Visibility
from finediving_pose.skeleton import FLIP, JOINTS, LIMBS, N_JOINTS

_FOLDER = {"train": "train", "test": "val", "none": "train"}
"""Ultralytics validates on ``val``; dives without a split are for training."""


@writes("yolo", "Ultralytics YOLO pose: data.yaml, images and labels for train and val", folder=True)
def write_yolo(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write ``<train or val>/images`` and ``/labels``; a picture is called ``<video>__<index>__<number>.jpg``."""
    import yaml

    used = sorted({_FOLDER[p.clip.split] for p in clips})
    for folder in used:
        for kind in ("images", "labels"):
            (out / folder / kind).mkdir(parents=True)
    for posed in clips:
        folder = out / _FOLDER[posed.clip.split]
        for number, rows in posed.posed_frames():
            name = f"{flat_clip(posed.clip.key)}__{frame_name(number)}"
            posed.put_picture(number, folder / "images" / name)
            text = "".join(_line(posed, row) + "\n" for row in sorted(rows, key=lambda r: posed.poses.person[r]))
            (folder / "labels" / name).with_suffix(".txt").write_text(text)
    config: dict[str, Any] = {
        "path": ".",
        "train": f"{'train' if 'train' in used else 'val'}/images",
        "val": f"{'val' if 'val' in used else 'train'}/images",
        "names": {0: "person"},
        "kpt_shape": [N_JOINTS, 3],
        "flip_idx": list(FLIP),
        "node_names": list(JOINTS),
        "skeleton": [list(limb) for limb in LIMBS],
    }
    (out / "data.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def _line(posed: PosedClip, row: int) -> str:
    size = np.array([posed.frames.width, posed.frames.height], np.float64)
    box = np.clip(posed.box(row).reshape(2, 2) / size, 0, 1)
    present = np.isfinite(posed.poses.keypoints[row]).all(1)
    seen = np.where(posed.poses.visibility[row] == Visibility.VISIBLE, 2, 1) * present
    joints = np.where(present[:, None], posed.poses.keypoints[row], 0) / size
    words = ["0", *(f"{v:.6f}" for v in (*box.mean(0), *(box[1] - box[0])))]
    for (x, y), v in zip(joints, seen, strict=True):
        words += [f"{x:.6f}", f"{y:.6f}", str(int(v))]
    return " ".join(words)


def _is_yolo(probe: Probe) -> bool:
    return probe.path.name == "data.yaml" or (probe.path.is_dir() and (probe.path / "data.yaml").is_file())


@reads("yolo", "data.yaml, or a folder with one", _is_yolo)
def read_yolo(path: Path, index: FrameIndex) -> Annotations:
    """Every label file of the data set. The pictures need not be there: sizes are the stored frames'."""
    root = path if path.is_dir() else path.parent
    order = _joint_order(root / "data.yaml")
    files = sorted(f for f in root.rglob("*.txt") if "labels" in f.relative_to(root).parts)
    if not files:
        raise PoseError(f"{root}: no label files; expected labels/*.txt beside images/")
    poses = []
    for file in files:
        key, number = index.find(_picture(root, file), f"{file}")
        size = np.array([index.folders[key].width, index.folders[key].height], np.float64)
        for i, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if line.strip():
                entry = f"{file.relative_to(root)} line {i}"
                poses.append(_pose(f"{key}/{frame_name(number)}", path, entry, line, size, order))
    return Annotations(poses)


def _picture(root: Path, file: Path) -> str:
    """Name of the picture that a label file belongs to: its place under ``labels``."""
    parts = file.relative_to(root).with_suffix(".jpg").parts
    return "/".join(parts[parts.index("labels") + 1 :])


def _pose(image: str, path: Path, entry: str, line: str, size: np.ndarray, order: list[int]) -> ImagePose:
    try:
        values = np.array([float(word) for word in line.split()])
    except ValueError:
        values = np.array([])
    if len(values) != 5 + 3 * N_JOINTS or not np.isfinite(values).all():
        raise PoseError(
            f"{path}: {entry}: expected {5 + 3 * N_JOINTS} numbers (class, box, x y v of {N_JOINTS} joints),"
            f" found {len(line.split())} words"
        )
    triples = np.zeros((N_JOINTS, 3))
    triples[order] = values[5:].reshape(-1, 3)
    visibility = np.clip(triples[:, 2], 0, 2).astype(np.uint8)
    center, extent = values[1:3] * size, values[3:5] * size
    return ImagePose(
        image=image,
        entry=entry,
        keypoints=np.where(visibility[:, None] > 0, triples[:, :2] * size, np.nan).astype(np.float32),
        visibility=visibility,
        box=np.concatenate([center - extent / 2, center + extent / 2]).astype(np.float32),
    )


def _joint_order(path: Path) -> list[int]:
    """Our index of each joint of the file: by ``node_names`` where it has them, else MPII order."""
    import yaml

    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        shape = config["kpt_shape"]
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as e:
        raise PoseError(
            f"{path}: no YOLO pose data set; expected kpt_shape: [{N_JOINTS}, 3] ({type(e).__name__})"
        ) from e
    if shape != [N_JOINTS, 3]:
        raise PoseError(f"{path}: kpt_shape is {shape}, expected [{N_JOINTS}, 3]")
    names = config.get("node_names") or list(JOINTS)
    if sorted(map(str, names)) != sorted(JOINTS):
        raise PoseError(f"{path}: node_names are not the joints {', '.join(JOINTS)}; rename them")
    return [JOINTS.index(n) for n in names]
