"""People in a part of a frame, enlarged before the skeleton is drawn so that its lines stay thin."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.frames import FrameFolder
from finediving_pose.poses import ClipPoses, Visibility
from finediving_pose.report.lettering import PAPER
from finediving_pose.report.overlay import draw_pose


@dataclass(frozen=True, slots=True)
class Person:
    """One diver's pose in one frame: arrays as in :class:`~finediving_pose.poses.ClipPoses`, without the first axis.

    ``label`` is written above the diver: the number, where a clip has two.
    """

    keypoints: NDArray[Any]
    visibility: NDArray[Any]
    source: NDArray[Any]
    confidence: NDArray[Any]
    box: NDArray[Any]
    label: str = ""

    @property
    def is_there(self) -> bool:
        """Whether any joint has a place in the picture."""
        return bool(self.present.any())

    @property
    def present(self) -> NDArray[np.bool_]:
        """bool (16,), joints that have a place in the picture."""
        return (self.visibility != Visibility.ABSENT) & np.isfinite(self.keypoints).all(-1)

    def at(self, scale: NDArray[np.floating] | float, shift: NDArray[np.floating] | float = 0.0) -> Person:
        """The pose in another picture, whose pixels are ``pixel * scale + shift``."""
        box = (self.box.reshape(2, 2) * scale + shift).reshape(4)
        return replace(self, keypoints=self.keypoints * scale + shift, box=box)


def people_in(poses: ClipPoses | None, number: int) -> list[Person]:
    """The divers of a frame, the first one first; none where nobody is there. In clips of two they are numbered."""
    if poses is None:
        return []
    several = bool((poses.person > 0).any())
    rows = np.flatnonzero(poses.frame == number).tolist()
    people = [person_of(poses, row, str(poses.person[row] + 1) if several else "") for row in rows]
    return [p for p in people if p.is_there]


def person_of(poses: Any, at: Any, label: str = "") -> Person:
    """One pose out of arrays of poses: a row of ClipPoses, or (frame, person) of PackedPoses."""
    arrays = (poses.keypoints, poses.visibility, poses.source, poses.confidence, poses.box)
    return Person(*(array[at] for array in arrays), label=label)


def draw_people(
    picture: NDArray[np.uint8],
    people: Sequence[Person],
    *,
    boxes: bool = False,
    marked: Collection[int] = (),
    thickness: float = 1.0,
) -> NDArray[np.uint8]:
    """Skeletons into a copy of a picture; see :func:`draw_pose`."""
    for p in people:
        picture = draw_pose(
            picture, p.keypoints, p.visibility, p.source, p.box if boxes else None, confidence=p.confidence,
            marked=marked, label=p.label, thickness=thickness,
        )  # fmt: skip
    return picture


def draw_view(
    picture: NDArray[np.uint8],
    view: NDArray[np.floating],
    height: int,
    people: Sequence[Person],
    *,
    boxes: bool = False,
    marked: Collection[int] = (),
) -> NDArray[np.uint8]:
    """Part x1 y1 x2 y2 of a picture with people: uint8 (height, width, 3); what lies beyond the picture is dark."""
    scale = height / (view[3] - view[1])
    size = (round((view[2] - view[0]) * scale), height)
    shift = (0.5 - view[:2]) * scale - 0.5  # a pixel's centre is its coordinate, so an edge lies half a pixel before it
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    warped = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    tile = np.full((height, size[0], 3), PAPER, np.uint8)
    x1, y1 = (max(0, round(-edge * scale)) for edge in view[:2])
    x2, y2 = (max(0, round((n - edge) * scale)) for n, edge in zip(picture.shape[1::-1], view, strict=False))
    tile[y1:y2, x1:x2] = warped[y1:y2, x1:x2]
    return draw_people(tile, [p.at(scale, shift) for p in people], boxes=boxes, marked=marked)


def square_around(people: Sequence[Person], width: int, height: int) -> NDArray[np.floating]:
    """x1 y1 x2 y2 of a square around people, inside the picture; its middle where there are none."""
    points = np.concatenate([p.keypoints[p.present] for p in people] or [np.empty((0, 2))])
    if not len(points):
        left = (width - height) / 2
        return np.array([left, 0, left + height, height])
    half = min(max(float(np.ptp(points, axis=0).max()) * 0.62, 30.0), height / 2)
    size = np.array([width, height])
    centre = np.clip((points.min(0) + points.max(0)) / 2, half, np.maximum(size - half, half))
    return np.concatenate([centre - half, centre + half])


def square_views(
    frames: FrameFolder, poses: ClipPoses | None, numbers: Sequence[int], boxes: bool = False
) -> dict[int, NDArray[np.floating]] | None:
    """Squares x1 y1 x2 y2 of one size that follow the diver, by frame number; None where no frame has a pose.

    A frame without a pose takes the place of the nearest with one. With ``boxes`` a square holds the box, too, and
    may reach beyond the picture.
    """
    centres, sizes = {}, []
    for n in numbers:
        people = people_in(poses, n)
        if not people:
            continue
        points = np.concatenate([p.keypoints[p.present] for p in people])
        if boxes:
            points = np.concatenate([points, *(p.box.reshape(2, 2) for p in people)])
        points = points[np.isfinite(points).all(-1)]
        centres[n] = (points.min(0) + points.max(0)) / 2
        sizes.append(np.ptp(points, axis=0).max())
    if not sizes:
        return None
    picture = np.array([frames.width, frames.height])
    half = max(float(np.max(sizes)) * 0.62, 30.0)
    half = min(half, float(picture.max())) if boxes else min(half, frames.height / 2)
    known = np.array(sorted(centres))
    views = {}
    for n in numbers:
        centre = centres.get(n, centres[int(known[np.abs(known - n).argmin()])])
        centre = centre if boxes else np.clip(centre, half, np.maximum(picture - half, half))
        views[n] = np.concatenate([centre - half, centre + half])
    return views
