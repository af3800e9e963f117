"""Skeletons over pictures.

The diver's right is a solid orange line, the left a dashed blue one, the middle a white one. The lines of the two
sides lie a little to either side of the limb, so that both are seen where they coincide. The less confident a joint
is, the fainter. Joints placed by hand are filled discs with a dark rim, automatic ones are small dots, interpolated
ones are rings; joints that are occluded have no disc and a thin limb; absent ones are not drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.poses import JointSource, Visibility
from finediving_pose.skeleton import FLIP, JOINTS, LIMBS

RIGHT, LEFT, MIDDLE = (255, 140, 40), (60, 160, 255), (245, 245, 245)
BOX, MARK, RIM = (120, 230, 120), (255, 70, 200), (20, 20, 20)
OFFSET = 1.4
"""How far the line of a side lies from its limb, pixels at thickness 1."""
DISC_OFFSET = 3.0
"""How far the large disc of a joint placed by hand lies from its place where it meets the one of the other side."""
SURE, FAINTEST = 0.5, 0.25
"""From this confidence on a joint is opaque; at confidence 0 it has this opacity."""
_DASH, _GAP = 6.0, 6.0  # the ends of a dash are round and reach two pixels into the gap
_SHIFT = 4  # sub-pixel bits of OpenCV's drawing calls
_DEPTH = {"hip": 1, "shoulder": 1, "knee": 2, "elbow": 2, "ankle": 3, "wrist": 3}
_OUTWARDS = [tuple(sorted(limb, key=lambda j: _DEPTH.get(JOINTS[j].rpartition("_")[2], 0))) for limb in LIMBS]
_SIDE = [{"right": 1, "left": -1}.get(name.partition("_")[0], 0) for name in JOINTS]
_PARENT = {b: a for a, b in _OUTWARDS}


def draw_pose(
    picture: NDArray[np.uint8],
    keypoints: NDArray[np.floating],
    visibility: NDArray[np.uint8],
    source: NDArray[np.uint8] | None = None,
    box: NDArray[np.floating] | None = None,
    *,
    confidence: NDArray[np.floating] | None = None,
    marked: Collection[int] = (),
    label: str = "",
    thickness: float = 1.0,
) -> NDArray[np.uint8]:
    """Draw one person into a copy of a picture.

    Parameters
    ----------
    picture : uint8 (height, width, 3), RGB
    keypoints : float (16, 2), pixels of the picture, NaN where absent
    visibility : int (16,), see :class:`~finediving_pose.poses.Visibility`
    source : int (16,), see :class:`~finediving_pose.poses.JointSource`; automatic where not given
    box : float (4,), x1 y1 x2 y2 in pixels; not drawn where not given or NaN
    confidence : float (16,), 0 to 1; all opaque where not given, as joints placed by hand always are
    marked : joints to draw a ring around, occluded ones included
    label : a word to write above the pose, such as the number of a diver
    thickness : of lines and discs; 1 suits pictures of a few hundred pixels
    """
    out = np.ascontiguousarray(picture).copy()
    keypoints = np.asarray(keypoints, float)
    present = (visibility != Visibility.ABSENT) & np.isfinite(keypoints).all(-1)
    source = np.full(len(keypoints), JointSource.AUTOMATIC) if source is None else source
    opacity = _opacity(confidence, source)
    if box is not None and np.isfinite(box).all():
        cv2.rectangle(out, _fixed(box[:2]), _fixed(box[2:]), BOX, max(1, round(thickness)), cv2.LINE_AA, _SHIFT)
    for a, b in _OUTWARDS:
        if present[a] and present[b]:
            seen = min(visibility[a], visibility[b]) == Visibility.VISIBLE
            draw_limb(out, keypoints[a], keypoints[b], _SIDE[b], seen, min(opacity[a], opacity[b]), thickness)
    places = _beside(keypoints, present, np.where(source == JointSource.MANUAL, DISC_OFFSET, OFFSET) * thickness)
    for j in np.flatnonzero(present & (visibility == Visibility.VISIBLE)):
        draw_joint(out, places[j], _SIDE[j], int(source[j]), opacity[j], thickness)
    for j in marked:
        if present[j]:
            for colour, wide in ((RIM, 4), (MARK, 2)):
                radius = round(8 * thickness * (1 << _SHIFT))
                cv2.circle(out, _fixed(keypoints[j]), radius, colour, round(wide * thickness), cv2.LINE_AA, _SHIFT)
    if label and present.any():
        _write(out, label, keypoints[present], thickness)
    return out


def draw_limb(
    picture: NDArray[np.uint8],
    start: NDArray[np.floating],
    end: NDArray[np.floating],
    side: int,
    seen: bool = True,
    opacity: float = 1.0,
    thickness: float = 1.0,
) -> None:
    """A limb from the body outwards, into the picture: right (``side`` 1), left (-1) or middle (0)."""
    start, end = np.clip([start, end], *_FAR)
    shift = side * OFFSET * thickness * _normal(start, end)
    start, end = start + shift, end + shift
    pieces = _dashes(start, end, thickness) if side < 0 else [(start, end)]

    def paint(on: NDArray[np.uint8], origin: NDArray[np.floating]) -> None:
        for colour, wide in ((RIM, 4 if seen else 3), (_colour(side), 2 if seen else 1)):
            width = _pixels(wide, thickness)
            for a, b in pieces:
                cv2.line(on, _fixed(a - origin), _fixed(b - origin), colour, width, cv2.LINE_AA, _SHIFT)

    _blend(picture, np.stack([start, end]), 4 * thickness, opacity, paint)


def draw_joint(
    picture: NDArray[np.uint8],
    place: NDArray[np.floating],
    side: int,
    source: int = JointSource.AUTOMATIC,
    opacity: float = 1.0,
    thickness: float = 1.0,
) -> None:
    """A joint into the picture, in the colour of its side and the form of its source."""
    forms = {
        JointSource.MANUAL: ((5, RIM, -1), (4, _colour(side), -1)),
        JointSource.INTERPOLATED: ((3, _colour(side), _pixels(1, thickness)),),
    }
    place = np.clip(place, *_FAR)

    def paint(on: NDArray[np.uint8], origin: NDArray[np.floating]) -> None:
        for radius, colour, wide in forms.get(JointSource(source), ((2, _colour(side), -1),)):
            size = round(radius * thickness * (1 << _SHIFT))
            cv2.circle(on, _fixed(place - origin), size, colour, wide, cv2.LINE_AA, _SHIFT)

    _blend(picture, place[None], 7 * thickness, opacity, paint)


def _write(picture: NDArray[np.uint8], label: str, points: NDArray[np.floating], thickness: float) -> None:
    """A word above the topmost of some points, inside the picture."""
    size = 0.5 * thickness
    x, y = np.clip(points[points[:, 1].argmin()] - [4 * thickness, 10 * thickness], *_FAR)
    at = (round(float(np.clip(x, 2, picture.shape[1] - 12 * thickness))), round(float(max(y, 14 * thickness))))
    for colour, wide in ((RIM, 4), (MIDDLE, 1)):
        cv2.putText(picture, label, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, _pixels(wide, thickness), cv2.LINE_AA)


def _opacity(confidence: NDArray[np.floating] | None, source: NDArray[np.uint8]) -> NDArray[np.floating]:
    if confidence is None:
        return np.ones(len(source))
    known = np.clip(np.nan_to_num(confidence) / SURE, 0, 1)
    return np.where(source == JointSource.MANUAL, 1.0, FAINTEST + (1 - FAINTEST) * known)


def _beside(
    keypoints: NDArray[np.floating], present: NDArray[np.bool_], offset: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Where joints are drawn: in their place, or beside it by the offset where the discs of a pair would overlap."""
    places = keypoints.copy()
    for j, parent in _PARENT.items():
        other = FLIP[j]
        if not (_SIDE[j] and present[j] and present[other]):
            continue
        if np.hypot(*(keypoints[j] - keypoints[other])) < 2 * offset[j]:
            known = present[parent] and present[FLIP[parent]]
            inner = (keypoints[parent] + keypoints[FLIP[parent]]) / 2 if known else keypoints[j] - [0, 1]
            outer = (keypoints[j] + keypoints[other]) / 2
            places[j] = keypoints[j] + _SIDE[j] * offset[j] * _normal(inner, outer)
    return places


