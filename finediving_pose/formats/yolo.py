"""Ultralytics' YOLO pose data sets: ``data.yaml``, pictures, one text file a picture.

Format: docs.ultralytics.com, "Pose estimation datasets". A line is class, box (centre, size), then
x, y, v of each joint; positions are fractions of the picture's width and height.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose import droppings
from finediving_pose.clip import ClipKey
from finediving_pose.documents import read_text
from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex, flat_clip
from finediving_pose.formats.registry import Annotations, PosedClip, Probe, reads, writes
from finediving_pose.formats.yolo_labels import Label, Layout, read_label, read_layout
from finediving_pose.frames import frame_name
from finediving_pose.poses import Visibility
from finediving_pose.skeleton import FLIP, JOINTS, LIMBS, N_JOINTS

_FOLDER = {"train": "train", "test": "val", "none": "train"}
"""Ultralytics validates on ``val``; dives without a split are for training."""

_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".JPG", ".JPEG", ".PNG")
"""A label file doesn't say which of these its picture has."""


@writes("yolo", "Ultralytics YOLO pose: data.yaml, images and labels for train and val", folder=True)
def write_yolo(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write ``<train or val>/images`` and ``/labels``; a picture is called ``<video>__<index>__<number>.jpg``.

    Ultralytics drops a picture with its labels where a position is outside of it, so such joints are written as
    absent, and boxes are cut to the picture.
    """
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
            lines = [_line(posed, row) for row in sorted(rows, key=lambda r: posed.poses.person[r])]
            text = "".join(f"{line}\n" for line in lines if line)
            (folder / "labels" / name).with_suffix(".txt").write_text(text)
    # without `path`, Ultralytics takes the folder of data.yaml; with one, the working directory's or its own
    config: dict[str, Any] = {
        "train": f"{'train' if 'train' in used else 'val'}/images",
        "val": f"{'val' if 'val' in used else 'train'}/images",
        "names": {0: "person"},
        "kpt_shape": [N_JOINTS, 3],
        "flip_idx": list(FLIP),
        "kpt_names": {0: list(JOINTS)},
        "node_names": list(JOINTS),
        "skeleton": [list(limb) for limb in LIMBS],
    }
    (out / "data.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def _line(posed: PosedClip, row: int) -> str:
    """The label of a pose; empty where no joint is in the picture."""
    size = np.array([posed.frames.width, posed.frames.height], np.float64)
    box = np.clip(posed.box(row).reshape(2, 2) / size, 0, 1)
    joints = posed.poses.keypoints[row] / size
    inside = np.asarray(((joints >= 0) & (joints <= 1)).all(1))  # NaN where absent
    if not inside.any():
        return ""
    seen = np.where(posed.poses.visibility[row] == Visibility.VISIBLE, 2, 1) * inside
    words = ["0", *(f"{v:.6f}" for v in (*box.mean(0), *(box[1] - box[0])))]
    for (x, y), v in zip(np.where(inside[:, None], joints, 0), seen, strict=True):
        words += [f"{x:.6f}", f"{y:.6f}", str(int(v))]
    return " ".join(words)


def _is_yolo(probe: Probe) -> bool:
    if probe.path.is_dir():
        labels = "*.txt" if probe.path.name == "labels" else "labels/*.txt"
        return (probe.path / "data.yaml").is_file() or any(droppings.found(probe.path, labels))
    return probe.path.name == "data.yaml"


@reads("yolo", _is_yolo)
def read_yolo(path: Path, index: FrameIndex) -> Annotations:
    """Every label file of a data set, or of ``predict(save_txt=True)`` with the ``data.yaml`` beside ``labels/``.

    The pictures need not be there: sizes are the stored frames'.
    """
    root = path if path.is_dir() else path.parent
    root = root.parent if root.name == "labels" else root
    layout = read_layout(root / "data.yaml")
    files = [f for f in sorted(droppings.found(root, "**/*.txt")) if "labels" in f.relative_to(root).parts]
    if not files:
        raise PoseError(f"{root}: no label files; expected labels/*.txt beside images/")
    found = Annotations()
    labels = {file: list(_labels(path, root, file, layout, found)) for file in files}
    measured = {file.parent for file in files if any(label.is_measured() for label in labels[file])}
    for file in files:
        key, number = _frame(root, file, index)
        size = np.array([index.folders[key].width, index.folders[key].height], np.float64)
        image, listing = f"{key}/{frame_name(number)}", str(file.relative_to(root))
        found.poses += [label.pose(image, size, listing, file.parent in measured) for label in labels[file]]
    return found


def _labels(path: Path, root: Path, file: Path, layout: Layout, found: Annotations) -> Iterator[Label]:
    for i, line in enumerate(read_text(file, PoseError).splitlines(), 1):
        if not line.strip():
            continue
        label = read_label(str(path), f"{file.relative_to(root)} line {i}", line, layout)
        if label is None:
            found.left_out["labels of other classes than divers"] += 1
        else:
            yield label


def _frame(root: Path, file: Path, index: FrameIndex) -> tuple[ClipKey, int]:
    """The frame that a label file belongs to: by its place under ``labels``."""
    parts = file.relative_to(root).parts
    at = parts.index("labels") + 1
    name = "/".join((*parts[at:-1], file.stem))
    return index.find(name + _ENDINGS[0], str(file), [name + ending for ending in _ENDINGS[1:]])
