"""Synthetic dives at a glance: a row of moments for each of some dives, on one picture.

``python -m finediving_pose.synth.contact_sheet docs/synthetic.jpg``
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.synth.camera import random_view
from finediving_pose.synth.dive import FPS
from finediving_pose.synth.filming import shoot
from finediving_pose.synth.judge import random_panel
from finediving_pose.synth.performance import LANES
from finediving_pose.synth.plan import DIVE_NUMBERS, DIVES_PER_EVENT, Event, deal
from finediving_pose.synth.render import Painter
from finediving_pose.synth.scenery import random_scenery
from finediving_pose.workspace import atomic_write

TILE = (200, 112)
"""Width and height of one moment, pixels."""

MOMENTS = 4
"""On the board, in the first half of the flight, at the come-out, at the entry."""


def contact_sheet(dives: int = 24, seed: int = 0, abreast: int = 2) -> NDArray[np.uint8]:
    """Moments of ``dives`` dives, each of another event, ``abreast`` dives in a row.

    Returns uint8 (H, W, 3) RGB; moments are ``TILE`` large.
    """
    events = deal(2 * dives * DIVES_PER_EVENT, seed, DIVE_NUMBERS, pairs=True)
    order = np.random.default_rng(seed).permutation(len(events))[:dives]
    strips = [np.hstack(_moments(events[k], int(k) % len(events[k].dive_numbers))) for k in order]
    strips += [np.zeros_like(strips[0])] * (-len(strips) % abreast)
    return np.vstack([np.hstack(strips[i : i + abreast]) for i in range(0, len(strips), abreast)])


def _moments(event: Event, index: int) -> list[np.ndarray]:
    """One dive of an event at ``MOMENTS`` moments."""
    rng = np.random.default_rng(event.seed)
    view = random_view(rng)
    scene = random_scenery(rng, view, event.height)
    painter = Painter(scene, view, rng, LANES[event.height] if event.synchronised else (0.0,))
    shot, _ = shoot(event, index, scene, view, random_panel(rng))
    start, end = shot.motion.take_off, shot.motion.touch
    times = (start - 0.12, start + 0.38 * (end - start), start + 0.84 * (end - start), end + 0.16)
    frames = [min(round(t * FPS), shot.motion.n_frames - 1) for t in times]
    return [cv2.resize(picture, TILE, interpolation=cv2.INTER_AREA) for picture, *_ in painter.film(shot, frames)]


def write_contact_sheet(file: Path, dives: int = 24, seed: int = 0) -> None:
    """Write a contact sheet as JPEG or PNG, by the file's ending. Raises FdposeError where it can't be written."""
    sheet = contact_sheet(dives, seed)
    _, coded = cv2.imencode(file.suffix, sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    with atomic_write(file) as part:
        part.write_bytes(coded.tobytes())


if __name__ == "__main__":
    import sys

    write_contact_sheet(Path(sys.argv[1]))
