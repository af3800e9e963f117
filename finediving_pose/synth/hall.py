"""What stands behind the pool: deck, officials, stands, banners, walls, windows, all at random."""

from __future__ import annotations

import cv2
import numpy as np

from finediving_pose.synth.canvas import Canvas, Colour, hall_colour, random_colour, shade

SKINS: tuple[Colour, ...] = ((224.0, 178.0, 150.0), (150.0, 104.0, 82.0), (200.0, 155.0, 128.0), (96.0, 66.0, 54.0))


def paint_hall(canvas: Canvas, rng: np.random.Generator, shore: float, outdoor: bool = False) -> None:
    """Paint everything behind the water, band by band from the deck at height ``shore`` to the roof."""
    canvas.image[:] = np.array(hall_colour(rng, (0.1, 0.5)))
    deck = rng.uniform(0.3, 1.1)
    if outdoor:
        _open_air(canvas, rng, shore + deck)
    canvas.box(canvas.left, canvas.right, shore, shore + deck, hall_colour(rng, (0.4, 0.9)))
    bottom = shore + deck
    wall = rng.uniform(0.5, 1.3)
    _banner(canvas, rng, bottom, bottom + wall)
    _officials(canvas, rng, shore, deck)
    bottom += wall
    seats = hall_colour(rng, (0.3, 0.8))
    crowd = rng.beta(0.8, 1.0)
    last = ""
    roof = canvas.top if not outdoor else bottom + rng.uniform(0.0, 5.0)
    while bottom < roof:
        kind = str(rng.choice(["stand", "stand", "stand", "banner", "wall", "windows"]))
        size = rng.uniform(2.5, 6.0) if kind == "stand" else rng.uniform(0.5, 1.4)
        if kind == "stand":
            _stand(canvas, rng, bottom, bottom + size, seats, float(np.clip(crowd + rng.normal(0, 0.2), 0, 1)))
            _railing(canvas, rng, bottom)
        elif kind == last:
            continue
        elif kind == "banner":
            _banner(canvas, rng, bottom, bottom + size)
        elif kind == "windows":
            _windows(canvas, rng, bottom, bottom + size)
        else:
            canvas.box(canvas.left, canvas.right, bottom, bottom + size, hall_colour(rng, (0.1, 0.7)))
        last = kind
        bottom += size
    if not outdoor:
        _structure(canvas, rng, shore + deck)


def _open_air(canvas: Canvas, rng: np.random.Generator, bottom: float) -> None:
    """Sky, and before it trees, houses or hills."""
    clear = rng.uniform(0, 1)
    zenith = np.array([60, 120, 200]) * clear + np.array([190, 196, 202]) * (1 - clear)
    horizon = np.array([200, 215, 230]) * clear + np.array([225, 226, 228]) * (1 - clear)
    rows = canvas.image.shape[0]
    share = np.clip((canvas.top - np.arange(rows) / canvas.scale - bottom) / (canvas.top - bottom), 0, 1)[:, None]
    canvas.image[:] = (horizon + share * (zenith - horizon))[:, None]
    for _ in range(int(rng.integers(0, 9))):
        x, wide = rng.uniform(canvas.left, canvas.right), rng.uniform(0.8, 3.0)
        wall = random_colour(rng, (0.0, 0.25), (0.4, 0.85))
        top = bottom + rng.uniform(2, 9)
        canvas.box(x, x + wide, bottom, top, wall)
        for y in np.arange(bottom + 0.3, top - 0.2, 0.45):
            canvas.box(x + 0.15, x + wide - 0.15, y, y + 0.2, shade(wall, 0.6))
    green = random_colour(rng, (0.0, 0.1), (0.2, 0.4))
    green = (0.75 * green[0], 1.1 * green[1], 0.55 * green[2])
    crown = rng.uniform(1.5, 6.5)
    for _ in range(int(rng.integers(60, 320))):
        x, size = rng.uniform(canvas.left, canvas.right), rng.uniform(0.2, 0.7)
        y = bottom + crown * rng.uniform(0, 1) * (0.7 + 0.3 * np.sin(1.3 * x))
        canvas.disc(x, y, size, size * 0.8, shade(green, rng.uniform(0.6, 1.35)))


