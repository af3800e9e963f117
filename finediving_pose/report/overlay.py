"""Skeletons over pictures, and contact sheets of a dive.

The diver's right is orange, the left is blue, the middle is white. Joints placed by hand
are filled discs with a dark rim, automatic ones are small dots, interpolated ones are rings;
joints that are occluded have no disc and a thin limb.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import Clip
from finediving_pose.frames import FrameFolder
from finediving_pose.lexicon import SUB_ACTIONS
from finediving_pose.poses import ClipPoses, JointSource, Visibility
from finediving_pose.skeleton import JOINTS, LIMBS

RIGHT, LEFT, MIDDLE = (255, 140, 40), (60, 160, 255), (245, 245, 245)
BOX, INK = (120, 230, 120), (20, 20, 20)
TILE, CAPTION, GAP = 220, 22, 6
_SHIFT = 4  # sub-pixel bits of OpenCV's drawing calls


def draw_pose(
    picture: NDArray[np.uint8],
    keypoints: NDArray[np.floating],
    visibility: NDArray[np.uint8],
    source: NDArray[np.uint8] | None = None,
    box: NDArray[np.floating] | None = None,
) -> NDArray[np.uint8]:
    """Draw one person into a copy of a picture.

    Parameters
    ----------
    picture : uint8 (height, width, 3), RGB
    keypoints : float (16, 2), pixels of the picture, NaN where absent
    visibility : int (16,), see :class:`~finediving_pose.poses.Visibility`
    source : int (16,), see :class:`~finediving_pose.poses.JointSource`; automatic where not given
    box : float (4,), x1 y1 x2 y2 in pixels; not drawn where not given or NaN
    """
    out = np.ascontiguousarray(picture).copy()
    present = (visibility != Visibility.ABSENT) & np.isfinite(keypoints).all(-1)
    source = np.full(len(keypoints), JointSource.AUTOMATIC) if source is None else source
    if box is not None and np.isfinite(box).all():
        cv2.rectangle(out, _fixed(box[:2]), _fixed(box[2:]), BOX, 1, cv2.LINE_AA, _SHIFT)
    for a, b in LIMBS:
        if present[a] and present[b]:
            seen = min(visibility[a], visibility[b]) == Visibility.VISIBLE
            for colour, width in ((INK, 4 if seen else 3), (_limb_colour(a, b), 2 if seen else 1)):
                cv2.line(out, _fixed(keypoints[a]), _fixed(keypoints[b]), colour, width, cv2.LINE_AA, _SHIFT)
    for j in np.flatnonzero(present & (visibility == Visibility.VISIBLE)):
        at, colour = _fixed(keypoints[j]), _joint_colour(int(j))
        if source[j] == JointSource.MANUAL:
            cv2.circle(out, at, 5 << _SHIFT, INK, -1, cv2.LINE_AA, _SHIFT)
            cv2.circle(out, at, 4 << _SHIFT, colour, -1, cv2.LINE_AA, _SHIFT)
        elif source[j] == JointSource.INTERPOLATED:
            cv2.circle(out, at, 3 << _SHIFT, colour, 1, cv2.LINE_AA, _SHIFT)
        else:
            cv2.circle(out, at, 2 << _SHIFT, colour, -1, cv2.LINE_AA, _SHIFT)
    return out


def evenly_spaced(numbers: Sequence[int], n: int) -> list[int]:
    """``n`` of the frame numbers (or all, where there are fewer), first and last included."""
    if len(numbers) <= n:
        return list(numbers)
    return [numbers[round(i)] for i in np.linspace(0, len(numbers) - 1, n)]


def contact_sheet(
    frames: FrameFolder,
    poses: ClipPoses | None,
    numbers: Sequence[int],
    clip: Clip | None = None,
    *,
    crop: bool = True,
    columns: int = 6,
    words: str | None = None,
) -> NDArray[np.uint8]:
    """Frames side by side with their poses, a caption under each: uint8 (height, width, 3), RGB.

    With ``crop`` every tile is a square that follows the diver, of one scale throughout;
    without it, or without poses, a tile is the whole picture, with the box drawn. The caption is the frame number
    and, where ``clip`` is given, the stage; or ``words``.

    Raises
    ------
    FrameError
        A picture is missing or damaged.
    """
    views = _square_views(frames, poses, numbers) if crop else None
    captions = {n: words or _words(frames, n, clip) for n in numbers}
    tiles = [_tile(frames, poses, n, captions[n], views[n] if views else None) for n in numbers]
    return join_tiles(tiles, columns)


def join_tiles(tiles: Sequence[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    """Pictures of one size side by side, in rows: uint8 (height, width, 3)."""
    columns = max(1, min(columns, len(tiles)))
    height, width, _ = tiles[0].shape
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for i, tile in enumerate(tiles):
        y, x = i // columns * (height + GAP), i % columns * (width + GAP)
        sheet[y : y + height, x : x + width] = tile
    return sheet


def _tile(
    frames: FrameFolder, poses: ClipPoses | None, number: int, caption: str, view: np.ndarray | None
) -> NDArray[np.uint8]:
    """One frame, enlarged before drawing so that lines stay thin beside the diver."""
    whole = view is None
    view = np.array([0, 0, frames.width, frames.height], float) if view is None else view
    scale = TILE / (view[3] - view[1])
    size = (round((view[2] - view[0]) * scale), TILE)
    # a pixel's centre is its coordinate, so the edge of the view lies half a pixel before it
    to_tile = np.array([[scale, 0, (0.5 - view[0]) * scale - 0.5], [0, scale, (0.5 - view[1]) * scale - 0.5]])
    warped = cv2.warpAffine(frames.read(number), to_tile, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    tile = np.asarray(warped, np.uint8)
    for row in _rows(poses, number):
        assert poses
        points = poses.keypoints[row] @ to_tile[:, :2].T + to_tile[:, 2]
        box = (poses.box[row].reshape(2, 2) @ to_tile[:, :2].T + to_tile[:, 2]).reshape(4)
        tile = draw_pose(tile, points, poses.visibility[row], poses.source[row], box if whole else None)
    return np.vstack([tile, np.asarray(_caption(caption, size[0]), np.uint8)])


def _square_views(frames: FrameFolder, poses: ClipPoses | None, numbers: Sequence[int]) -> dict[int, np.ndarray] | None:
    """x1 y1 x2 y2 of a square around the diver for every frame; None where no frame has a pose."""
    centres, sizes = {}, []
    for n in numbers:
        rows = _rows(poses, n)
        points = poses.keypoints[rows].reshape(-1, 2) if poses and rows else np.empty((0, 2))
        points = points[np.isfinite(points).all(-1)]
        if len(points):
            centres[n] = (points.min(0) + points.max(0)) / 2
            sizes.append(np.ptp(points, axis=0).max())
    if not sizes:
        return None
    half = min(max(np.max(sizes) * 0.62, 30.0), frames.height / 2)
    known = np.array(sorted(centres))
    views = {}
    for n in numbers:
        centre = centres.get(n, centres[int(known[np.abs(known - n).argmin()])])
        centre = np.clip(centre, half, np.array([frames.width, frames.height]) - half)
        views[n] = np.concatenate([centre - half, centre + half])
    return views


def _rows(poses: ClipPoses | None, number: int) -> list[int]:
    return [] if poses is None else np.flatnonzero(poses.frame == number).tolist()


def _words(frames: FrameFolder, number: int, clip: Clip | None) -> str:
    labels = clip.frame_labels() if clip and clip.n_frames == len(frames.numbers) else []
    stage = labels[frames.numbers.index(number)] if labels else -1
    return f"{number:05d}  {SUB_ACTIONS.get(stage, '')}".rstrip()


def _caption(text: str, width: int) -> NDArray[np.uint8]:
    """A line of text, dark on white: uint8 (CAPTION, width, 3)."""
    from PIL import Image, ImageDraw

    line = Image.new("RGB", (width, CAPTION), "white")
    ImageDraw.Draw(line).text((2, CAPTION // 2), text, fill=INK, font=_font(), anchor="lm")
    return np.asarray(line)


@cache
def _font() -> Any:
    from pathlib import Path

    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), 13)


def _fixed(point: np.ndarray) -> tuple[int, int]:
    """A point in OpenCV's fixed-point pixels; far outside the picture is far enough."""
    x, y = np.clip(point, -2000, 4000) * (1 << _SHIFT)
    return round(float(x)), round(float(y))


def _joint_colour(joint: int) -> tuple[int, int, int]:
    return {"right": RIGHT, "left": LEFT}.get(JOINTS[joint].partition("_")[0], MIDDLE)


def _limb_colour(a: int, b: int) -> tuple[int, int, int]:
    return next((c for c in (_joint_colour(a), _joint_colour(b)) if c != MIDDLE), MIDDLE)
