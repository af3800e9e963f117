"""What the lines and discs of a skeleton mean, in a row below the title of a sheet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finediving_pose.poses import ClipPoses, JointSource, Visibility
from finediving_pose.report.lettering import INK, MARGIN, PAPER, text_width, write_lines
from finediving_pose.report.overlay import FAINTEST, draw_joint, draw_limb

ROW = 20
"""Height of a row, pixels."""
LONGEST_BAR = 110
_WATER = (64, 110, 128)
"""Lines are shown on the colour of a pool, as in the frames."""

Draw = Callable[[NDArray[np.uint8]], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """Words, how many pixels its sample is wide, what draws it into a picture (ROW, width, 3), and on what colour."""

    words: str
    width: int
    draw: Draw
    ground: tuple[int, int, int] = _WATER


def legend(poses: ClipPoses | None, width: int, scale: float | None = None) -> NDArray[np.uint8]:
    """What occurs in the poses and, with ``scale``, how long pixels of the frames are: uint8 (height, width, 3)."""
    rows: list[list[NDArray[np.uint8]]] = [[]]
    for entry in _entries(poses, scale):
        drawn = _draw(entry)
        if rows[-1] and sum(e.shape[1] for e in rows[-1]) + drawn.shape[1] > width:
            rows.append([])
        rows[-1].append(drawn)
    lines = [np.hstack([*row, _paper(max(0, width - sum(e.shape[1] for e in row)))])[:, :width] for row in rows if row]
    return np.vstack([*lines, _paper(width)[:6]])


def _entries(poses: ClipPoses | None, scale: float | None) -> list[Entry]:
    entries: list[Entry] = []
    if poses and len(poses):
        present = poses.visibility != Visibility.ABSENT
        entries += [Entry(f"the diver's {name}", 30, _line(side)) for name, side in (("right", 1), ("left", -1))]
        entries.append(Entry("middle", 30, _line(0)))
        for words, source in (
            ("by hand", JointSource.MANUAL),
            ("by the machine", JointSource.AUTOMATIC),
            ("interpolated", JointSource.INTERPOLATED),
        ):
            if (present & (poses.source == source)).any():
                entries.append(Entry(words, 14, _disc(source)))
        if (poses.visibility == Visibility.OCCLUDED).any():
            entries.append(Entry("occluded", 30, _line(1, seen=False)))
        if (present & (poses.source != JointSource.MANUAL)).any():
            entries.append(Entry("not confident", 30, _line(1, opacity=FAINTEST + 0.1)))
    if scale:
        pixels = next((n for n in (100, 50, 20, 10, 5) if n * scale <= LONGEST_BAR), 2)
        entries.append(Entry(f"{pixels} pixels of the frame", round(pixels * scale), _bar, PAPER))
    return entries


def _draw(entry: Entry) -> NDArray[np.uint8]:
    """The sample and its words: uint8 (ROW, width, 3)."""
    sample = np.full((ROW, entry.width, 3), entry.ground, np.uint8)
    sample[[0, 1, -2, -1]] = PAPER
    entry.draw(sample)
    wide = int(text_width(entry.words)) + 2 * MARGIN + 1
    text = np.full((ROW, wide, 3), PAPER, np.uint8)
    words = write_lines([entry.words], wide)[:ROW]
    text[: len(words)] = words
    return np.hstack([_paper(MARGIN), sample, text, _paper(8)])


def _line(side: int, seen: bool = True, opacity: float = 1.0) -> Draw:
    start, end = np.array([1.0, ROW / 2]), np.array([28.0, ROW / 2])
    return lambda on: draw_limb(on, start, end, side, seen, opacity)


def _disc(source: JointSource) -> Draw:
    return lambda on: draw_joint(on, np.array([6.5, ROW / 2]), 1, source)


def _bar(on: NDArray[np.uint8]) -> None:
    on[ROW // 2] = INK
    on[ROW // 2 - 4 : ROW // 2 + 5, [0, -1]] = INK


def _paper(width: int) -> NDArray[np.uint8]:
    return np.full((ROW, width, 3), PAPER, np.uint8)
