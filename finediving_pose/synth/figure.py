"""A diver before the camera: the skin around the body's points, lit face by face and drawn far to near."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.synth.anatomy import SIDES, Skin, tubes
from finediving_pose.synth.body import Build
from finediving_pose.synth.camera import View, to_pixels
from finediving_pose.synth.look import Look, paint

FINE = 2
"""A figure is drawn this many times larger and scaled down, which makes its edges smooth."""


@dataclass(frozen=True, slots=True)
class Light:
    """What lights a diver: a lamp or the sun from ``direction`` (unit, world frame), what comes from everywhere,
    and what the water throws back from below; colours as factors (3,)."""

    direction: NDArray[np.float64]
    direct: NDArray[np.float64]
    ambient: NDArray[np.float64]
    below: NDArray[np.float64]

    def on(self, normals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Factors (..., 3) for surfaces with unit ``normals`` (..., 3)."""
        facing = np.clip(normals @ self.direction, 0, None)
        down = 0.5 - 0.5 * normals[..., 2]
        return facing[..., None] * self.direct + self.ambient + down[..., None] * self.below


@dataclass(frozen=True, slots=True)
class Figure:
    """A diver ready to be drawn: the skin of a build, and the colour of every face (F, 3)."""

    look: Look
    skin: Skin
    colours: NDArray[np.float64]
    corners: NDArray[np.int64]
    turned: NDArray[np.float64]
    limb: NDArray[np.int64]
    stature: float

    @classmethod
    def of(cls, build: Build, look: Look) -> Figure:
        parts = tubes(look.woman, look.bun)
        skin = Skin.of(build, parts)
        k = np.arange(SIDES)
        low, high = (skin.strips[:, i, None] * SIDES for i in (0, 1))
        corners = np.stack([low + k, low + (k + 1) % SIDES, high + (k + 1) % SIDES, high + k], -1).reshape(-1, 4)
        colours = paint(look, parts).reshape(-1, 3)
        return cls(
            look, skin, colours, corners, np.repeat(skin.turned, SIDES), np.repeat(skin.limb, SIDES), build.stature
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """A figure at one instant: corners of its skin in the world (V, 3) and in the picture (V, 2), pixels; their
    distance along the view (V,), metres; joints and other points of the body in the picture (N_POINTS, 2), their
    distance (N_POINTS,); pixels a metre."""

    corners: NDArray[np.float64]
    pixels: NDArray[np.float64]
    distance: NDArray[np.float64]
    places: NDArray[np.float64]
    depths: NDArray[np.float64]
    scale: float


def place_figure(
    figure: Figure, view: View, points: NDArray[np.float64], centre: NDArray[np.float64], scale: NDArray[np.float64]
) -> list[Placed]:
    """Put points (T, N_POINTS, 3) of the world into the picture of a camera at ``centre`` (T, 2), ``scale`` (T,)."""
    corners = figure.skin.corners(points).reshape(len(points), -1, 3)
    pixels = to_pixels(view.panorama(corners), centre, scale)
    places = to_pixels(view.panorama(points), centre, scale)
    rows = zip(corners, pixels, view.depth(corners), places, view.depth(points), scale.tolist(), strict=True)
    return [Placed(*row) for row in rows]


def figure_box(placed: Placed) -> NDArray[np.float64]:
    """Box (x1, y1, x2, y2) around a drawn figure, pixels, not clipped."""
    return np.concatenate([placed.pixels.min(0), placed.pixels.max(0)])


def faces_to_draw(figure: Figure, placed: Placed) -> NDArray[np.int64]:
    """Indices of the faces that look to the camera, far ones first."""
    a, b, c, d = (placed.pixels[figure.corners[:, k]] for k in range(4))
    p, q = c - a, d - b
    area = (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]) * figure.turned
    faces = np.flatnonzero(area > 0)
    distance = placed.distance[figure.corners[faces]].mean(1)
    return faces[np.argsort(-distance, kind="stable")]


def draw_figure(
    figure: Figure, placed: Placed, light: Light, towards: NDArray[np.float64], window: tuple[int, int, int, int]
) -> NDArray[np.uint8]:
    """The figure in a window (left, top, width, height) of the picture, ``towards`` being the way to the camera.

    Returns uint8 (height, width, 4): colour times cover, and cover.
    """
    left, top, width, height = window
    faces = faces_to_draw(figure, placed)
    a, b, c, d = (placed.corners[figure.corners[faces, k]] for k in range(4))
    normals = np.cross(c - a, d - b) * figure.turned[faces, None]
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    normals *= np.sign(normals @ towards)[:, None]
    half = light.direction + towards
    gleam = np.clip(normals @ (half / np.linalg.norm(half)), 0, 1) ** 24 * figure.look.shine * 110
    lit = figure.colours[faces] * light.on(normals) + gleam[:, None] * light.direct
    paint = np.concatenate([np.clip(lit, 0, 255), np.full((len(faces), 1), 255.0)], 1).tolist()
    canvas = np.zeros((height * FINE, width * FINE, 4), np.uint8)
    shapes = (placed.pixels[figure.corners[faces]] - (left, top) + 0.5) * FINE - 0.5
    for shape, colour in zip(np.round(shapes * 16).astype(np.int32), paint, strict=True):
        cv2.fillConvexPoly(canvas, shape, colour, cv2.LINE_8, 4)
    return np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
