"""A broadcast camera beside the pool: it looks across the board, pans after the diver, late, and zooms a little.

The panorama is what a pinhole camera sees on the upright plane through the end of the board, (right, up) metres
there: platforms above the camera show their undersides, water below it its surface. A frame is a window onto the
panorama, as of a long lens that turns a little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 456, 256


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera of an event stands and what it does.

    ``right`` and ``away`` are level unit vectors of the world; the camera is ``distance`` metres before the end of
    the board and ``height`` metres above the water. In the plane through the end of the board ``pixels_per_metre``
    is the scale. ``lag`` is in seconds, ``exposure`` a share of the time between two frames.
    """

    right: NDArray[np.float64]
    away: NDArray[np.float64]
    height: float
    distance: float
    pixels_per_metre: float
    lag: float
    exposure: float

    @property
    def place(self) -> NDArray[np.float64]:
        """The camera (3,) in the world, metres."""
        return np.array([0.0, 0.0, self.height]) - self.distance * self.away

    def panorama(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Place (..., 2) of world points (..., 3) in the panorama: metres right, metres up."""
        nearness = self.distance / (self.distance + points @ self.away)
        return np.stack([(points @ self.right) * nearness, self.height + (points[..., 2] - self.height) * nearness], -1)

    def depth(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distance along the view of world points (..., 3), metres; larger is farther."""
        return points @ self.away


def random_view(rng: np.random.Generator) -> View:
    """A side view from either side, up to 30 degrees off, from the pool's edge or from a stand."""
    azimuth = rng.uniform(-0.53, 0.53) + np.pi * rng.integers(2)
    return View(
        right=np.array([np.cos(azimuth), np.sin(azimuth), 0.0]),
        away=np.array([-np.sin(azimuth), np.cos(azimuth), 0.0]),
        height=float(rng.uniform(2.0, 7.5)),
        distance=float(rng.uniform(18, 42)),
        pixels_per_metre=float(rng.uniform(58, 98)),
        lag=float(rng.uniform(0.0, 0.08)),
        exposure=float(rng.uniform(0.15, 0.6)),
    )


@dataclass(frozen=True, slots=True)
class Pan:
    """The camera's path over one dive.

    Attributes
    ----------
    time : (G,) seconds, increasing
    centre : (G, 2) middle of the picture in the panorama, metres
    scale : (G,) pixels a metre
    """

    time: NDArray[np.float64]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    def at(self, time: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Middle (T, 2) and scale (T,) at ``time``."""
        centre = np.stack([np.interp(time, self.time, c) for c in self.centre.T], -1)
        return centre, np.interp(time, self.time, self.scale)


def follow(
    view: View,
    time: NDArray[np.float64],
    target: NDArray[np.float64],
    take_off: float,
    touch: float,
    rng: np.random.Generator,
) -> Pan:
    """Follow a diver whose middle is at ``target`` (G, 3), ``time`` evenly spaced.

    The operator sees the diver ``lag`` seconds late, moves smoothly, does not aim quite at the middle, and stops
    above the water.
    """
    step = time[1] - time[0]
    goal = view.panorama(target) + rng.normal(0, [0.30, 0.18])
    water = rng.uniform(0.7, 1.5)
    goal[:, 1] = np.maximum(goal[:, 1], water)
    goal[time < take_off] = (
        goal[time >= take_off][0] + rng.normal(0, [0.1, 0.05]) + np.array([0, rng.uniform(-0.2, 0.4)])
    )
    late = int(view.lag / step)
    goal = np.concatenate([np.repeat(goal[:1], late, 0), goal[: len(goal) - late]])
    smooth = goal + _tremble(len(goal), rng)
    for width in (0.14, 0.10):
        smooth = _averaged(smooth, max(3, int(width / step) | 1))
    start, mid, stop = rng.uniform(0.92, 1.1), rng.uniform(0.95, 1.08), rng.uniform(0.72, 0.98)
    zoom = np.interp(time, [0, take_off, touch, time[-1]], [start, start, mid, stop * mid])
    zoom = _averaged(zoom[:, None], int(0.3 / step) | 1)[:, 0]
    return Pan(time, smooth, zoom * view.pixels_per_metre)


def to_pixels(
    place: NDArray[np.float64], centre: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Pixels (T, ..., 2), origin at the top-left pixel's centre, of panorama places (T, ..., 2)."""
    shape = (len(centre),) + (1,) * (place.ndim - 2)
    offset = (place - centre.reshape(*shape, 2)) * scale.reshape(*shape, 1)
    return offset * np.array([1, -1]) + np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])


def _tremble(n: int, rng: np.random.Generator) -> np.ndarray:
    """What an operator's hand adds (n, 2), metres."""
    knots = np.linspace(0, n - 1, 12)
    return np.stack([np.interp(np.arange(n), knots, rng.normal(0, 0.03, 12)) for _ in range(2)], -1)


def _averaged(values: np.ndarray, width: int) -> np.ndarray:
    """Running mean (G, D) over ``width`` samples, ends held."""
    half = width // 2
    padded = np.concatenate([np.repeat(values[:1], half, 0), values, np.repeat(values[-1:], half, 0)])
    total = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), padded]), 0)
    return (total[width:] - total[:-width]) / width
