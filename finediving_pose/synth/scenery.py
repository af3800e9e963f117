"""The pool of one event as one large picture that the camera pans over: water, deck, stands, banners, board.

Everything is drawn at random: what stands behind the pool, its colours, how full it is, the light.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from finediving_pose.synth.camera import View

Colour = tuple[float, float, float]


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


class _Canvas:
    """A panorama under the brush, in metres."""

    def __init__(self, left: float, right: float, bottom: float, top: float, scale: float) -> None:
        self.left, self.top, self.right, self.bottom, self.scale = left, top, right, bottom, scale
        self.image = np.zeros((int((top - bottom) * scale) + 1, int((right - left) * scale) + 1, 3), np.uint8)

    def pixel(self, place: np.ndarray) -> np.ndarray:
        """Fixed-point pixels (N, 2), 4 fractional bits, of places (N, 2)."""
        place = np.asarray(place, float)
        return np.round((place - [self.left, self.top]) * [self.scale, -self.scale] * 16).astype(np.int32)

    def polygon(self, places: np.ndarray, colour: Colour) -> None:
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


def shade(colour: Colour, factor: float) -> Colour:
    """A colour lighter (above 1) or darker."""
    r, g, b = (min(255.0, c * factor) for c in colour)
    return r, g, b


def random_scenery(rng: np.random.Generator, view: View, height: float) -> Scenery:
    """Paint the pool of one event."""
    scale = view.pixels_per_metre
    reach = 0.75 * 456 / scale + 4.5
    middle = float(view.right[0])
    canvas = _Canvas(middle - reach, middle + reach, -4.5, height + 5.5, scale)
    hue = rng.uniform(0.5, 0.62)
    water = (
        rng.uniform(10, 70),
        255 * rng.uniform(0.42, 0.72) * (1.12 - 0.5 * (hue - 0.5)),
        255 * rng.uniform(0.62, 0.95),
    )
    shore = float(rng.uniform(0.3, 1.6))
    _hall(canvas, rng, shore)
    _softened(canvas, rng, rng.uniform(0.3, 1.5))
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


def _hall(canvas: _Canvas, rng: np.random.Generator, shore: float) -> None:
    """Everything behind the water, from the deck to the roof, band by band."""
    canvas.image[:] = np.array(random_colour(rng, (0.0, 0.35), (0.06, 0.5)))
    deck = rng.uniform(0.3, 1.1)
    canvas.box(canvas.left, canvas.right, shore, shore + deck, random_colour(rng, (0.0, 0.25), (0.45, 0.85)))
    bottom = shore + deck
    wall = rng.uniform(0.5, 1.3)
    _banner(canvas, rng, bottom, bottom + wall)
    _officials(canvas, rng, shore, deck)
    bottom += wall
    seats = random_colour(rng, (0.2, 0.9), (0.3, 0.8))
    crowd = rng.uniform(0.02, 0.95)
    while bottom < canvas.top:
        kind = rng.choice(["stand", "stand", "banner", "wall", "windows"])
        size = rng.uniform(2.2, 5.5) if kind == "stand" else rng.uniform(0.6, 1.6)
        if kind == "stand":
            _stand(canvas, rng, bottom, bottom + size, seats, float(np.clip(crowd + rng.normal(0, 0.25), 0, 1)))
            _railing(canvas, rng, bottom)
        elif kind == "banner":
            _banner(canvas, rng, bottom, bottom + size)
        elif kind == "windows":
            _windows(canvas, rng, bottom, bottom + size)
        else:
            canvas.box(canvas.left, canvas.right, bottom, bottom + size, random_colour(rng, (0, 0.3), (0.08, 0.6)))
        bottom += size


def _stand(canvas: _Canvas, rng: np.random.Generator, bottom: float, top: float, seats: Colour, crowd: float) -> None:
    """Rows of seats, some taken, with stairs between blocks."""
    canvas.box(canvas.left, canvas.right, bottom, top, shade(seats, rng.uniform(0.35, 0.7)))
    row, pitch = rng.uniform(0.32, 0.55), rng.uniform(0.34, 0.5)
    block = rng.uniform(3.0, 7.0)
    aisle = random_colour(rng, (0.0, 0.7), (0.3, 0.75))
    start = rng.uniform(0, block)
    skins = [random_colour(rng, (0.35, 0.6), (0.3, 0.8)) for _ in range(1)] + [
        (224, 172, 140),
        (150, 100, 75),
        (198, 150, 120),
    ]
    shirts = [random_colour(rng, (0.0, 1.0), (0.1, 0.95)) for _ in range(7)]
    for y in np.arange(bottom, top, row)[::-1]:
        shift = rng.uniform(0, pitch)
        for x in np.arange(canvas.left - shift, canvas.right, pitch):
            if (x + start) % block < 0.9:
                continue
            tone = rng.uniform(0.85, 1.1)
            canvas.box(x, x + 0.82 * pitch, y, y + 0.62 * row, shade(seats, tone))
            if rng.random() < crowd:
                _spectator(canvas, rng, x + 0.4 * pitch, y, row, shirts, skins)
    for x in np.arange(canvas.left - 2 * block, canvas.right + block, block):
        edge = x - (canvas.left - 2 * block + start) % block + 0.0
        canvas.box(edge, edge + 0.7, bottom, top, aisle)
        for y in np.arange(bottom, top, row / 2):
            canvas.line((edge, y), (edge + 0.7, y), shade(aisle, 0.7), 0.03)


def _spectator(
    canvas: _Canvas, rng: np.random.Generator, x: float, y: float, row: float, shirts: list[Colour], skins: list[Colour]
) -> None:
    """Head and shoulders of somebody watching."""
    size = row * rng.uniform(0.85, 1.15)
    x += rng.normal(0, 0.05)
    shirt = shade(shirts[rng.integers(len(shirts))], rng.uniform(0.6, 1.1))
    canvas.disc(x, y + 0.35 * size, 0.33 * size, 0.42 * size, shirt)
    skin = shade(skins[rng.integers(len(skins))], rng.uniform(0.6, 1.0))
    canvas.disc(x, y + 0.93 * size, 0.16 * size, 0.2 * size, skin)
    canvas.disc(x, y + 1.02 * size, 0.16 * size, 0.14 * size, shade(skin, rng.uniform(0.15, 0.6)))


def _banner(canvas: _Canvas, rng: np.random.Generator, bottom: float, top: float) -> None:
    """A band of advertising: colour, stripes, words."""
    ground = random_colour(rng, (0.1, 1.0), (0.25, 0.95))
    canvas.box(canvas.left, canvas.right, bottom, top, ground)
    x = canvas.left
    while x < canvas.right:
        width = rng.uniform(0.8, 4.0)
        ink = (250.0, 250.0, 250.0) if sum(ground) < 400 else random_colour(rng, (0.3, 1.0), (0.05, 0.5))
        pick = rng.random()
        if pick < 0.35:
            canvas.box(x, x + width, bottom, top, shade(random_colour(rng, (0.0, 1.0), (0.3, 1.0)), 1.0))
        elif pick < 0.5:
            slant = np.array([[x, bottom], [x + 0.5, bottom], [x + 0.5 + width / 3, top], [x + width / 3, top]])
            canvas.polygon(slant, shade(ground, 1.4))
        if rng.random() < 0.75:
            word = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUVXYZ0123456789 "), rng.integers(3, 10)))
            size = (top - bottom) * canvas.scale * rng.uniform(0.012, 0.022)
            at = ((canvas.pixel(np.array([[x + 0.1, bottom + 0.3 * (top - bottom)]]))[0]) // 16).tolist()
            cv2.putText(
                canvas.image, word, at, int(rng.integers(0, 5)), size, ink, max(1, round(2 * size)), cv2.LINE_AA
            )
        x += width + rng.uniform(0.1, 1.0)


def _windows(canvas: _Canvas, rng: np.random.Generator, bottom: float, top: float) -> None:
    """A band of glass or lamps between posts."""
    canvas.box(canvas.left, canvas.right, bottom, top, random_colour(rng, (0.0, 0.4), (0.3, 1.0)))
    post = random_colour(rng, (0.0, 0.3), (0.1, 0.7))
    for x in np.arange(canvas.left, canvas.right, rng.uniform(0.6, 2.5)):
        canvas.box(x, x + rng.uniform(0.05, 0.3), bottom, top, post)


def _railing(canvas: _Canvas, rng: np.random.Generator, bottom: float) -> None:
    """Bars along the foot of a stand."""
    metal = random_colour(rng, (0.0, 0.2), (0.4, 0.95))
    for y in (0.2, 0.45, 0.7):
        canvas.line((canvas.left, bottom + y), (canvas.right, bottom + y), metal, 0.04)
    for x in np.arange(canvas.left, canvas.right, rng.uniform(0.7, 1.6)):
        canvas.line((x, bottom), (x, bottom + 0.7), metal, 0.04)


def _officials(canvas: _Canvas, rng: np.random.Generator, shore: float, deck: float) -> None:
    """People on the deck, upright, in the clothes of the event."""
    shirt, trousers = random_colour(rng, (0.0, 0.9), (0.4, 1.0)), random_colour(rng, (0.0, 0.5), (0.1, 0.9))
    skins = [(224, 172, 140), (150, 100, 75), (198, 150, 120)]
    for x in rng.uniform(canvas.left, canvas.right, rng.integers(3, 22)):
        foot, tall = shore + rng.uniform(0.1, max(0.2, deck)), rng.uniform(0.75, 1.25)
        top = shirt if rng.random() < 0.6 else random_colour(rng, (0.0, 0.9), (0.1, 0.95))
        skin = skins[rng.integers(3)]
        for dx in (-0.06, 0.07):
            canvas.line((x + dx * tall, foot), (x + 0.6 * dx * tall, foot + 0.5 * tall), trousers, 0.11 * tall)
        canvas.disc(x, foot + 0.66 * tall, 0.15 * tall, 0.22 * tall, top)
        for dx in (-0.17, 0.17):
            canvas.line((x + 0.8 * dx * tall, foot + 0.8 * tall), (x + dx * tall, foot + 0.5 * tall), skin, 0.06 * tall)
        canvas.disc(x, foot + 0.96 * tall, 0.075 * tall, 0.095 * tall, skin)
        canvas.disc(x, foot + 1.01 * tall, 0.075 * tall, 0.06 * tall, shade(skin, 0.3))


def _softened(canvas: _Canvas, rng: np.random.Generator, sigma: float) -> None:
    """Out of focus behind the diver, with uneven brightness."""
    canvas.image[:] = cv2.GaussianBlur(canvas.image, (0, 0), sigma)
    rows, columns = canvas.image.shape[:2]
    patches = cv2.resize(
        rng.uniform(0.75, 1.2, (5, 4)).astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC
    )
    canvas.image = np.clip(canvas.image * patches[..., None], 0, 255).astype(np.uint8)


def _water(canvas: _Canvas, rng: np.random.Generator, water: Colour, shore: float) -> None:
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


def _lit(canvas: _Canvas, rng: np.random.Generator) -> None:
    """White balance and exposure of the broadcast."""
    gain = rng.uniform(0.75, 1.15) * rng.uniform(0.92, 1.08, 3)
    canvas.image = np.clip(canvas.image * gain, 0, 255).astype(np.uint8)


def _slab(canvas: _Canvas, view: View, corner: np.ndarray, far: np.ndarray, colour: Colour) -> None:
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


def _rails(canvas: _Canvas, view: View, points: list[tuple[float, float, float]], metal: Colour) -> None:
    """Handrails above the line from point to point."""
    for a, b in pairwise(points):
        for rise in (0.45, 0.9):
            p, q = view.panorama(np.array([[a[0], a[1], a[2] + rise], [b[0], b[1], b[2] + rise]]))
            canvas.line(tuple(p), tuple(q), metal, 0.05)
    for x, y, z in points:
        p, q = view.panorama(np.array([[x, y, z], [x, y, z + 0.92]]))
        canvas.line(tuple(p), tuple(q), metal, 0.05)


def _tower(canvas: _Canvas, rng: np.random.Generator, view: View, height: float) -> None:
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


def _springboard_stand(canvas: _Canvas, rng: np.random.Generator, view: View, height: float) -> None:
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
