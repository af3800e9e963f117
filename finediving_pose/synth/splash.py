"""The splash: a crown of drops thrown up where the diver went in, and foam that spreads on the water."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from finediving_pose.synth.camera import HEIGHT, WIDTH, Pan, View, to_pixels
from finediving_pose.synth.canvas import Colour
from finediving_pose.synth.dive import GRAVITY

BLOBS = 16
"""Patches of foam on the water."""


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
        n, fingers = int(150 + 650 * size), int(9 + 22 * size)
        # Water leaves in fingers: drops of one go nearly the same way, the fastest first.
        of = rng.integers(0, fingers, n)
        angle = (rng.uniform(0, 2 * np.pi, fingers))[of] + rng.normal(0, 0.16, n)
        lean = rng.gamma(2.0, 0.09 + 0.16 * size, fingers)[of] + rng.normal(0, 0.05, n)
        speed = rng.gamma(3.0, 0.45 + 0.65 * size, fingers)[of] * rng.beta(2.0, 1.6, n) * 1.5
        velocity = np.stack([np.sin(lean) * np.cos(angle), np.sin(lean) * np.sin(angle), np.cos(lean)], -1)
        origin = np.zeros((n, 3))
        origin[:, :2] = place + rng.normal(0, 0.07 + 0.15 * size, (n, 2))
        born = touch + rng.gamma(2.0, 0.045 + 0.03 * size, n)
        radius = np.minimum(0.006 + rng.exponential(0.005 + 0.010 * size, n), 0.045)
        return cls(touch, size, born, origin, velocity * speed[:, None], radius)

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
        veil = cv2.add(cv2.blur(cover[top:bottom], (9, 13)), cv2.blur(mist[top:bottom], (5, 3)))
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
        thick = (60 + 120 * np.minimum(self.radius[alive] / 0.02, 1)).tolist()
        for head, tail, width, opaque in zip(heads, tails, widths, thick, strict=True):
            cv2.line(cover, head, tail, opaque, width, cv2.LINE_AA, 4)

    def _draw_foam(self, mist: np.ndarray, since: float, view: View, centre: np.ndarray, scale: np.ndarray) -> None:
        """Flat patches that grow and fade."""
        grown = 0.12 + (0.75 + 1.2 * self.size) * (1 - np.exp(-2.8 * since))
        flat = max(0.10, view.height / view.distance) * 1.1
        strength = (70 + 110 * self.size) * np.exp(-0.8 * since)
        middle = self.origin.mean(0)
        for k, blob in enumerate(self.origin[:BLOBS]):
            # A drop's own numbers stand for chance: how far its patch drifts, how large it gets.
            share = 0.25 + 0.75 * (k * 0.618 % 1)
            spread = middle + (blob - middle) * (0.5 + 2.6 * since / (1 + since))
            x, y = to_pixels(view.panorama(spread[None])[None], centre, scale)[0, 0]
            wide = grown * share * (0.22 + 0.4 * self.size) * float(scale[0])
            axes = (max(14, round(wide * 16)), max(10, round(wide * flat * 16)))
            shade = int(strength * (1.1 - 0.7 * share))
            patch = (round(x * 16), round(y * 16))
            cv2.ellipse(mist, patch, axes, 0, 0, 360, shade, -1, cv2.LINE_AA, 4)
