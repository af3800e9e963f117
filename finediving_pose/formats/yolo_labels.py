"""One line of a YOLO pose label file, and what ``data.yaml`` says about its columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.documents import read_yaml
from finediving_pose.errors import PoseError
from finediving_pose.formats.joint_names import joint_indices
from finediving_pose.formats.registry import ImagePose
from finediving_pose.poses import Visibility
from finediving_pose.skeleton import JOINTS, N_JOINTS

_DIVERS = ("person", "diver", "athlete")
_PREDICTED_COLUMNS = 2
"""``predict`` adds the box's confidence (``save_conf``) and the track's number, either or both."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What ``data.yaml`` says.

    Attributes
    ----------
    axes : numbers of a joint: 2 (x, y), or 3 with visibility or confidence
    classes : names of the classes by their number
    orders : our index of each joint of the file, for the classes that are divers
    """

    axes: int
    classes: dict[int, str]
    orders: dict[int, list[int]]

    @property
    def width(self) -> int:
        """Numbers of a line."""
        return 5 + self.axes * N_JOINTS


def read_layout(path: Path) -> Layout:
    """Read a ``data.yaml``. Raises PoseError where it isn't of 16 keypoints, or doesn't name them."""
    if not path.is_file():
        raise PoseError(f"{path}: no such file; copy the data.yaml of the training set there, it names the keypoints")
    config = read_yaml(path, PoseError)
    shape = config.get("kpt_shape") if isinstance(config, dict) else None
    if shape is None:
        raise PoseError(f"{path}: no YOLO pose data set; expected kpt_shape: [{N_JOINTS}, 3]")
    if shape not in ([N_JOINTS, 3], [N_JOINTS, 2]):
        raise PoseError(f"{path}: kpt_shape is {str(shape)[:60]}, expected [{N_JOINTS}, 3] or [{N_JOINTS}, 2]")
    classes = _numbered(path, "names", config.get("names", ["person"]))
    divers = [n for n, name in classes.items() if len(classes) == 1 or str(name).strip().lower() in _DIVERS]
    if not divers:
        raise PoseError(f"{path}: names has no class person or diver; rename the divers' class to person")
    return Layout(int(shape[1]), classes, {n: _order(path, config, n) for n in divers})


def _numbered(path: Path, key: str, value: Any) -> dict[int, Any]:
    """A list, or a mapping by number, as YOLO's files have either."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    try:
        return {int(number): entry for number, entry in value.items()}
    except (AttributeError, TypeError, ValueError):
        raise PoseError(f"{path}: {key} is {str(value)[:60]}, expected a list, or a mapping by class number") from None


