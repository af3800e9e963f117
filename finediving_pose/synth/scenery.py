"""The pool of one event as one large picture that the camera pans over: water, deck, stands, banners, board.

Everything is drawn at random: what stands behind the pool, its colours, how full it is, the light.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from finediving_pose.synth.camera import View
from finediving_pose.synth.canvas import Canvas, Colour, random_colour, shade
from finediving_pose.synth.hall import paint_hall


@dataclass(frozen=True, slots=True)
class Scenery:
    """A panorama and what the drawing of dives needs to know of it.

    Attributes
    ----------
    picture : uint8 (H, W, 3) RGB
    left, top : place of the top-left pixel's centre in the panorama, metres
    scale : pixels a metre
    height : board or platform, metres
    water, foam : colours of water and of foam
    light : direction (2,) in the picture that light comes from, and how strong it is there
    contrast : 0 (flat light) to 1
    plank : colour of the springboard
    """

    picture: np.ndarray
    left: float
    top: float
    scale: float
    height: float
    water: Colour
    foam: Colour
    light: np.ndarray
    contrast: float
    plank: Colour


def random_scenery(rng: np.random.Generator, view: View, height: float) -> Scenery:
    """Paint the pool of one event."""
    scale = view.pixels_per_metre
    reach = 0.75 * 456 / scale + 4.5
    middle = float(view.right[0])
    canvas = Canvas(middle - reach, middle + reach, -4.5, height + 5.5, scale)
    hue = rng.uniform(0.5, 0.62)
    water = (
        rng.uniform(10, 70),
        255 * rng.uniform(0.42, 0.72) * (1.12 - 0.5 * (hue - 0.5)),
        255 * rng.uniform(0.62, 0.95),
    )
    shore = float(rng.uniform(0.3, 1.6))
    paint_hall(canvas, rng, shore)
    _softened(canvas, rng, rng.uniform(0.4, 1.6))
    _water(canvas, rng, water, shore)
    _lit(canvas, rng)
    if height > 5:
        _tower(canvas, rng, view, height)
    else:
        _springboard_stand(canvas, rng, view, height)
    side = rng.uniform(-0.8, 0.8)
    return Scenery(
        picture=canvas.image, left=canvas.left, top=canvas.top, scale=scale, height=height, water=water,
        foam=(rng.uniform(205, 245), rng.uniform(225, 250), rng.uniform(235, 255)),
        light=np.array([side, -np.sqrt(1 - side**2)]), contrast=float(rng.uniform(0.25, 0.9)),
        plank=random_colour(rng, (0.0, 0.5), (0.55, 0.95)),
    )  # fmt: skip


def _softened(canvas: Canvas, rng: np.random.Generator, sigma: float) -> None:
    """Out of focus behind the diver, with uneven brightness."""
    canvas.image[:] = cv2.GaussianBlur(canvas.image, (0, 0), sigma)
    rows, columns = canvas.image.shape[:2]
    patches = cv2.resize(
        rng.uniform(0.75, 1.2, (5, 4)).astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC
    )
    canvas.image = np.clip(canvas.image * patches[..., None], 0, 255).astype(np.uint8)


def _water(canvas: Canvas, rng: np.random.Generator, water: Colour, shore: float) -> None:
    """Rippled water with a reflection, up to the far edge of the pool."""
    first = int((canvas.top - shore) * canvas.scale)
    rows, columns = canvas.image.shape[0] - first, canvas.image.shape[1]
    noise = np.zeros((rows, columns), np.float32)
    for stretch, strength in ((rng.uniform(3, 6), 0.5), (rng.uniform(10, 25), 0.7), (60.0, 0.8)):
        small = rng.normal(0, 1, (int(rows / (stretch * 0.35)) + 2, int(columns / (stretch * 2)) + 2)).astype(
            np.float32
        )
        noise += strength * cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC)
    mirrored = canvas.image[max(0, first - rows) : first][::-1].astype(np.float32)
    mirrored = cv2.blur(cv2.resize(mirrored, (columns, rows)), (5, 41))
    sheen = np.linspace(rng.uniform(0.2, 0.5), 0.03, rows)[:, None, None]
    tone = 1 + rng.uniform(0.05, 0.13) * noise[..., None] + np.linspace(0.1, -0.1, rows)[:, None, None]
    surface = (np.array(water) * tone) * (1 - sheen) + mirrored * sheen
    glint = np.clip(noise - rng.uniform(1.8, 3.0), 0, 1)[..., None] * 120
    canvas.image[first:] = np.clip(surface + glint, 0, 255).astype(np.uint8)
    edge = random_colour(rng, (0.0, 0.5), (0.5, 1.0))
    canvas.box(canvas.left, canvas.right, shore - 0.04, shore + rng.uniform(0.08, 0.25), edge)


def _lit(canvas: Canvas, rng: np.random.Generator) -> None:
    """White balance and exposure of the broadcast."""
    grey = canvas.image.mean(2, keepdims=True)
    colourful = rng.uniform(0.5, 0.95)
    gain = rng.uniform(0.75, 1.15) * rng.uniform(0.94, 1.06, 3)
    rows, columns = canvas.image.shape[:2]
    rough = rng.normal(0, rng.uniform(0.02, 0.05), (rows // 3 + 1, columns // 3 + 1)).astype(np.float32)
    gain = gain * (1 + cv2.resize(rough, (columns, rows))[..., None])
    canvas.image[:] = np.clip((grey + colourful * (canvas.image - grey)) * gain, 0, 255).astype(np.uint8)


def _slab(canvas: Canvas, view: View, corner: np.ndarray, far: np.ndarray, colour: Colour) -> None:
    """A box between two opposite corners (x, y, z): its visible faces, far ones first."""
    spans = np.stack([corner, far])
    faces = []
    for axis in range(3):
        for end in range(2):
            normal = np.zeros(3)
            normal[axis] = 1 if spans[end, axis] == spans[:, axis].max() else -1
            others = [a for a in range(3) if a != axis]
            quad = np.array([[spans[i, others[0]], spans[j, others[1]]] for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))])
            points = np.insert(quad, axis, spans[end, axis], axis=1)
            if normal @ view.away < 0:
                faces.append((points, shade(colour, (0.75, 1.0, 1.25)[axis])))
    for points, tint in faces:
        canvas.polygon(view.panorama(points), tint)


def _rails(canvas: Canvas, view: View, points: list[tuple[float, float, float]], metal: Colour) -> None:
    """Handrails above the line from point to point."""
    for a, b in pairwise(points):
        for rise in (0.45, 0.9):
            p, q = view.panorama(np.array([[a[0], a[1], a[2] + rise], [b[0], b[1], b[2] + rise]]))
            canvas.line(tuple(p), tuple(q), metal, 0.05)
    for x, y, z in points:
        p, q = view.panorama(np.array([[x, y, z], [x, y, z + 0.92]]))
        canvas.line(tuple(p), tuple(q), metal, 0.05)


def _tower(canvas: Canvas, rng: np.random.Generator, view: View, height: float) -> None:
    """The tower with its platforms; the ten-metre platform ends at x = 0, lower ones are set back or aside."""
    colour = random_colour(rng, (0.0, 0.8), (0.4, 0.9))
    metal = random_colour(rng, (0.0, 0.2), (0.5, 1.0))
    width = rng.uniform(1.0, 1.5)
    side = np.sign(view.away[1])
    column = rng.uniform(2.6, 4.5)
    _slab(
        canvas, view, np.array([-column - 1.2, -0.6, -0.5]), np.array([-column, 0.6, height - 0.2]), shade(colour, 0.7)
    )
    for level in (3.0, 5.0, 7.5):
        if rng.random() < 0.7:
            across = side * rng.uniform(1.5, 4.0)
            end = -rng.uniform(0.4, 2.2)
            _slab(
                canvas,
                view,
                np.array([-9, across - 0.8, level - 0.25]),
                np.array([end, across + 0.8, level]),
                shade(colour, 0.85),
            )
            _rails(canvas, view, [(end - 0.8 - k, across + side * 0.8, level) for k in range(4)], metal)
    thick = rng.uniform(0.18, 0.4)
    _rails(canvas, view, [(-1.0 - k, side * width, height) for k in range(6)], metal)
    _slab(canvas, view, np.array([-9, -width, height - thick]), np.array([0, width, height]), colour)
    _rails(canvas, view, [(-1.6 - k, -side * width, height) for k in range(5)], metal)


def _springboard_stand(canvas: Canvas, rng: np.random.Generator, view: View, height: float) -> None:
    """What carries the springboard; the board itself bends and is drawn with each frame."""
    colour = random_colour(rng, (0.0, 0.7), (0.4, 0.95))
    metal = random_colour(rng, (0.0, 0.2), (0.5, 1.0))
    side = np.sign(view.away[1])
    for across in (side * rng.uniform(2.0, 4.0), 0.0):
        _slab(
            canvas, view, np.array([-5.4, across - 0.35, -0.5]), np.array([-4.6, across + 0.35, height - 0.1]), colour
        )
        _slab(
            canvas,
            view,
            np.array([-3.4, across - 0.3, -0.5]),
            np.array([-2.6, across + 0.3, height - 0.2]),
            shade(colour, 0.9),
        )
        _slab(
            canvas,
            view,
            np.array([-6.5, across - 0.4, height - 0.35]),
            np.array([-2.4, across + 0.4, height - 0.12]),
            colour,
        )
        _rails(canvas, view, [(-2.4 - k, across + 0.4 * side, height) for k in range(4)], metal)
        if across:
            _slab(
                canvas, view, np.array([-6, across - 0.25, height - 0.08]), np.array([0, across + 0.25, height]), metal
            )
