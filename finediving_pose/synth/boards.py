"""Towers, platforms and what carries a springboard: boxes and rails, painted into the panorama or over a diver."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.synth.camera import HEIGHT, WIDTH, View, to_pixels
from finediving_pose.synth.canvas import Canvas, Colour, hall_colour, random_colour, shade

FOOT = 0.12
"""Metres from the middle of a diver to the part of the platform that is nearer to the camera."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A flat face (N, 3), or a bar between two points (2, 3) of ``width`` metres, in the world, with its colour."""

    points: NDArray[np.float64]
    colour: Colour
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform that is dived from, which may hide who stands on it from a camera below.

    It ends at x = 0, is ``height`` metres high, ``width`` to both sides of its middle and ``thick``; ``sides`` is the
    colour of its upright faces.
    """

    height: float
    width: float
    thick: float
    colour: Colour
    sides: Colour
    metal: Colour

    def shapes(self, view: View, lane: float | None = None) -> list[Shape]:
        """All of it, far shapes first; with ``lane`` only what is nearer than a diver so many metres across."""
        side = 1.0 if view.away[1] > 0 else -1.0
        rail = rails([(-1.6 - k, -side * self.width, self.height) for k in range(5)], self.metal)
        far = side * self.width if lane is None else lane - side * FOOT
        low, high = sorted((far, -side * self.width))
        slab = box(view, (-9, low, self.height - self.thick), (0, high, self.height), self.colour, self.sides)
        if lane is not None:
            return slab + rail
        return rails([(-1.0 - k, side * self.width, self.height) for k in range(6)], self.metal) + slab + rail

    def draw(
        self,
        picture: NDArray[np.uint8],
        view: View,
        centre: NDArray[np.float64],
        scale: NDArray[np.float64],
        lane: float,
    ) -> NDArray[np.uint8] | None:
        """Draw what is nearer than a diver at ``lane`` over ``picture`` (H, W, 3) RGB, in place.

        Returns where it did, uint8 (H, W), 0 to 255; None where it is out of sight.
        """
        placed = [(to_pixels(view.panorama(s.points)[None], centre, scale)[0], s) for s in self.shapes(view, lane)]
        placed = [(p, s) for p, s in placed if (p.max(0) > 0).all() and (p.min(0) < [WIDTH, HEIGHT]).all()]
        if not placed:
            return None
        layer = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
        for place, shape in placed:
            fixed, colour = np.round(place * 16).astype(np.int32), (*shape.colour, 255.0)
            if shape.width:
                width = max(1, round(shape.width * float(scale[0])))
                cv2.line(layer, fixed[0].tolist(), fixed[1].tolist(), colour, width, cv2.LINE_AA, 4)
            else:
                cv2.fillPoly(layer, [fixed], colour, cv2.LINE_AA, 4)
        cover = layer[..., 3]
        rows = np.flatnonzero(cover.any(1))
        if not len(rows):
            return None
        part = slice(rows[0], rows[-1] + 1)
        under = cv2.multiply(picture[part], cv2.cvtColor(255 - cover[part], cv2.COLOR_GRAY2RGB), scale=1 / 255)
        picture[part] = cv2.add(under, layer[part, :, :3])
        return cover


def paint_tower(canvas: Canvas, rng: np.random.Generator, view: View, height: float, indoor: float) -> Platform:
    """The tower with its platforms; the ten-metre platform ends at x = 0, lower ones are set back or aside."""
    colour = hall_colour(rng, (0.35, 0.95))
    colour = shade(colour, indoor)
    metal = shade(random_colour(rng, (0.0, 0.15), (0.5, 1.0)), indoor)
    width, thick = rng.uniform(1.25, 1.6), rng.uniform(0.18, 0.4)
    side = float(np.sign(view.away[1]))
    column = rng.uniform(2.6, 4.5)
    shapes = box(view, (-column - 1.2, -0.6, -0.5), (-column, 0.6, height - 0.2), shade(colour, 0.7))
    for level in (3.0, 5.0, 7.5):
        if rng.random() < 0.7:
            across, end = side * rng.uniform(1.5, 4.0), -rng.uniform(0.4, 2.2)
            shapes += box(view, (-9, across - 0.8, level - 0.25), (end, across + 0.8, level), shade(colour, 0.85))
            shapes += rails([(end - 0.8 - k, across + side * 0.8, level) for k in range(4)], metal)
    fascia = shade(hall_colour(rng, (0.4, 0.95)), indoor) if rng.random() < 0.4 else colour
    platform = Platform(height, width, thick, colour, fascia, metal)
    _paint(canvas, view, shapes + platform.shapes(view))
    return platform


def paint_springboard_stand(canvas: Canvas, rng: np.random.Generator, view: View, height: float, indoor: float) -> None:
    """What carries the springboard; the board itself bends and is drawn with each frame."""
    colour = shade(hall_colour(rng, (0.4, 0.95)), indoor)
    metal = shade(random_colour(rng, (0.0, 0.2), (0.5, 1.0)), indoor)
    side = float(np.sign(view.away[1]))
    shapes: list[Shape] = []
    for y in (side * rng.uniform(2.0, 4.0), 0.0):
        shapes += box(view, (-5.4, y - 0.35, -0.5), (-4.6, y + 0.35, height - 0.1), colour)
        shapes += box(view, (-3.4, y - 0.3, -0.5), (-2.6, y + 0.3, height - 0.2), shade(colour, 0.9))
        shapes += box(view, (-6.5, y - 0.4, height - 0.35), (-2.4, y + 0.4, height - 0.12), colour)
        shapes += rails([(-2.4 - k, y + 0.4 * side, height) for k in range(4)], metal)
        if y:
            shapes += box(view, (-6, y - 0.25, height - 0.08), (0, y + 0.25, height), metal)
    _paint(canvas, view, shapes)


def box(
    view: View,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    colour: Colour,
    end: Colour | None = None,
) -> list[Shape]:
    """The faces of a box between two corners that the camera sees; ``end`` is the colour of its upright faces."""
    spans = np.array([low, high])
    faces = []
    for axis in range(3):
        p, q = (a for a in range(3) if a != axis)
        for k in range(2):
            if (view.place[axis] - spans[k, axis]) * (2 * k - 1) <= 0:
                continue
            quad = np.full((4, 3), spans[k, axis])
            quad[:, p], quad[:, q] = spans[[0, 1, 1, 0], p], spans[[0, 0, 1, 1], q]
            tone = (0.75, 1.0, (0.45, 1.2)[k])[axis]
            faces.append(Shape(quad, shade(end if end and axis < 2 else colour, tone)))
    return faces


def rails(points: list[tuple[float, float, float]], metal: Colour) -> list[Shape]:
    """Handrails above the line from point to point."""
    bars = []
    for a, b in pairwise(points):
        for rise in (0.45, 0.9):
            bars.append(Shape(np.array([a, b]) + np.array([0, 0, rise]), shade(metal, 0.8 + 0.2 * (rise > 0.5)), 0.04))
    posts = [Shape(np.array([(x, y, z), (x, y, z + 0.92)]), shade(metal, 0.9), 0.04) for x, y, z in points]
    return bars + posts


def _paint(canvas: Canvas, view: View, shapes: list[Shape]) -> None:
    for shape in shapes:
        place = view.panorama(shape.points)
        if shape.width:
            canvas.line(tuple(place[0]), tuple(place[1]), shape.colour, shape.width)
        else:
            canvas.polygon(place, shape.colour)
