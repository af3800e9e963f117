"""The pool of one event as one large picture that the camera pans over: water, deck, stands, banners, board.

Everything is drawn at random: indoors or under the sky, what stands behind the pool, its colours, how full it is,
the light, the water.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.synth.boards import Platform, paint_springboard_stand, paint_tower
from finediving_pose.synth.camera import View
from finediving_pose.synth.canvas import Canvas, Colour, hall_colour, shade
from finediving_pose.synth.figure import Light
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
    shore : height of the water's far edge in the panorama, metres
    foam : colour of foam
    light : what lights the diver
    plank : colour of the springboard
    platform : None where the dives are from a springboard
    """

    picture: NDArray[np.uint8]
    left: float
    top: float
    scale: float
    height: float
    shore: float
    foam: Colour
    light: Light
    plank: Colour
    platform: Platform | None


def random_scenery(rng: np.random.Generator, view: View, height: float) -> Scenery:
    """Paint the pool of one event."""
    scale = view.pixels_per_metre
    reach = 0.75 * 456 / scale + 4.5
    middle = float(view.right[0])
    canvas = Canvas(middle - reach, middle + reach, -4.5, height + 5.5, scale)
    outdoor = rng.random() < 0.25
    shore = float(view.panorama(rng.uniform(7.0, 15.0) * view.away)[1])
    paint_hall(canvas, rng, shore, outdoor)
    _softened(canvas, rng, rng.uniform(0.25, 0.9))
    bright = _lit(canvas, rng, shore, outdoor)
    foam = _water(canvas, rng, shore, bright)
    platform = None
    if height > 5:
        platform = paint_tower(canvas, rng, view, height, bright)
    else:
        paint_springboard_stand(canvas, rng, view, height, bright)
    plank = shade(hall_colour(rng, (0.55, 0.95)), bright)
    light = _random_light(rng, view, outdoor, bright)
    return Scenery(canvas.image, canvas.left, canvas.top, scale, height, shore, foam, light, plank, platform)


def _random_light(rng: np.random.Generator, view: View, outdoor: bool, bright: float) -> Light:
    """The sun and the sky, or many lamps under a roof; from above, more often from the camera's side."""
    across, towards = rng.uniform(-0.7, 0.7), rng.uniform(-0.3, 0.9)
    direction = across * view.right - towards * view.away + np.array([0, 0, rng.uniform(0.5, 1.1)])
    hard = rng.uniform(0.8, 1.1) if outdoor else rng.uniform(0.4, 0.95)
    warm = np.array([1.0, 0.97, 0.92]) if outdoor else rng.uniform(0.98, 1.02, 3)
    sky = np.array([0.97, 0.99, 1.04]) if outdoor else np.array([1.04, 0.98, 0.95])
    gain = (0.25 + 0.75 * bright) * rng.uniform(0.92, 1.12)
    return Light(
        direction / np.linalg.norm(direction), warm * hard * gain, sky * (0.95 - 0.62 * hard) * gain,
        np.array([0.04, 0.10, 0.14]) * rng.uniform(0.4, 1.4) * gain,
    )  # fmt: skip


def _softened(canvas: Canvas, rng: np.random.Generator, sigma: float) -> None:
    """Out of focus behind the diver, with uneven brightness."""
    canvas.image[:] = cv2.GaussianBlur(canvas.image, (0, 0), sigma)
    rows, columns = canvas.image.shape[:2]
    patches = cv2.resize(
        rng.uniform(0.7, 1.2, (5, 4)).astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC
    )
    canvas.image = np.clip(canvas.image * patches[..., None], 0, 255).astype(np.uint8)


def _lit(canvas: Canvas, rng: np.random.Generator, shore: float, outdoor: bool) -> float:
    """White balance and exposure of the broadcast; under a roof the stands lie in the dark. Returns the exposure."""
    colourful = rng.uniform(0.6, 1.0)
    bright = float(rng.uniform(0.8, 1.1))
    height = canvas.top - np.arange(canvas.image.shape[0]) / canvas.scale - shore
    dark = 1.0 if outdoor else rng.uniform(0.4, 1.1)
    dim = np.interp(height, [0, rng.uniform(1.5, 3.0), 12.0], [1.0, dark, dark * rng.uniform(0.6, 1.0)])[:, None, None]
    grey = canvas.image.mean(2, keepdims=True)
    picture = (grey + colourful * (canvas.image - grey)) * dim
    # The camera's exposure follows the picture: its bright parts come out about as bright in every hall.
    exposed = np.clip(rng.uniform(150, 205) / np.percentile(picture[::4, ::4], 94), 0.8 if outdoor else 0.6, 2.2)
    canvas.image[:] = np.clip(picture * exposed * rng.uniform(0.95, 1.05, 3), 0, 255).astype(np.uint8)
    return bright


def _water(canvas: Canvas, rng: np.random.Generator, shore: float, bright: float) -> Colour:
    """Rippled water, finer far away, that mirrors what is behind it, up to the far edge. Returns foam's colour."""
    first = int((canvas.top - shore) * canvas.scale)
    rows, columns = canvas.image.shape[0] - first, canvas.image.shape[1]
    depth = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    fine, coarse = (_ripples(rng, rows, columns, rng.uniform(*size)) for size in ((3, 6), (9, 20)))
    noise = (1 - depth) * fine + depth * coarse + 0.7 * _ripples(rng, rows, columns, 60.0)
    deep = rng.uniform(0.45, 1.1) * bright
    water = np.array([rng.uniform(8, 70), rng.uniform(95, 190), rng.uniform(150, 240)]) * deep
    mirrored = canvas.image[max(0, first - rows) : first][::-1].astype(np.float32)
    mirrored = cv2.blur(cv2.resize(mirrored, (columns, rows)), (3, int(rng.integers(9, 41)) | 1))
    sheen = (rng.uniform(0.25, 0.6) * (1 - depth) + 0.04)[..., None] * (1 + 0.35 * noise[..., None])
    sheen = np.clip(sheen, 0, 0.9)
    tone = 1 + rng.uniform(0.05, 0.14) * noise[..., None] + np.linspace(0.12, -0.12, rows)[:, None, None]
    glint = np.clip(noise - rng.uniform(1.7, 3.2), 0, 1)[..., None] * rng.uniform(30, 120)
    canvas.image[first:] = np.clip(water * tone * (1 - sheen) + mirrored * sheen + glint, 0, 255).astype(np.uint8)
    edge = shade(hall_colour(rng, (0.6, 1.0)), bright)
    canvas.box(canvas.left, canvas.right, shore - 0.04, shore + rng.uniform(0.06, 0.2), edge)
    red, green, blue = 0.78 * np.array([238, 246, 250]) * min(1.0, bright + 0.15) + 0.22 * water
    return float(red), float(green), float(blue)


def _ripples(rng: np.random.Generator, rows: int, columns: int, stretch: float) -> np.ndarray:
    """Smooth noise (rows, columns), six times as wide as high."""
    shape = (int(rows / (stretch * 0.35)) + 2, int(columns / (stretch * 2)) + 2)
    return cv2.resize(rng.normal(0, 1, shape).astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
