"""The splash: a crown of drops thrown up where the diver went in, and foam that spreads on the water."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from finediving_pose.synth.camera import HEIGHT, WIDTH, Pan, View, to_pixels
from finediving_pose.synth.canvas import Colour
from finediving_pose.synth.dive import GRAVITY


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
        n = int(110 + 600 * size)
        angle = rng.uniform(0, 2 * np.pi, n)
        spread = rng.gamma(1.5, 0.12 + 0.34 * size, n)
        rise = rng.gamma(2.2, 0.55 + 0.85 * size, n)
        velocity = np.stack([spread * np.cos(angle), spread * np.sin(angle), rise], -1)
        origin = np.zeros((n, 3))
        origin[:, :2] = place + rng.normal(0, 0.08 + 0.13 * size, (n, 2))
        born = touch + rng.gamma(2.0, 0.06, n)
        return cls(
            touch, size, born, origin, velocity, np.minimum(0.007 + rng.exponential(0.006 + 0.009 * size, n), 0.04)
        )

    def draw(self, picture: np.ndarray, time: float, view: View, pan: Pan, foam: Colour) -> np.ndarray | None:
        """Draw the splash at ``time`` seconds over ``picture`` (H, W, 3) RGB, in place.

        Returns how opaque it is, uint8 (H, W); None where nothing is to be seen.
        """
        if time <= self.touch:
            return None
        centre, scale = pan.at(np.array([time]))
        cover = np.zeros((HEIGHT, WIDTH), np.uint8)
        mist = np.zeros((HEIGHT, WIDTH), np.uint8)
        self._draw_foam(mist, time - self.touch, view, centre, scale)
        self._draw_drops(cover, time, view, centre, scale)
        rows = np.flatnonzero(mist.any(1) | cover.any(1))
        if not len(rows):
            return None
        top, bottom = max(rows[0] - 8, 0), rows[-1] + 9
        sharp = cv2.GaussianBlur(cover[top:bottom], (0, 0), 0.7)
        veil = cv2.blur(cv2.add(cover, mist)[top:bottom], (11, 15))
        opaque = np.zeros((HEIGHT, WIDTH), np.uint8)
        opaque[top:bottom] = cv2.add(sharp, veil)
        alpha = opaque[top:bottom, :, None].astype(np.float32) / 255
        part = picture[top:bottom]
        part[:] = (part + alpha * (np.array(foam, np.float32) - part)).astype(np.uint8)
        return opaque

    def _draw_drops(self, cover: np.ndarray, time: float, view: View, centre: np.ndarray, scale: np.ndarray) -> None:
        """Every drop a streak along its path."""
        age = time - self.born
        ends = []
        for moment in (age, np.maximum(age - 0.02, 0)):
            drops = self.origin + self.velocity * moment[:, None]
            drops[:, 2] -= 0.5 * GRAVITY * moment**2
            ends.append(to_pixels(view.panorama(drops)[None], centre, scale)[0])
            if moment is age:
                alive = (age > 0) & (drops[:, 2] > -0.02)
        alive &= (np.abs(ends[0] - [WIDTH / 2, HEIGHT / 2]) < [WIDTH, HEIGHT]).all(1)
        heads, tails = (np.round(e[alive] * 16).astype(int).tolist() for e in ends)
        widths = np.maximum(2 * self.radius[alive] * scale, 1).round().astype(int).tolist()
        for head, tail, width in zip(heads, tails, widths, strict=True):
            cv2.line(cover, head, tail, 150, width, cv2.LINE_AA, 4)

    def _draw_foam(self, mist: np.ndarray, since: float, view: View, centre: np.ndarray, scale: np.ndarray) -> None:
        """Flat patches that grow and fade."""
        grown = 0.10 + (0.8 + 1.3 * self.size) * (1 - np.exp(-2.5 * since))
        wide = grown * (0.3 + 0.6 * self.size) * float(scale[0])
        flat = max(0.10, view.height / view.distance) * 1.2
        strength = int((50 + 110 * self.size) * np.exp(-0.7 * since))
        for k, blob in enumerate(self.origin[:9]):
            spread = self.origin.mean(0) + (blob - self.origin.mean(0)) * (0.4 + 2.5 * since)
            x, y = to_pixels(view.panorama(spread[None])[None], centre, scale)[0, 0]
            axes = (max(16, round(wide * (0.5 + 0.06 * k) * 16)), max(12, round(wide * flat * (0.5 + 0.06 * k) * 16)))
            cv2.ellipse(mist, (round(x * 16), round(y * 16)), axes, 0, 0, 360, strength, -1, cv2.LINE_AA, 4)
