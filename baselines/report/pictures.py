"""Frames of a dive, stage by stage or one by one, each a square that follows the diver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finediving_pose.packed.arrays import PackedPoses
from finediving_pose.packed.reader import PackedFile
from finediving_pose.report.contact_sheet import join_tiles
from finediving_pose.report.embedding import picture_uri
from finediving_pose.report.views import draw_view, person_of

FRAMES_A_STAGE = 3
TILE = 208
"""Pixels of a square's side."""


def stage_pictures(packed: PackedFile, row: int, transitions: Sequence[int]) -> list[str]:
    """A picture of each stage of a clip, as data URIs: frames of the stage side by side, the first diver's pose drawn.

    Parameters
    ----------
    transitions : first frames of the stages after the first, counted from the clip's first frame; -1 for a
        stage that is not dived, whose picture is an empty text
    """
    poses = packed.poses(row)
    views = _views(poses.keypoints[:, 0], packed.clips[row].image_width, packed.clips[row].image_height)
    pictures = []
    for start, end in stage_bounds(transitions, len(views)):
        if end <= start:
            pictures.append("")
            continue
        inside = (np.arange(FRAMES_A_STAGE) + 0.5) / FRAMES_A_STAGE
        positions = (start + inside * (end - start)).astype(int)
        frames = packed.frames(row, np.unique(positions))
        shown = [frames[np.unique(positions).tolist().index(p)] for p in positions]
        tiles = [_tile(f, poses, int(p), views[p]) for f, p in zip(shown, positions, strict=True)]
        pictures.append(picture_uri(join_tiles(tiles, FRAMES_A_STAGE)))
    return pictures


def moment_picture(packed: PackedFile, row: int, position: int) -> str:
    """A picture of one frame of a clip, by its place in it, as a data URI: the first diver, the pose drawn."""
    poses = packed.poses(row)
    views = _views(poses.keypoints[:, 0], packed.clips[row].image_width, packed.clips[row].image_height)
    return picture_uri(_tile(packed.frames(row, [position])[0], poses, position, views[position]))


def stage_bounds(transitions: Sequence[int], frames: int) -> list[tuple[int, int]]:
    """First frame and end (exclusive) of every stage; an empty range for a stage that is not dived."""
    known = [t for t in transitions if t >= 0]
    starts = iter([0, *known])
    ends = iter([*known, frames])
    return [(next(starts), next(ends)) if t >= 0 else (0, 0) for t in (0, *transitions)]


def _views(keypoints: np.ndarray, width: int | None, height: int | None) -> np.ndarray:
    """x1 y1 x2 y2 (n, 4) of a square around the diver in every frame, of one size throughout.

    ``keypoints`` are (n, 16, 2), NaN where absent; a frame without any takes the place of the nearest with some.
    """
    size = np.array([width or 455, height or 256], float)
    seen = np.flatnonzero(np.isfinite(keypoints).all(-1).any(-1))
    if not len(seen):
        return np.tile([0.0, 0.0, size[1], size[1]], (len(keypoints), 1))
    low, high = np.nanmin(keypoints[seen], axis=1), np.nanmax(keypoints[seen], axis=1)
    half = float(np.clip(np.percentile((high - low).max(-1), 95) * 0.62, 24, size[1] / 2))
    nearest = np.abs(seen[None] - np.arange(len(keypoints))[:, None]).argmin(1)
    centre = np.clip(((low + high) / 2)[nearest], half, np.maximum(size - half, half))
    return np.concatenate([centre - half, centre + half], axis=1)


def _tile(frame: np.ndarray, poses: PackedPoses, at: int, view: np.ndarray) -> np.ndarray:
    """The view of a frame with the first diver's pose."""
    people = [person_of(poses, (at, 0))]
    return draw_view(frame, view, TILE, [p for p in people if p.is_there])