def _normal(start: NDArray[np.floating], end: NDArray[np.floating]) -> NDArray[np.floating]:
    """The unit vector across a line; (1, 0) for a line without length."""
    x, y = end - start
    length = float(np.hypot(x, y))
    return np.array([-y, x]) / length if length > 1e-6 else np.array([1.0, 0.0])


def _dashes(start: NDArray[np.floating], end: NDArray[np.floating], thickness: float) -> list[tuple]:
    """Pieces of a line, the first and last of them at its ends."""
    length = float(np.hypot(*(end - start)))
    gaps = round((length / thickness - _DASH) / (_DASH + _GAP))
    if gaps < 1:
        return [(start, end)]
    step = (length + _GAP * thickness) / (gaps + 1)
    along = (end - start) / length
    return [(start + along * k * step, start + along * (k * step + step - _GAP * thickness)) for k in range(gaps + 1)]


def _blend(
    picture: NDArray[np.uint8],
    points: NDArray[np.floating],
    margin: float,
    opacity: float,
    paint: Callable[[NDArray[np.uint8], NDArray[np.floating]], None],
) -> None:
    """Paint into the part of the picture around some points, in full or faintly."""
    size = np.array(picture.shape[1::-1])
    low = np.clip(np.floor(points.min(0) - margin), 0, size).astype(int)
    high = np.clip(np.ceil(points.max(0) + margin) + 1, 0, size).astype(int)
    if (high <= low).any():
        return
    part = picture[low[1] : high[1], low[0] : high[0]]
    painted = part.copy()
    paint(painted, low.astype(float))
    part[:] = painted if opacity >= 1 else cv2.addWeighted(painted, opacity, part, 1 - opacity, 0)


_FAR = (-20000.0, 20000.0)
"""Points beyond are drawn there: far outside any picture, and within OpenCV's fixed-point numbers."""


def _fixed(point: NDArray[np.floating]) -> tuple[int, int]:
    """A point in OpenCV's fixed-point pixels."""
    x, y = np.clip(point, *_FAR) * (1 << _SHIFT)
    return round(float(x)), round(float(y))


def _pixels(width: float, thickness: float) -> int:
    return max(1, round(width * thickness))


def _colour(side: int) -> tuple[int, int, int]:
    return {1: RIGHT, -1: LEFT}.get(side, MIDDLE)
