"""How a diver looks: rounded body parts with materials, drawn far to near with shading.

A body part is the hull of two to five spheres, so its outline is right from every side: shoulders are broad
from the front and narrow from the side.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from finediving_pose.synth.body import Build, Point
from finediving_pose.synth.camera import View, to_pixels
from finediving_pose.synth.scenery import Colour, random_colour, shade

_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 13)[:-1]), np.sin(np.linspace(0, 2 * np.pi, 13)[:-1])], -1)


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of a diver by material, and whether the hair is tied up."""

    colours: dict[str, Colour]
    bun: bool
    woman: bool
    long_trunks: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Hull of spheres around points of the body; radii in statures."""

    material: str
    points: tuple[int, ...]
    radii: tuple[float, ...]


def random_look(rng: np.random.Generator, woman: bool) -> Look:
    """Skin, swimwear and hair of one diver."""
    tan = rng.uniform(0, 1)
    light, dark = np.array([236, 190, 160]), np.array([112, 72, 52])
    red, green, blue = (light * (1 - tan**1.7) + dark * tan**1.7) * rng.uniform(0.94, 1.06, 3)
    hair = [(28, 24, 24), (45, 32, 26), (90, 62, 40), (165, 130, 80), (20, 20, 30)][rng.integers(5)]
    suit = (
        random_colour(rng, (0.3, 1.0), (0.1, 0.85))
        if rng.random() < 0.8
        else random_colour(rng, (0, 0.2), (0.05, 0.95))
    )
    colours = {
        "skin": (float(red), float(green), float(blue)),
        "hair": random_colour(rng, (0.2, 0.9), (0.3, 0.9)) if rng.random() < 0.08 else hair,
        "suit": suit,
        "tape": (225.0, 215.0, 205.0) if rng.random() < 0.5 else (float(red), float(green), float(blue)),
    }
    return Look(colours, bun=woman and rng.random() < 0.75, woman=woman, long_trunks=not woman and rng.random() < 0.2)


def figure_parts(look: Look) -> list[Part]:
    """The body parts of a diver, in no order."""
    parts = []
    for hip, knee, ankle, toe, glute in (
        (2, 1, 0, Point.RIGHT_TOE, Point.RIGHT_GLUTE),
        (3, 4, 5, Point.LEFT_TOE, Point.LEFT_GLUTE),
    ):
        parts += [
            Part("skin", (hip, glute, knee), (0.049, 0.050, 0.031)),
            Part("skin", (knee, ankle), (0.0315, 0.0185)),
            Part("skin", (ankle, toe), (0.0195, 0.010)),
        ]
    for shoulder, elbow, wrist, finger in ((12, 11, 10, Point.RIGHT_FINGER), (13, 14, 15, Point.LEFT_FINGER)):
        parts += [
            Part("skin", (shoulder, elbow), (0.031, 0.0225)),
            Part("skin", (elbow, wrist), (0.023, 0.0155)),
            Part("tape", (wrist, finger), (0.0165, 0.012)),
        ]
    trunk = "suit" if look.woman else "skin"
    parts += [
        Part("skin", (7, 8), (0.036, 0.030)),
        Part(
            trunk,
            (Point.WAIST, Point.CHEST, 12, 13),
            (0.055, 0.062, 0.030, 0.030) if not look.woman else (0.055, 0.064, 0.012, 0.012),
        ),
        Part(trunk, (2, 3, Point.RIGHT_GLUTE, Point.LEFT_GLUTE, Point.WAIST), (0.050, 0.050, 0.053, 0.053, 0.054)),
        Part("hair", (Point.SKULL,), (0.061,)),
        Part("skin", (Point.FACE,), (0.051,)),
    ]
    if not look.woman:
        parts.append(Part("suit", (2, 3, Point.RIGHT_GLUTE, Point.LEFT_GLUTE), (0.0525, 0.0525, 0.055, 0.055)))
    if look.bun:
        parts.append(Part("hair", (Point.BUN,), (0.030,)))
    return parts


@dataclass(frozen=True, slots=True)
class Figure:
    """A diver ready to be drawn."""

    build: Build
    look: Look
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, build: Build, look: Look) -> Figure:
        return cls(build, look, tuple(figure_parts(look)))

    def radius(self, part: Part) -> np.ndarray:
        """Radii of a part's spheres, metres."""
        return np.array(part.radii) * self.build.stature * self.build.girth


@dataclass(frozen=True, slots=True)
class Placed:
    """A figure at one instant, in pixels: places (N_POINTS, 2), depths (N_POINTS,), pixels a metre."""

    places: np.ndarray
    depths: np.ndarray
    scale: float


def place_figure(view: View, points: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> list[Placed]:
    """Put points (T, N_POINTS, 3) of the world into the picture of a camera at ``centre`` (T, 2), ``scale`` (T,)."""
    places = to_pixels(view.panorama(points), centre, scale)
    depths = view.depth(points)
    return [Placed(p, d, float(s)) for p, d, s in zip(places, depths, scale, strict=True)]


def figure_box(figure: Figure, placed: Placed) -> np.ndarray:
    """Box (x1, y1, x2, y2) around a drawn figure, pixels, not clipped."""
    points = np.concatenate([p.points for p in figure.parts])
    radii = np.concatenate([figure.radius(p) for p in figure.parts])[:, None] * placed.scale
    around = placed.places[points]
    return np.concatenate([(around - radii).min(0), (around + radii).max(0)])


def draw_figure(picture: np.ndarray, figure: Figure, placed: Placed, light: np.ndarray, contrast: float) -> None:
    """Draw a figure over ``picture`` (H, W, 3) RGB, in place."""
    near, far = placed.depths.min(), placed.depths.max()
    drawn = []
    for part in figure.parts:
        index = list(part.points)
        depth = placed.depths[index].mean() - 0.5 * figure.radius(part).max() * (part.material == "suit")
        drawn.append((depth, part, index))
    for depth, part, index in sorted(drawn, key=lambda d: -d[0]):
        dim = 1 - 0.22 * (depth - near) / (far - near + 0.25)
        _draw_part(
            picture,
            placed.places[index],
            figure.radius(part) * placed.scale,
            figure.look.colours[part.material],
            dim,
            light,
            contrast,
        )


def _draw_part(
    picture: np.ndarray,
    centres: np.ndarray,
    radii: np.ndarray,
    colour: Colour,
    dim: float,
    light: np.ndarray,
    contrast: float,
) -> None:
    """A rounded part: the whole hull in shadow, smaller hulls towards the light ever brighter."""
    for size, shift, tone in (
        (1.0, 0.0, 1 - 0.5 * contrast),
        (0.78, 0.2, 1 - 0.12 * contrast),
        (0.45, 0.38, 1 + 0.22 * contrast),
    ):
        r = radii * size
        middle = centres + light * (radii * shift)[:, None]
        outline = middle[:, None] + r[:, None, None] * _CIRCLE
        hull = cv2.convexHull(np.round(outline.reshape(-1, 2) * 16).astype(np.int32))
        cv2.fillConvexPoly(picture, hull, shade(colour, tone * dim), cv2.LINE_AA, 4)
