"""How coded pictures are meant to be shown: turned, mirrored, with pixels that are not square."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", bound=np.generic)

_NEARLY = 1.0
"""Degrees by which a turn may miss a quarter turn and still count as one."""


@dataclass(frozen=True, slots=True)
class Display:
    """What a file asks of whoever shows its pictures, and whether the stored frames have it.

    Attributes
    ----------
    rotation : degrees clockwise, 0 to below 360, by which the coded picture is turned
    mirrored : left and right of the coded picture are exchanged, before it is turned
    aspect : width of a coded pixel by its height; 1 is square
    applied : the stored frames are turned and stretched so; False where they are as coded
    """

    rotation: float = 0.0
    mirrored: bool = False
    aspect: float = 1.0
    applied: bool = False

    @property
    def turns(self) -> bool:
        """Whether the picture is turned or mirrored at all."""
        return self.mirrored or bool(self.rotation)

    @property
    def is_quarter(self) -> bool:
        """Whether the turn is one that keeps pixels as they are: by 0, 90, 180 or 270 degrees."""
        return not self.rotation % 90

    @property
    def on_its_side(self) -> bool:
        """Whether the turn exchanges width and height."""
        return self.rotation in (90, 270)

    def shown_size(self, width: int, height: int) -> tuple[float, float]:
        """Width and height at which a coded picture of this size is shown; the longer pixel side sets the scale."""
        wide = width * self.aspect
        return (height, wide) if self.on_its_side else (wide, height)

    def turn(self, picture: NDArray[Value]) -> NDArray[Value]:
        """A coded picture, or one plane of it, (height, width, ...), as it is meant to be seen; a view."""
        seen = picture[:, ::-1] if self.mirrored else picture
        return np.rot90(seen, -round(self.rotation / 90))

    def words(self) -> str:
        """The request in words, e.g. ``turned by 90 degrees clockwise``."""
        said = ["mirrored"] if self.mirrored else []
        said += [f"turned by {self.rotation:g} degrees clockwise"] if self.rotation else []
        said += [f"with pixels {self.aspect:.4g} times as wide as high"] if self.aspect != 1 else []
        return " and ".join(said) or "as coded"


def rotation_of(matrix: Sequence[int]) -> tuple[float, bool]:
    """The turn in degrees clockwise, and whether the picture is mirrored first, of a display matrix.

    ``matrix`` holds the nine numbers of ISO/IEC 14496-12, 8.3.2 (``tkhd``), row by row: the pixel at (p, q), y down,
    is shown at (a p + c q, b p + d q). A matrix that maps everything to one line or point asks for nothing.
    """
    a, b, _, c, d = (float(v) for v in matrix[:5])
    if a * d == b * c:
        return 0.0, False
    mirrored = a * d - b * c < 0
    angle = math.degrees(math.atan2(-b, -a) if mirrored else math.atan2(b, a))
    quarter = 90 * round(angle / 90)
    return round(quarter if abs(angle - quarter) <= _NEARLY else angle, 1) % 360.0, mirrored
