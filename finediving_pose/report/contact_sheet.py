"""Contact sheets of a dive: frames side by side with their poses, under a title, a legend and a scale."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import Clip
from finediving_pose.errors import LexiconError
from finediving_pose.frames import FrameFolder
from finediving_pose.lexicon import SUB_ACTIONS, parse_dive_number
from finediving_pose.poses import ClipPoses, Visibility
from finediving_pose.report.legend import legend
from finediving_pose.report.lettering import PAPER, SOFT, caption_tiles, wrap, write_lines
from finediving_pose.report.overlay import draw_pose

TILE, GAP = 220, 6


def contact_sheet(
    frames: FrameFolder,
    poses: ClipPoses | None,
    numbers: Sequence[int],
    clip: Clip | None = None,
    *,
    layer: str = "",
    crop: bool = True,
    columns: int = 6,
    marked: Mapping[int, Collection[int]] | None = None,
    boxes: bool = False,
) -> NDArray[np.uint8]:
    """Frames of a clip with their poses: uint8 (height, width, 3), RGB.

    Above them stand the clip, the layer, what the lines mean, and how long some pixels of the frames are; under each
    its frame number, stage and whether a diver is there.

    Parameters
    ----------
    frames, poses, numbers : pictures, poses, and the frame numbers to show
    clip : its labels, for stages and the title
    layer : the poses' layer
    crop : every tile is a square that follows the diver, of one scale throughout; else, or without poses, a tile is
        the whole picture, and the box is drawn
    columns : tiles in a row
    marked : joints to point out, by frame number
    boxes : draw the box into cropped tiles, too, which then hold all of it

    Raises
    ------
    FrameError
        A picture is missing or damaged.
    """
    views = square_views(frames, poses, numbers, boxes) if crop else None
    whole = np.array([0, 0, frames.width, frames.height], float)
    tiles = [
        draw_tile(frames, poses, n, views[n] if views else whole, boxes or not views, (marked or {}).get(n, ()))
        for n in numbers
    ]
    captions = [_caption(frames, poses, n, clip, layer) for n in numbers]
    sheet = join_tiles(caption_tiles(tiles, captions), columns)
    view = views[numbers[0]] if views else whole
    return with_head(sheet, title_of(frames, clip, layer), poses, TILE / (view[3] - view[1]))


def evenly_spaced(numbers: Sequence[int], n: int) -> list[int]:
    """``n`` of the frame numbers (or all, where there are fewer), first and last included."""
    if len(numbers) <= n:
        return list(numbers)
    return [numbers[round(i)] for i in np.linspace(0, len(numbers) - 1, n)]


def join_tiles(tiles: Sequence[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    """Pictures of one size side by side, in rows: uint8 (height, width, 3)."""
    columns = max(1, min(columns, len(tiles)))
    height, width, _ = tiles[0].shape
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), PAPER, np.uint8)
    for i, tile in enumerate(tiles):
        y, x = i // columns * (height + GAP), i % columns * (width + GAP)
        sheet[y : y + height, x : x + width] = tile
    return sheet


def with_head(
    sheet: NDArray[np.uint8], title: Sequence[str], poses: ClipPoses | None, scale: float | None = None
) -> NDArray[np.uint8]:
    """A sheet under a title and, where there are poses, a legend of what occurs in them.

    Parameters
    ----------
    sheet : uint8 (height, width, 3)
    title : the first line in bold, then others
    scale : pixels of the sheet for one of the frames, where it is the same throughout
    """
    width = sheet.shape[1]
    head = [write_lines(wrap(title[0], width, bold=True), width, bold=True)]
    head += [write_lines(wrap(line, width), width, colour=SOFT) for line in title[1:] if line]
    head.append(legend(poses, width, scale))
    return np.vstack([*head, sheet])


def title_of(frames: FrameFolder, clip: Clip | None, layer: str) -> list[str]:
    """The clip; its dive and the layer of its poses."""
    parts = [dive_in_words(clip.action_type)] if clip and clip.action_type else []
    parts += [f"{layer} poses"] if layer else ["no poses"]
    return [str(frames.key), "; ".join(parts)]


def dive_in_words(number: str | None) -> str:
    """``5253b  back 2 1/2 somersaults 1 1/2 twists, pike``; the number alone where it is none."""
    try:
        return f"{number}  {parse_dive_number(number or '').words()}"
    except LexiconError:
        return number or ""


def draw_tile(
    frames: FrameFolder,
    poses: ClipPoses | None,
    number: int,
    view: NDArray[np.floating],
    box: bool = False,
    marked: Collection[int] = (),
) -> NDArray[np.uint8]:
    """Part x1 y1 x2 y2 of a frame, enlarged before drawing so that lines stay thin: uint8 (TILE, width, 3)."""
    scale = TILE / (view[3] - view[1])
    size = (round((view[2] - view[0]) * scale), TILE)
    # a pixel's centre is its coordinate, so the edge of the view lies half a pixel before it
    to_tile = np.array([[scale, 0, (0.5 - view[0]) * scale - 0.5], [0, scale, (0.5 - view[1]) * scale - 0.5]])
    picture = frames.read(number)
    warped = cv2.warpAffine(picture, to_tile, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    tile = np.full((TILE, size[0], 3), PAPER, np.uint8)
    inside = _inside(frames, view, scale)
    tile[inside] = warped[inside]
    for row in rows_with_joints(poses, number):
        assert poses
        points = poses.keypoints[row] @ to_tile[:, :2].T + to_tile[:, 2]
        corners = (poses.box[row].reshape(2, 2) @ to_tile[:, :2].T + to_tile[:, 2]).reshape(4)
        tile = draw_pose(
            tile, points, poses.visibility[row], poses.source[row], corners if box else None,
            confidence=poses.confidence[row], marked=marked,
        )  # fmt: skip
    return tile


def _inside(frames: FrameFolder, view: NDArray[np.floating], scale: float) -> tuple[slice, slice]:
    """The part of a tile that shows the picture, not what lies beyond it."""
    x1, y1 = (max(0, round(-edge * scale)) for edge in view[:2])
    x2, y2 = (
        max(0, round((end - edge) * scale)) for end, edge in zip((frames.width, frames.height), view, strict=False)
    )
    return slice(y1, y2), slice(x1, x2)


def square_views(
    frames: FrameFolder, poses: ClipPoses | None, numbers: Sequence[int], boxes: bool = False
) -> dict[int, NDArray[np.floating]] | None:
    """x1 y1 x2 y2 of a square around the diver for every frame; None where no frame has a pose.

    With ``boxes`` it holds the box, too, and may reach beyond the picture.
    """
    centres, sizes = {}, []
    for n in numbers:
        rows = rows_with_joints(poses, n)
        if not poses or not rows:
            continue
        points = poses.keypoints[rows][poses.visibility[rows] != Visibility.ABSENT]
        if boxes:
            points = np.vstack([points, poses.box[rows].reshape(-1, 2)])
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


def middle_square(frames: FrameFolder) -> NDArray[np.floating]:
    """x1 y1 x2 y2 of the square as high as the picture in its middle."""
    left = (frames.width - frames.height) / 2
    return np.array([left, 0, left + frames.height, frames.height])


def rows_with_joints(poses: ClipPoses | None, number: int) -> list[int]:
    """Rows of a frame that have a joint in the picture; none where no diver is there."""
    if poses is None:
        return []
    there = ((poses.visibility != Visibility.ABSENT) & np.isfinite(poses.keypoints).all(-1)).any(-1)
    return np.flatnonzero((poses.frame == number) & there).tolist()


def stage_name(frames: FrameFolder, clip: Clip | None, number: int) -> str:
    """The stage that a frame belongs to; nothing where stages are not labelled."""
    labels = clip.frame_labels() if clip and clip.n_frames == len(frames.numbers) else []
    return SUB_ACTIONS.get(labels[frames.numbers.index(number)], "") if labels else ""


def _caption(frames: FrameFolder, poses: ClipPoses | None, number: int, clip: Clip | None, layer: str) -> str:
    """``00012  Entry  no diver``"""
    absent = ""
    if poses and not rows_with_joints(poses, number):
        absent = "not annotated" if layer.startswith("manual") else "no diver"
    return "  ".join(filter(None, (f"{number:05d}", stage_name(frames, clip, number), absent)))
