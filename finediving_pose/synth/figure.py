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
from finediving_pose.synth.canvas import Colour, random_colour, shade

_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 13)[:-1]), np.sin(np.linspace(0, 2 * np.pi, 13)[:-1])], -1)

_SHADING = ((1.0, 0.0, -0.40), (0.82, 0.13, -0.16), (0.52, 0.34, 0.14))
"""Size of a hull, its shift towards the light in radii, and its tone beside the colour's own."""


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of a diver by material, and whether the hair is tied up."""

    colours: dict[str, Colour]
    bun: bool
    woman: bool
    long_trunks: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Hull of spheres around points of the body; radii in statures. Parts of one limb are drawn together."""

    limb: str
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
    """The body parts of a diver, limb by limb, swimwear after the skin that it covers."""
    trunk = "suit" if look.woman else "skin"
    chest = (0.054, 0.062, 0.020, 0.020) if look.woman else (0.055, 0.062, 0.030, 0.030)
    glutes = (Point.RIGHT_GLUTE, Point.LEFT_GLUTE)
    parts = [
        Part("trunk", "skin", (7, 8), (0.034, 0.029)),
        Part("trunk", "skin", (7, 12, 13), (0.036, 0.027, 0.027)),
        Part("trunk", trunk, (Point.WAIST, Point.CHEST, 12, 13), chest),
        Part("trunk", trunk, (2, 3, *glutes, Point.WAIST), (0.049, 0.049, 0.052, 0.052, 0.053)),
        Part("hair", "hair", (Point.SKULL,), (0.057,)),
        Part("face", "skin", (Point.FACE,), (0.049,)),
    ]
    if not look.woman:
        parts.append(Part("trunk", "suit", (2, 3, *glutes), (0.051, 0.051, 0.054, 0.054)))
    if look.bun:
        parts.append(Part("bun", "hair", (Point.BUN,), (0.028,)))
    right = (2, 1, 0, Point.RIGHT_TOE, Point.RIGHT_GLUTE, Point.RIGHT_THIGH, Point.RIGHT_CALF)
    left = (3, 4, 5, Point.LEFT_TOE, Point.LEFT_GLUTE, Point.LEFT_THIGH, Point.LEFT_CALF)
    for limb, points in (("right leg", right), ("left leg", left)):
        parts += _leg(limb, points, look)
    for limb, (shoulder, elbow, wrist, finger) in (
        ("right arm", (12, 11, 10, Point.RIGHT_FINGER)),
        ("left arm", (13, 14, 15, Point.LEFT_FINGER)),
    ):
        parts += [
            Part(limb, "skin", (shoulder, elbow), (0.031, 0.0225)),
            Part(limb, "skin", (elbow, wrist), (0.0235, 0.0155)),
            Part(limb, "tape", (wrist, finger), (0.0165, 0.011)),
        ]
    return parts


def _leg(limb: str, points: tuple[int, ...], look: Look) -> list[Part]:
    hip, knee, ankle, toe, glute, thigh, calf = points
    parts = [
        Part(limb, "skin", (hip, glute, thigh), (0.048, 0.050, 0.043)),
        Part(limb, "skin", (thigh, knee), (0.043, 0.030)),
        Part(limb, "skin", (knee, calf, ankle), (0.029, 0.029, 0.0180)),
        Part(limb, "skin", (ankle, toe), (0.0195, 0.010)),
    ]
    if look.woman:
        return [*parts, Part(limb, "suit", (hip, glute), (0.042, 0.051))]
    covered = (hip, glute, thigh) if look.long_trunks else (hip, glute)
    return [*parts, Part(limb, "suit", covered, (0.050, 0.0525, 0.045)[: len(covered)])]


@dataclass(frozen=True, slots=True)
class Figure:
    """A diver ready to be drawn.

    Attributes
    ----------
    look : colours
    limbs : of every limb its materials in the order of drawing, of each material its parts as slices of the spheres
    points, radii : the spheres of all parts: point of the body (S,), radius in metres (S,)
    owners : index of each sphere's limb (S,)
    """

    look: Look
    limbs: dict[str, list[tuple[str, list[slice]]]]
    points: np.ndarray
    radii: np.ndarray
    owners: np.ndarray

    @classmethod
    def of(cls, build: Build, look: Look) -> Figure:
        parts = figure_parts(look)
        limbs: dict[str, dict[str, list[slice]]] = {}
        start = 0
        for part in parts:
            own = slice(start, start + len(part.points))
            limbs.setdefault(part.limb, {}).setdefault(part.material, []).append(own)
            start = own.stop
        radii = np.array([r for p in parts for r in p.radii]) * build.stature * build.girth
        points = np.array([i for p in parts for i in p.points])
        owners = np.array([list(limbs).index(p.limb) for p in parts for _ in p.points])
        return cls(look, {limb: list(own.items()) for limb, own in limbs.items()}, points, radii, owners)


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
    radii = figure.radii[:, None] * placed.scale
    around = placed.places[figure.points]
    return np.concatenate([(around - radii).min(0), (around + radii).max(0)])


def draw_figure(picture: np.ndarray, figure: Figure, placed: Placed, light: np.ndarray, contrast: float) -> None:
    """Draw a figure over ``picture`` (H, W, 3) RGB, in place: far limbs first.

    A limb's parts grow out of each other: all in shadow first, then smaller and brighter towards the light.
    """
    near, far = float(placed.depths.min()), float(placed.depths.max())
    depths = placed.depths[figure.points]
    means = np.bincount(figure.owners, depths) / np.bincount(figure.owners)
    depth = dict(zip(figure.limbs, means.tolist(), strict=True))
    outlines = _outlines(placed.places[figure.points], figure.radii * placed.scale, light)
    for limb in sorted(depth, key=lambda name: -depth[name]):
        dim = 1 - 0.25 * (depth[limb] - near) / (far - near + 0.25)
        for material, own in figure.limbs[limb]:
            colour = figure.look.colours[material]
            for layer, (_, _, tone) in zip(outlines, _SHADING, strict=True):
                tint = shade(colour, dim * (1 + contrast * tone))
                for spheres in own:
                    cv2.fillConvexPoly(picture, cv2.convexHull(layer[spheres].reshape(-1, 2)), tint, cv2.LINE_AA, 4)


def _outlines(centres: np.ndarray, radii: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Fixed-point outlines (layers, S, 12, 2), 4 fractional bits, of spheres in every layer of shading."""
    size, shift, _ = np.array(_SHADING).T
    middle = centres + (shift[:, None] * radii)[..., None] * light
    return np.round((middle[:, :, None] + (size[:, None] * radii)[..., None, None] * _CIRCLE) * 16).astype(np.int32)
