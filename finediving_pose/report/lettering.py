"""Text in pictures: measured before it is drawn, wrapped where it is too wide, never cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

PAPER, INK, SOFT = (27, 31, 36), (232, 235, 238), (160, 168, 178)
"""Background, text and lesser text of sheets: dark, so that they glare on no page."""
SIZE = 13
"""Height of the letters of captions, pixels."""
MARGIN = 3


@lru_cache(maxsize=16)
def font(size: int = SIZE, bold: bool = False) -> FreeTypeFont:
    """DejaVu Sans, which matplotlib brings along."""
    from pathlib import Path

    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def text_width(text: str, size: int = SIZE, bold: bool = False) -> float:
    """Width of a line of text in pixels."""
    return font(size, bold).getlength(text)


def wrap(text: str, width: float, size: int = SIZE, bold: bool = False) -> list[str]:
    """The text in lines of at most ``width`` pixels, broken at spaces, else after ``_`` or ``-``, ``/``, or anywhere.

    Line breaks in the text stay. Nothing is left out but spaces at a break.
    """
    return [line for part in text.split("\n") for line in _wrap(part, width - 2 * MARGIN, size, bold)]


def _wrap(text: str, width: float, size: int, bold: bool) -> list[str]:
    lines = []
    while text_width(text, size, bold) > width and len(text) > 1:
        n = _longest(lambda n, text=text: text_width(text[:n], size, bold) <= width, len(text))
        at = _break(text, n)
        lines.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*lines, text]


def _longest(fits: Callable[[int], bool], most: int) -> int:
    """The largest number from 1 to ``most`` that fits, all smaller ones fitting, too; 1 where none does."""
    low, high = 1, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _break(text: str, most: int) -> int:
    """Where to break the text: after at most so many letters."""
    if (space := text.rfind(" ", 1, most + 1)) > 0:
        return space + 1
    marks = [max(text.rfind(c, 0, most) for c in alike) for alike in ("_-", "/")]
    return next((mark + 1 for mark in marks if mark > 0), most)


def line_height(size: int = SIZE) -> int:
    return round(size * 1.4)


def write_lines(
    lines: Sequence[str],
    width: int,
    size: int = SIZE,
    *,
    bold: bool = False,
    colour: tuple[int, int, int] = INK,
    least: int = 0,
    paper: tuple[int, int, int] = PAPER,
) -> NDArray[np.uint8]:
    """Lines of text on a dark colour: uint8 (height, width, 3), at least as high as ``least`` lines."""
    from PIL import Image, ImageDraw

    step = line_height(size)
    picture = Image.new("RGB", (width, step * max(len(lines), least) + MARGIN), paper)
    draw = ImageDraw.Draw(picture)
    for i, line in enumerate(lines):
        draw.text((MARGIN, step * i + step // 2 + 1), line, fill=colour, font=font(size, bold), anchor="lm")
    return np.asarray(picture)


def caption_tiles(tiles: Sequence[NDArray[np.uint8]], captions: Sequence[str]) -> list[NDArray[np.uint8]]:
    """Pictures of one size with a caption under each, wrapped to its width; all as high as the longest needs."""
    wrapped = [wrap(words, tile.shape[1]) for tile, words in zip(tiles, captions, strict=True)]
    least = max(map(len, wrapped), default=1)
    return [
        np.vstack([tile, write_lines(lines, tile.shape[1], least=least)])
        for tile, lines in zip(tiles, wrapped, strict=True)
    ]
