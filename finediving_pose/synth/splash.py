"""The splash: fingers of drops thrown up where the diver went in, foam where they fall, bubbles that come up.

Everything is many small drops; how opaque a pixel is follows from how much of them lies in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.synth.camera import HEIGHT, WIDTH, Pan, View, to_pixels
from finediving_pose.synth.canvas import Colour
from finediving_pose.synth.dive import GRAVITY

TRAIL = 0.016
"""Seconds of its path that a drop smears over."""

FADING, BOILING = 0.55, 0.45
"""Seconds in which foam fades to a third, and after which the bubbles are up."""


@dataclass(frozen=True, slots=True)
class Splash:
    """Drops of one entry, metres and seconds.

    Attributes
    ----------
    touch : when the water is touched
    size : 0 (a rip entry) to 1 (a flop)
    born, origin, velocity, radius : of every drop: when (N,) and where (N, 3) it leaves the water, how fast (N, 3),
        how large (N,)
    bubbles : where bubbles come up (M, 3)
    """

    touch: float
    size: float
    born: NDArray[np.float64]
    origin: NDArray[np.float64]
    velocity: NDArray[np.float64]
    radius: NDArray[np.float64]
    bubbles: NDArray[np.float64]

    @classmethod
    def random(cls, touch: float, place: NDArray[np.float64], size: float, rng: np.random.Generator) -> Splash:
        """A splash of ``size`` 0 (a rip entry) to 1 (a flop) at ``place`` (x, y)."""
        n, fingers = int(500 + 4500 * size), int(9 + 26 * size)
        # Water leaves in fingers: drops of one go nearly the same way, the fastest first.
        of = rng.integers(0, fingers, n)
        angle = (rng.uniform(0, 2 * np.pi, fingers))[of] + rng.normal(0, 0.25, n)
        lean = rng.gamma(2.0, 0.10 + 0.17 * size, fingers)[of] + rng.normal(0, 0.08, n)
        speed = rng.gamma(3.5, 0.42 + 0.60 * size, fingers)[of] * rng.beta(1.6, 2.0, n) * 1.8
        velocity = np.stack([np.sin(lean) * np.cos(angle), np.sin(lean) * np.sin(angle), np.cos(lean)], -1)
        origin = np.zeros((n, 3))
        origin[:, :2] = place + rng.normal(0, 0.07 + 0.14 * size, (n, 2))
        born = touch + rng.gamma(2.0, 0.05 + 0.035 * size, n)
        radius = np.minimum(0.004 + rng.exponential(0.0025 + 0.002 * size, n), 0.016)
        bubbles = np.zeros((int(150 + 500 * size), 3))
        spread = (0.12 + 0.30 * size) * rng.gamma(2.0, 0.6, (len(bubbles), 1))
        bubbles[:, :2] = place + spread * rng.normal(0, 1, (len(bubbles), 2))
        return cls(touch, size, born, origin, velocity * speed[:, None], radius, bubbles)

    def draw(
        self, picture: NDArray[np.uint8], time: float, view: View, pan: Pan, foam: Colour
    ) -> NDArray[np.uint8] | None:
        """Draw the splash at ``time`` seconds over ``picture`` (H, W, 3) RGB, in place.

        Returns how opaque it is, uint8 (H, W); None where nothing is to be seen.
        """
        if time <= self.touch:
            return None
        centre, scale = pan.at(np.array([time]))
        spray, flat = (_sum(view, centre, scale, *drops) for drops in (self._flying(time), self._lying(time)))
        rows = np.flatnonzero(spray.any(1) | flat.any(1))
        if not len(rows):
            return None
        part = slice(max(rows[0] - 8, 0), rows[-1] + 9)
        fine = cv2.GaussianBlur(spray[part], (0, 0), 0.6) + 0.5 * cv2.blur(spray[part], (7, 9))
        opaque = np.zeros((HEIGHT, WIDTH), np.uint8)
        opaque[part] = 250 * (1 - np.exp(-fine - cv2.GaussianBlur(flat[part], (0, 0), 1.8, sigmaY=0.8)))
        alpha = opaque[part, :, None].astype(np.float32) / 255
        picture[part] = picture[part] + alpha * (np.array(foam, np.float32) - picture[part])
        return opaque

    def _flying(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        """Drops in the air, three times along their paths: places and cross-sections, m²."""
        age = time - self.born[:, None] - TRAIL * np.array([0.0, 0.33, 0.67])
        drops = self.origin[:, None] + self.velocity[:, None] * age[..., None]
        drops[..., 2] -= 0.5 * GRAVITY * age**2
        alive = (age > 0) & (drops[..., 2] > 0)
        size = np.broadcast_to(1.5 * np.pi / 3 * self.radius[:, None] ** 2, age.shape)
        return drops[alive], size[alive]

    def _lying(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        """Foam where drops fell, which drifts apart and fades, and bubbles: places and cross-sections, m²."""
        flight = 2 * self.velocity[:, 2] / GRAVITY
        since = time - self.born - flight
        fallen = since > 0
        place = self.origin + self.velocity * (flight + 0.25 * np.minimum(since, 1.0))[:, None] * (1, 1, 0)
        left = 1.5 * np.pi * self.radius**2 * np.exp(-np.maximum(since, 0) / FADING)
        after = (time - self.touch) / BOILING
        rising = after * np.exp(1 - after) * (0.4 + 0.6 * self.size) * 6e-4
        middle = self.bubbles.mean(0)
        spread = middle + (self.bubbles - middle) * (0.6 + 0.5 * after)
        return (
            np.concatenate([place[fallen], spread]),
            np.concatenate([left[fallen], np.full(len(spread), rising)]),
        )


def _sum(view: View, centre: np.ndarray, scale: np.ndarray, places: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Cross-sections (N,), m², of drops at places (N, 3), summed into pixels: float32 (H, W), in pixels' areas."""
    x, y = np.round(to_pixels(view.panorama(places)[None], centre, scale)[0]).astype(int).T
    inside = (x >= 0) & (x < WIDTH) & (y >= 0) & (y < HEIGHT)
    total = np.bincount(y[inside] * WIDTH + x[inside], sizes[inside] * float(scale[0]) ** 2, minlength=HEIGHT * WIDTH)
    return total.reshape(HEIGHT, WIDTH).astype(np.float32)
