"""A panorama under the brush: shapes in metres onto pixels, and random colours."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]


class Canvas:
    """A panorama under the brush, in metres."""

    def __init__(self, left: float, right: float, bottom: float, top: float, scale: float) -> None:
        self.left, self.top, self.right, self.bottom, self.scale = left, top, right, bottom, scale
        self.image = np.zeros((int((top - bottom) * scale) + 1, int((right - left) * scale) + 1, 3), np.uint8)

    def pixel(self, place: NDArray[np.float64]) -> NDArray[np.int32]:
        """Fixed-point pixels (N, 2), 4 fractional bits, of places (N, 2)."""
        place = np.asarray(place, float)
        return np.round((place - [self.left, self.top]) * [self.scale, -self.scale] * 16).astype(np.int32)

    def polygon(self, places: NDArray[np.float64], colour: Colour) -> None:
        cv2.fillPoly(self.image, [self.pixel(places)], colour, cv2.LINE_AA, 4)

    def box(self, left: float, right: float, bottom: float, top: float, colour: Colour) -> None:
        self.polygon(np.array([[left, bottom], [right, bottom], [right, top], [left, top]]), colour)

    def line(self, a: tuple[float, float], b: tuple[float, float], colour: Colour, width: float) -> None:
        p, q = self.pixel(np.array([a, b]))
        cv2.line(self.image, p.tolist(), q.tolist(), colour, max(1, round(width * self.scale)), cv2.LINE_AA, 4)

    def disc(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        centre = self.pixel(np.array([[x, y]]))[0].tolist()
        axes = [max(8, int(rx * self.scale * 16)), max(8, int(ry * self.scale * 16))]
        cv2.ellipse(self.image, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA, 4)


def random_colour(rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]) -> Colour:
    """A colour of any hue, RGB 0 to 255."""
    hue, s, v = rng.uniform(0, 6), rng.uniform(*saturation), rng.uniform(*value)
    k = (np.array([5, 3, 1]) + hue) % 6
    rgb = 255 * v * (1 - s * np.clip(np.minimum(k, 4 - k), 0, 1))
    return float(rgb[0]), float(rgb[1]), float(rgb[2])


_PAINTS = (
    (0.0, 0.8), (0.05, 0.4), (0.12, 0.9), (0.14, 0.35), (0.36, 0.6), (0.47, 0.6), (0.57, 0.9), (0.60, 0.9), (0.63, 0.7),
)  # fmt: skip
"""Hues (turns) that halls are painted in, and how saturated at most; grey is drawn apart."""


def hall_colour(rng: np.random.Generator, value: tuple[float, float]) -> Colour:
    """A colour that a hall, its seats or the clothes in it have: grey to white, or a blue, green, red or sand."""
    hue, most = _PAINTS[rng.integers(len(_PAINTS))]
    saturation = rng.uniform(0.0, 0.12) if rng.random() < 0.35 else most * rng.uniform(0.25, 1.0)
    v = rng.uniform(*value)
    k = (np.array([5, 3, 1]) + 6 * (hue + rng.normal(0, 0.012))) % 6
    rgb = 255 * v * (1 - saturation * np.clip(np.minimum(k, 4 - k), 0, 1))
    return float(rgb[0]), float(rgb[1]), float(rgb[2])


def shade(colour: Colour, factor: float) -> Colour:
    """A colour lighter (above 1) or darker."""
    r, g, b = (min(255.0, c * factor) for c in colour)
    return r, g, b
