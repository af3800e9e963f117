"""Which frames of a clip a model reads, and what of their pictures: sampling, cropping, mirroring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finediving_pose.packed.schema import TRAINING_HEIGHT, TRAINING_WIDTH
from finediving_pose.skeleton import FLIP

TRAINING_SIZE = (TRAINING_WIDTH, TRAINING_HEIGHT)


def sample_frames(n_frames: int, count: int, first: int = 0) -> NDArray[np.int64]:
    """Positions of ``count`` frames spread over a clip, both ends included, truncated to integers: (count,).

    ``first`` is the number that the clip's first frame has while they are spread. From 0 the steps of a few lengths, as
    133 / 95, end a rounding below a whole number and are truncated to the frame before it: in clips of 134 frames these
    are places 45, 85 and 90 of 96. Spread over the video's frame numbers they are not, as in the public code of
    HP-MCoRe (``datasets/FineDiving_Pair.py``, commit 6bce799).
    """
    return np.linspace(first, first + n_frames - 1, count).astype(np.int64) - first


@dataclass(frozen=True, slots=True)
class View:
    """A square of a clip's pictures, one place for all its frames, and whether it is mirrored.

    Attributes
    ----------
    x, y : top left corner, pixels of the picture
    side : pixels
    """

    x: int
    y: int
    side: int
    mirrored: bool = False

    @classmethod
    def centre(cls, side: int, size: tuple[int, int] = TRAINING_SIZE) -> View:
        """The square in the middle of pictures of ``size`` (width, height)."""
        width, height = size
        return cls((width - side) // 2, (height - side) // 2, side)

    @classmethod
    def random(cls, side: int, rng: np.random.Generator, size: tuple[int, int] = TRAINING_SIZE) -> View:
        """A random place; mirrored with probability one half."""
        width, height = size
        y, x = rng.integers(height - side + 1), rng.integers(width - side + 1)
        return cls(int(x), int(y), side, mirrored=bool(rng.integers(2)))

    def is_inside(self, size: tuple[int, int]) -> bool:
        """Whether the square lies in pictures of ``size`` (width, height)."""
        width, height = size
        return 0 <= self.x <= width - self.side and 0 <= self.y <= height - self.side

    def crop(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(T, H, W, 3) -> (T, side, side, 3), not mirrored; shares memory."""
        return pictures[:, self.y : self.y + self.side, self.x : self.x + self.side]


def mirror_joints(keypoints: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Mirror joints (..., 16, 2) of a picture ``width`` pixels wide; left and right joints change places."""
    mirrored = keypoints[..., FLIP, :].copy()
    mirrored[..., 0] = width - 1 - mirrored[..., 0]
    return mirrored
