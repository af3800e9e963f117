"""Training-time changes that mmpose does not have: any rotation, blur, noise, things in front of the diver, no partner.

Random numbers come from numpy's global generator, as in mmpose's own; it is seeded for every sample.
Registered with mmpose's transforms under their class names; pictures are uint8 (height, width, 3), BGR.
"""

# ruff: noqa: NPY002
from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from annotate.crop import without_other
from annotate.estimators import mmpose_compat  # noqa: F401  (before mmpose)

from mmcv.transforms import BaseTransform  # isort: skip
from mmpose.datasets.transforms import RandomBBoxTransform  # isort: skip
from mmpose.registry import TRANSFORMS  # isort: skip


@TRANSFORMS.register_module()
class UniformBBoxTransform(RandomBBoxTransform):
    """mmpose's random shift, scale and rotation of the box, but uniform: a diver is upside down as often as not."""

    @staticmethod
    def _truncnorm(low: float = -1.0, high: float = 1.0, size: tuple[int, ...] = ()) -> np.ndarray:
        return np.random.uniform(low, high, size).astype(np.float32)


@TRANSFORMS.register_module()
class RandomWithoutOther(BaseTransform):
    """The partner of a synchronised dive painted over, as where poses are estimated; pixels of the frame."""

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = prob

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        if np.random.rand() < self.prob:
            results["img"] = without_other(results["img"], results["bbox"][0], results["way"])
        return results


@TRANSFORMS.register_module()
class RandomBlur(BaseTransform):
    """Motion blur in any direction, softness, or sensor noise: broadcast pictures of a fast diver have all three."""

    def __init__(self, prob: float = 0.5, longest: int = 11) -> None:
        self.prob, self.longest = prob, longest

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        image = results["img"]
        if np.random.rand() < self.prob:
            kind = np.random.randint(3)
            if kind == 0:
                image = cv2.filter2D(image, -1, motion_kernel(np.random.randint(3, self.longest + 1)))
            elif kind == 1:
                image = cv2.GaussianBlur(image, (0, 0), np.random.uniform(0.5, 2.0))
            else:
                noise = np.random.normal(0, np.random.uniform(3, 14), image.shape).astype(np.int16)
                image = np.clip(image + noise, 0, 255).astype(np.uint8)
            results["img"] = image
        return results


@TRANSFORMS.register_module()
class RandomOcclusion(BaseTransform):
    """Rectangles and ellipses of one colour, or of another part of the picture, over up to ``most`` places."""

    def __init__(self, prob: float = 0.5, most: int = 3, size: tuple[float, float] = (0.06, 0.3)) -> None:
        self.prob, self.most, self.size = prob, most, size

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        if np.random.rand() < self.prob:
            image = np.ascontiguousarray(results["img"])
            for _ in range(np.random.randint(1, self.most + 1)):
                self._cover(image)
            results["img"] = image
        return results

    def _cover(self, image: np.ndarray) -> None:
        height, width = image.shape[:2]
        w, h = (np.random.uniform(*self.size, 2) * (width, height)).astype(int) + 1
        x, y = np.random.randint(0, width - w), np.random.randint(0, height - h)
        if np.random.rand() < 0.5:
            from_x, from_y = np.random.randint(0, width - w), np.random.randint(0, height - h)
            image[y : y + h, x : x + w] = image[from_y : from_y + h, from_x : from_x + w].copy()
        else:
            colour = np.random.randint(0, 256, 3).tolist()
            cv2.ellipse(image, (int(x + w // 2), int(y + h // 2)), (int(w // 2), int(h // 2)), 0, 0, 360, colour, -1)


def motion_kernel(length: int) -> np.ndarray:
    """A line of ``length`` pixels in a random direction, summing to 1: float32 (length, length)."""
    kernel = np.zeros((length, length), np.float32)
    angle = np.random.uniform(0, np.pi)
    reach = (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
    middle = (length - 1) / 2
    start, end = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
    cv2.line(kernel, tuple(map(int, start)), tuple(map(int, end)), 1.0, 1)
    return kernel / kernel.sum()