def _structure(canvas: Canvas, rng: np.random.Generator, bottom: float) -> None:
    """A few posts, doors and screens across the bands."""
    for _ in range(rng.integers(0, 5)):
        x, y = rng.uniform(canvas.left, canvas.right), rng.uniform(bottom, canvas.top)
        wide, tall = (rng.uniform(0.08, 0.3), rng.uniform(2, 6)) if rng.random() < 0.5 else rng.uniform(0.6, 2.0, 2)
        colour = hall_colour(rng, (0.1, 0.9))
        canvas.box(x, x + wide, y, y + tall, colour)
        canvas.box(
            x + 0.1 * wide, x + 0.9 * wide, y + 0.06 * tall, y + 0.94 * tall, shade(colour, rng.uniform(0.6, 1.5))
        )


def _stand(canvas: Canvas, rng: np.random.Generator, bottom: float, top: float, seats: Colour, crowd: float) -> None:
    """Rows of seats, some taken, with stairs between blocks; people sit in clusters."""
    ground = shade(seats, rng.uniform(0.3, 0.6))
    canvas.box(canvas.left, canvas.right, bottom, top, ground)
    row = rng.uniform(0.16, 0.36)
    pitch = row * rng.uniform(0.75, 1.0)
    block, aisle = rng.uniform(2.5, 7.0), rng.uniform(0.3, 0.8)
    start = rng.uniform(0, block)
    shirts = [hall_colour(rng, (0.2, 0.85)) for _ in range(5)]
    shirts += [(34.0, 34.0, 42.0), (60.0, 62.0, 72.0), (196.0, 196.0, 200.0)]
    favour = rng.dirichlet(np.full(len(shirts), 0.8))
    clusters = cv2.resize(rng.random((4, 8)).astype(np.float32), (64, 32), interpolation=cv2.INTER_CUBIC)
    for y in np.arange(bottom, top, row)[::-1]:
        for x in np.arange(canvas.left - rng.uniform(0, pitch), canvas.right, pitch):
            if (x - canvas.left + start) % block < aisle:
                continue
            _seat(canvas, x, y, pitch, row, shade(seats, rng.uniform(0.92, 1.06)))
            place = clusters[
                int((y - bottom) / (top - bottom) * 31), int((x - canvas.left) / (canvas.right - canvas.left) * 63)
            ]
            if 0.25 + 0.5 * place + 0.25 * rng.random() < crowd:
                shirt = shirts[rng.choice(len(shirts), p=favour)]
                _spectator(canvas, rng, x + 0.45 * pitch, y, min(row, pitch * 1.2), shirt)
    stairs = hall_colour(rng, (0.25, 0.7))
    for x in np.arange(canvas.left - start, canvas.right, block):
        canvas.box(x, x + aisle, bottom, top, stairs)
        for y in np.arange(bottom, top, row / 2):
            canvas.line((x, y), (x + aisle, y), shade(stairs, 0.75), 0.02)


def _seat(canvas: Canvas, x: float, y: float, pitch: float, row: float, colour: Colour) -> None:
    """Back and bottom of a seat."""
    left, right = x + 0.06 * pitch, x + 0.88 * pitch
    canvas.box(left, right, y + 0.08 * row, y + 0.38 * row, shade(colour, 0.72))
    rounded = np.array(
        [
            [left, 0.36],
            [right, 0.36],
            [right, 0.78],
            [right - 0.15 * pitch, 0.9],
            [left + 0.15 * pitch, 0.9],
            [left, 0.78],
        ]
    )
    rounded[:, 1] = y + rounded[:, 1] * row
    canvas.polygon(rounded, colour)
    canvas.line((left + 0.1 * pitch, y + 0.86 * row), (right - 0.1 * pitch, y + 0.86 * row), shade(colour, 1.22), 0.012)


def _spectator(canvas: Canvas, rng: np.random.Generator, x: float, y: float, row: float, shirt: Colour) -> None:
    """Somebody watching: legs, chest, arms, head, hair."""
    size = row * rng.uniform(0.9, 1.15)
    x += rng.normal(0, 0.1 * row)
    light = rng.uniform(0.55, 1.0)
    skin = shade(SKINS[rng.integers(len(SKINS))], light)
    shirt = shade(shirt, light * rng.uniform(0.85, 1.15))
    canvas.disc(x, y + 0.12 * size, 0.3 * size, 0.22 * size, shade((70.0, 70.0, 85.0), rng.uniform(0.3, 1.4)))
    turned = rng.uniform(-0.08, 0.08) * size
    chest = np.array([[-0.3, 0.1], [0.3, 0.1], [0.34, 0.5], [0.2, 0.72], [-0.2, 0.72], [-0.34, 0.5]]) * size + [x, y]
    canvas.polygon(chest, shirt)
    if rng.random() < 0.5:
        canvas.line(
            (x - 0.3 * size, y + 0.5 * size), (x + rng.uniform(-0.1, 0.1) * size, y + 0.2 * size), skin, 0.1 * size
        )
    canvas.disc(x + turned, y + 0.86 * size, 0.14 * size, 0.18 * size, skin)
    canvas.disc(
        x + turned, y + 0.95 * size, 0.15 * size, 0.12 * size, shade((90.0, 66.0, 50.0), rng.uniform(0.15, 0.9))
    )


