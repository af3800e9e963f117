"""The splash: a crown of drops thrown up where the diver went in, and foam that spreads on the water."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from finediving_pose.synth.camera import HEIGHT, WIDTH, View, to_pixels
from finediving_pose.synth.dive import GRAVITY
from finediving_pose.synth.scenery import Scenery


@dataclass(frozen=True, slots=True)
class Splash:
    """Drops of one entry: when they leave the water, from where, how fast, how large (metres)."""

    touch: float
    size: float
    born: np.ndarray
    origin: np.ndarray
    velocity: np.ndarray
    radius: np.ndarray

    @classmethod
    def random(cls, touch: float, place: np.ndarray, size: float, rng: np.random.Generator) -> Splash:
        """A splash of ``size`` 0 (a rip entry) to 1 (a flop) at ``place`` (x, y)."""
        n = int(70 + 330 * size)
        angle = rng.uniform(0, 2 * np.pi, n)
        spread = rng.gamma(2.0, 0.15 + 0.32 * size, n)
        velocity = np.stack([spread * np.cos(angle), spread * np.sin(angle), rng.gamma(3.0, 0.45 + 0.75 * size, n)], -1)
        origin = np.zeros((n, 3))
        origin[:, :2] = place + rng.normal(0, 0.10 + 0.16 * size, (n, 2))
        born = touch + rng.gamma(2.0, 0.055, n)
        return cls(touch, size, born, origin, velocity, rng.uniform(0.012, 0.03 + 0.05 * size, n))

    def draw(
        self, picture: np.ndarray, time: float, view: View, centre: np.ndarray, scale: float, scene: Scenery
    ) -> None:
        """Draw the splash at ``time`` seconds over ``picture`` (H, W, 3) RGB, in place."""
        age = time - self.born
        since = time - self.touch
        if since < 0:
            return
        cover = np.zeros((HEIGHT, WIDTH), np.uint8)
        self._draw_foam(cover, since, view, centre, scale)
        drops = self.origin + self.velocity * age[:, None]
        drops[:, 2] -= 0.5 * GRAVITY * age**2
        alive = (age > 0) & (drops[:, 2] > -0.02)
        places = to_pixels(view.panorama(drops[alive])[None], centre[None], np.array([scale]))[0]
        radii = np.maximum(self.radius[alive] * scale * (1 + 2.0 * age[alive]), 0.6)
        inside = (np.abs(places - [WIDTH / 2, HEIGHT / 2]) < [WIDTH, HEIGHT]).all(1)
        for (x, y), r in zip(places[inside], radii[inside], strict=True):
            cv2.circle(cover, (round(x * 16), round(y * 16)), round(r * 16), 200, -1, cv2.LINE_AA, 4)
        rows = np.flatnonzero(cover.any(1))
        if not len(rows):
            return
        top, bottom = max(rows[0] - 4, 0), rows[-1] + 5
        alpha = cv2.GaussianBlur(cover[top:bottom], (0, 0), 0.9)[..., None].astype(np.float32) / 255
        part = picture[top:bottom]
        part[:] = (part + alpha * (np.array(scene.foam, np.float32) - part)).astype(np.uint8)

    def _draw_foam(self, cover: np.ndarray, since: float, view: View, centre: np.ndarray, scale: float) -> None:
        """A flat patch that grows and fades."""
        middle = self.origin.mean(0)
        x, y = to_pixels(view.panorama(middle[None])[None], centre[None], np.array([scale]))[0, 0]
        wide = (0.12 + (0.9 + 1.6 * self.size) * (1 - np.exp(-2.2 * since))) * (0.35 + 0.65 * self.size) * scale
        flat = max(0.08, -float(view.away[2])) * 1.2
        strength = int((70 + 150 * self.size) * np.exp(-0.5 * since))
        for part in (1.0, 0.6):
            axes = (max(16, round(wide * part * 16)), max(12, round(wide * part * flat * 16)))
            cv2.ellipse(cover, (round(x * 16), round(y * 16)), axes, 0, 0, 360, strength, -1, cv2.LINE_AA, 4)
