"""What a broadcaster lays over the picture: a sign in one corner, half transparent."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.synth.camera import HEIGHT, WIDTH
from finediving_pose.synth.canvas import random_colour


@dataclass(frozen=True, slots=True)
class Sign:
    """A small picture (h, w, 3) with its opacity, and where its top-left corner is."""

    picture: NDArray[np.uint8]
    opacity: float
    left: int
    top: int

    def draw(self, picture: NDArray[np.uint8]) -> None:
        """Lay the sign over ``picture`` (H, W, 3) RGB, in place."""
        h, w = self.picture.shape[:2]
        part = picture[self.top : self.top + h, self.left : self.left + w]
        part[:] = cv2.addWeighted(self.picture, self.opacity, part, 1 - self.opacity, 0)


def random_sign(rng: np.random.Generator) -> Sign | None:
    """The sign of one event; a third of the events have none."""
    if rng.random() < 1 / 3:
        return None
    h, w = int(rng.integers(12, 26)), int(rng.integers(26, 120))
    picture = np.empty((h, w, 3), np.uint8)
    picture[:] = np.array(random_colour(rng, (0.0, 0.9), (0.1, 0.9)))
    word = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUVWXYZ0123456789:"), max(2, w // 12)))
    cv2.putText(picture, word, (3, h - 4), cv2.FONT_HERSHEY_DUPLEX, h / 36, (245, 245, 245), 1, cv2.LINE_AA)
    left = int(rng.integers(8, 24)) if rng.random() < 0.5 else WIDTH - w - int(rng.integers(8, 24))
    top = int(rng.integers(6, 18)) if rng.random() < 0.6 else HEIGHT - h - int(rng.integers(6, 18))
    return Sign(picture, float(rng.uniform(0.5, 1.0)), left, top)