def _order(path: Path, config: dict[str, Any], number: int) -> list[int]:
    """Our index of each joint of a class: by ``kpt_names`` (Ultralytics) or ``node_names`` (sleap-io)."""
    named: dict[str, Any] = {"node_names": config.get("node_names")}
    names = config.get("kpt_names")
    flat = isinstance(names, list) and not any(isinstance(name, list) for name in names)
    named["kpt_names"] = names if flat or names is None else _numbered(path, "kpt_names", names).get(number)
    orders = {key: joint_indices(names, f"{path}: {key}") for key, names in named.items() if names is not None}
    if not orders:
        raise PoseError(
            f"{path}: doesn't name the keypoints, so their order isn't known; add kpt_names: {{{number}: [{JOINTS[0]},"
            f" ...]}}, the {N_JOINTS} joints in the order of the columns"
        )
    first, *others = orders.values()
    if any(other != first for other in others):
        raise PoseError(f"{path}: kpt_names and node_names have different orders; leave the wrong one out")
    return first


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """One line of a label file.

    Attributes
    ----------
    entry : where it is, in words
    order : our index of each joint
    box : float64 (4,), centre and size, shares of the picture
    joints : float64 (16, 2 or 3), x, y as shares of the picture and visibility or confidence, in the file's order
    predicted : it has columns that only ``predict`` writes
    """

    entry: str
    order: list[int]
    box: NDArray[np.float64]
    joints: NDArray[np.float64]
    predicted: bool

    @property
    def third(self) -> NDArray[np.float64] | None:
        return self.joints[:, 2] if self.joints.shape[1] == 3 else None

    def is_measured(self) -> bool:
        """Whether it is a model's work for sure: a joint's third number is a confidence, or there are more columns."""
        return self.predicted or (self.third is not None and not np.isin(self.third, (0, 1, 2)).all())

    def pose(self, image: str, size: NDArray[np.float64], listing: str, measured: bool) -> ImagePose:
        """The pose in pixels. ``measured``: lines beside it hold confidences; so do its numbers, unless one is 2."""
        third, position = self.third, self.joints[:, :2]
        written = (position != 0).any(1)
        confidence = None
        if third is None:
            seen = np.where(written & (position >= 0).all(1), Visibility.VISIBLE, Visibility.ABSENT)
        elif measured and (third <= 1).all():
            seen, confidence = np.where(written & (third > 0), Visibility.VISIBLE, Visibility.ABSENT), third
        else:
            seen, measured = third, False
        keypoints, visibility = np.full((N_JOINTS, 2), np.nan, np.float32), np.zeros(N_JOINTS, np.uint8)
        keypoints[self.order] = np.where(seen[:, None] > 0, position * size, np.nan)
        visibility[self.order] = seen
        if confidence is not None:
            confidence = np.zeros(N_JOINTS, np.float32) + confidence[np.argsort(self.order)].astype(np.float32)
        center, extent = self.box[:2] * size, self.box[2:] * size
        box = np.concatenate([center - extent / 2, center + extent / 2]).astype(np.float32)
        return ImagePose(
            image=image,
            entry=self.entry,
            keypoints=keypoints,
            visibility=visibility,
            confidence=confidence,
            box=box if (extent > 0).all() else None,
            predicted=measured,
            listing=listing,
        )


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def read_label(where: str, entry: str, line: str, layout: Layout) -> Label | None:
    """A line of a label file; None for a class that is no diver.

    Raises PoseError, beginning with ``where``, for a line of another layout or in pixels.
    """
    words = line.split()
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        values = np.array([])
    number = int(values[0]) if len(values) and values[0] in range(100_000) else None
    if number in layout.classes and number not in layout.orders:
        return None
    extra = len(values) - layout.width
    if not 0 <= extra <= _PREDICTED_COLUMNS or not np.isfinite(values).all() or number is None:
        columns = "x y" if layout.axes == 2 else "x y v"
        odd = next((word for word in words if not _is_number(word)), None)
        found = f"{odd!r:.40} among them" if odd else f"class {words[0]:.40}" if number is None and extra == 0 else None
        raise PoseError(
            f"{where}: {entry}: expected {layout.width} numbers (class, box, {columns} of {N_JOINTS} joints),"
            f" found {found or len(words)}"
        )
    if number not in layout.orders:
        raise PoseError(f"{where}: {entry}: class {number} is not in data.yaml's names; add it there")
    box, joints = values[1:5], values[5 : layout.width].reshape(N_JOINTS, layout.axes)
    shares = np.concatenate([box, joints[:, :2].reshape(-1)])
    if len(far := shares[(shares < -1) | (shares > 2)]):
        raise PoseError(
            f"{where}: {entry}: positions are shares of the picture, 0 to 1, found {far[0]:g}; divide x by its width"
            " and y by its height"
        )
    label = Label(entry, layout.orders[number], box, joints, predicted=extra > 0)
    third = label.third
    if third is not None and not (np.isin(third, (0, 1, 2)).all() or ((third >= 0) & (third <= 1)).all()):
        raise PoseError(
            f"{where}: {entry}: the third number of a joint is {third[np.argmax(np.abs(third - 0.5))]:g}, expected"
            " visibility (0, 1, 2) or confidence (0 to 1)"
        )
    return label