def _banner(canvas: Canvas, rng: np.random.Generator, bottom: float, top: float) -> None:
    """A band of advertising: colour, stripes, words."""
    ground = hall_colour(rng, (0.2, 0.95))
    canvas.box(canvas.left, canvas.right, bottom, top, ground)
    x = canvas.left
    while x < canvas.right:
        width = rng.uniform(0.8, 4.0)
        ink = (250.0, 250.0, 250.0) if sum(ground) < 400 else random_colour(rng, (0.3, 1.0), (0.05, 0.5))
        pick = rng.random()
        if pick < 0.35:
            canvas.box(x, x + width, bottom, top, hall_colour(rng, (0.3, 1.0)))
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


def _windows(canvas: Canvas, rng: np.random.Generator, bottom: float, top: float) -> None:
    """A band of glass or lamps between posts."""
    canvas.box(canvas.left, canvas.right, bottom, top, random_colour(rng, (0.0, 0.4), (0.3, 1.0)))
    post = random_colour(rng, (0.0, 0.3), (0.1, 0.7))
    for x in np.arange(canvas.left, canvas.right, rng.uniform(0.6, 2.5)):
        canvas.box(x, x + rng.uniform(0.05, 0.3), bottom, top, post)


def _railing(canvas: Canvas, rng: np.random.Generator, bottom: float) -> None:
    """Bars along the foot of a stand."""
    metal = random_colour(rng, (0.0, 0.2), (0.4, 0.95))
    for y in (0.2, 0.45, 0.7):
        canvas.line((canvas.left, bottom + y), (canvas.right, bottom + y), metal, 0.04)
    for x in np.arange(canvas.left, canvas.right, rng.uniform(0.7, 1.6)):
        canvas.line((x, bottom), (x, bottom + 0.7), metal, 0.04)


def _officials(canvas: Canvas, rng: np.random.Generator, shore: float, deck: float) -> None:
    """People on the deck in the clothes of the event, some on chairs."""
    shirt, trousers = hall_colour(rng, (0.5, 1.0)), hall_colour(rng, (0.08, 0.35))
    for x in rng.uniform(canvas.left, canvas.right, rng.integers(3, 26)):
        foot, tall = shore + rng.uniform(0.1, max(0.2, deck)), rng.uniform(0.65, 1.0)
        top = shirt if rng.random() < 0.6 else hall_colour(rng, (0.1, 0.95))
        skin, turned = SKINS[rng.integers(len(SKINS))], rng.choice([-1.0, 1.0])
        sits = rng.random() < 0.4
        hip = foot + (0.28 if sits else 0.48) * tall
        if sits:
            canvas.box(x - 0.13 * tall, x + 0.13 * tall, foot, hip - 0.04 * tall, shade(trousers, 1.6))
            canvas.line((x, hip), (x + 0.2 * turned * tall, hip), trousers, 0.1 * tall)
            canvas.line((x + 0.2 * turned * tall, hip), (x + 0.2 * turned * tall, foot), trousers, 0.07 * tall)
        else:
            for dx in (-0.05, 0.05):
                canvas.line((x + dx * tall, foot), (x + 0.8 * dx * tall, hip), trousers, 0.075 * tall)
        chest = np.array([[-0.08, 0], [0.08, 0], [0.12, 0.3], [0.06, 0.36], [-0.06, 0.36], [-0.12, 0.3]]) * tall
        chest += np.array([x, hip])
        canvas.polygon(chest, top)
        canvas.polygon(chest[1:4], shade(top, 0.8))
        for dx in (-0.12, 0.12):
            elbow = (x + 1.2 * dx * tall, hip + 0.14 * tall)
            canvas.line((x + dx * tall, hip + 0.29 * tall), elbow, top, 0.06 * tall)
            canvas.line(elbow, (x + (dx + 0.06 * turned) * tall, hip + 0.02 * tall), skin, 0.045 * tall)
        canvas.disc(x + 0.01 * turned, hip + 0.44 * tall, 0.055 * tall, 0.075 * tall, skin)
        hair = shade((90.0, 66.0, 50.0), rng.uniform(0.2, 1.0))
        canvas.disc(x - 0.01 * turned, hip + 0.48 * tall, 0.057 * tall, 0.05 * tall, hair)
