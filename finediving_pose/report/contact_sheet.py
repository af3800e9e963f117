"""Contact sheets of a dive: frames side by side with their poses, under a title, a legend and a scale."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import Clip
from finediving_pose.errors import LexiconError
from finediving_pose.frames import FrameFolder
from finediving_pose.lexicon import SUB_ACTIONS, parse_dive_number
from finediving_pose.poses import ClipPoses
from finediving_pose.report.legend import legend
from finediving_pose.report.lettering import PAPER, SOFT, caption_tiles, wrap, write_lines
from finediving_pose.report.views import draw_view, people_in, square_views

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
    titled: bool = True,
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
    titled : name clip, dive and layer above the frames; not where the page around does

    Raises
    ------
    FrameError
        A picture is missing or damaged.
    """
    views = square_views(frames, poses, numbers, boxes) if crop else None
    whole = np.array([0, 0, frames.width, frames.height], float)
    tiles = [
        draw_view(
            frames.read(n), views[n] if views else whole, TILE, people_in(poses, n),
            boxes=boxes or not views, marked=(marked or {}).get(n, ()),
        )
        for n in numbers
    ]  # fmt: skip
    captions = [_caption(frames, poses, n, clip, layer) for n in numbers]
    sheet = join_tiles(caption_tiles(tiles, captions), columns)
    view = views[numbers[0]] if views else whole
    return with_head(sheet, title_of(frames, clip, layer) if titled else [], poses, TILE / (view[3] - view[1]))


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
    head = [write_lines(wrap(line, width, bold=True), width, bold=True) for line in title[:1]]
    head += [write_lines(wrap(line, width), width, colour=SOFT) for line in title[1:] if line]
    head.append(legend(poses, width, scale))
    return np.vstack([*head, sheet])


def title_of(frames: FrameFolder, clip: Clip | None, layer: str) -> list[str]:
    """The clip; its dive and the layer of its poses."""
    about = [about_dive(clip)] if clip and about_dive(clip) else []
    return [str(frames.key), "; ".join([*about, f"{layer} poses" if layer else "no poses"])]


def about_dive(clip: Clip) -> str:
    """``5253b  back 2½ somersaults 1½ twists, pike; 10 m; score 76.8``, as far as it is known."""
    parts = [dive_in_words(clip.action_type)] if clip.action_type else []
    parts += [f"{clip.height_m:g} m"] if clip.height_m else []
    parts += [f"score {clip.dive_score:g}"] if clip.dive_score is not None else []
    return "; ".join(parts)


def dive_in_words(number: str | None) -> str:
    """``5253b  back 2½ somersaults 1½ twists, pike``; the number alone where it is none."""
    try:
        return f"{number}  {parse_dive_number(number or '').words()}"
    except LexiconError:
        return number or ""


def stage_name(frames: FrameFolder, clip: Clip | None, number: int) -> str:
    """The stage that a frame belongs to; nothing where stages are not labelled."""
    labels = clip.frame_labels() if clip and clip.n_frames == len(frames.numbers) else []
    return SUB_ACTIONS.get(labels[frames.numbers.index(number)], "") if labels else ""


def _caption(frames: FrameFolder, poses: ClipPoses | None, number: int, clip: Clip | None, layer: str) -> str:
    """``00012  Entry  no diver``"""
    absent = ""
    if poses and not people_in(poses, number):
        absent = "not annotated" if layer.startswith("manual") else "no diver"
    return "  ".join(filter(None, (f"{number:05d}", stage_name(frames, clip, number), absent)))
