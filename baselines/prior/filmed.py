"""Ends of dives, filmed small: what a network learns from to see a splash.

Filming a dive takes a hundred times as long as performing it, nearly all of it for the diver. So only the last stage is
filmed, at a quarter of the size; what poses need of the rest is projected. A venue follows from the seed and its place
in the stream; its dives have seeds of six words, a competition's have three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from baselines.prior.performed import FRAMES, PerformedDives, frame_times, labels_of, projected
from finediving_pose.lexicon import parse_dive_number
from finediving_pose.packed.views import sample_frames
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.synth.camera import random_view
from finediving_pose.synth.faults import Faults
from finediving_pose.synth.performance import LANES
from finediving_pose.synth.plan import DIVE_NUMBERS, SYNCHRONISED_EVERY, Event, usual_height

if TYPE_CHECKING:
    from collections.abc import Iterator

    from finediving_pose.synth.render import Painter, Shot

LAST = 24
"""Sampled frames at the end of a dive that are kept; those before its last stage are black."""
SIZE = (116, 64)
"""Width and height of the pictures."""
DIVES = 4
"""Of a venue."""
STEP = 9.0
"""See :data:`finediving_pose.synth.render.STEP`; the pictures are a quarter as large."""
BEFORE = 2
"""Sampled frames that are filmed before the last stage: movement is seen against them."""

_FILMED = 0x0D1F


@dataclass(frozen=True, slots=True)
class FilmedEntries(PerformedDives):
    """N dives of which the last stage was filmed.

    Attributes
    ----------
    joints : float32 (N, T, 16, 2), pixels of a picture 456 wide and 256 high; in_sight : bool (N, T, 16)
    pictures : uint8 (N, LAST, H, W, 3), RGB, of the last sampled frames
    foam : uint8 (N, LAST, H, W), how much of each pixel the splash changes, of 255
    """

    joints: NDArray[np.float32]
    in_sight: NDArray[np.bool_]
    pictures: NDArray[np.uint8]
    foam: NDArray[np.uint8]

    def seen(self, i: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """As the camera saw them that filmed the dive."""
        return self.joints[i], self.in_sight[i]


def film_entries(seed: int, venues: Sequence[int]) -> FilmedEntries:
    """The dives of these venues, every number about as often as the others, a fifth of the venues synchronised."""
    return FilmedEntries.joined([dive for venue in venues for dive in _venue(seed, venue)])


def _event(seed: int, venue: int) -> Event:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_FILMED, venue)))
    at = {height: [n for n in DIVE_NUMBERS if usual_height(n) == height] for height in (3.0, 10.0)}
    height = 3.0 if rng.random() < len(at[3.0]) / len(DIVE_NUMBERS) else 10.0
    together = bool(rng.random() < 1 / SYNCHRONISED_EVERY)
    able = [n for n in at[height] if not (together and parse_dive_number(n).armstand)]
    numbers = tuple(able[int(k)] for k in rng.integers(len(able), size=DIVES))
    return Event(f"filmed-{venue}", height, bool(rng.integers(2)), numbers, (seed, venue, _FILMED, 1, 1), together)


def _venue(seed: int, venue: int) -> Iterator[FilmedEntries]:
    from finediving_pose.synth.filming import shoot
    from finediving_pose.synth.judge import random_panel
    from finediving_pose.synth.render import Painter
    from finediving_pose.synth.scenery import random_scenery

    event = _event(seed, venue)
    rng = np.random.default_rng(event.seed)
    view = random_view(rng)
    scene = random_scenery(rng, view, event.height)
    painter = Painter(scene, view, rng, LANES[event.height] if event.synchronised else (0.0,), STEP)
    for index, number in enumerate(event.dive_numbers):
        shot, row = shoot(event, index, scene, view, random_panel(rng))
        motion = shot.motion
        times = frame_times(motion.end)
        joints, seen = projected(view, shot.pan, motion.points(times)[:, :N_JOINTS], times)
        pictures, foam = _film(painter, shot)
        yield FilmedEntries(
            **labels_of(number, motion, Faults(**row["faults"]), row["quality"], row["difficulty"], event.synchronised),
            joints=joints[None],
            in_sight=seen[None],
            pictures=pictures[None],
            foam=foam[None],
        )


def _film(painter: Painter, shot: Shot) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pictures (LAST, H, W, 3) and foam (LAST, H, W) of one dive."""
    import cv2

    numbers = sample_frames(shot.motion.n_frames, FRAMES)
    entry = int(np.searchsorted(numbers, shot.motion.stages[-1][1]))
    first = max(entry - BEFORE, FRAMES - LAST)
    width, height = SIZE
    pictures = np.zeros((LAST, height, width, 3), np.uint8)
    foam = np.zeros((LAST, height, width), np.uint8)
    for k, (picture, _, splash) in enumerate(painter.film(shot, numbers[first:].tolist()), first - FRAMES + LAST):
        pictures[k] = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
        foam[k] = cv2.resize(splash.astype(np.float32) * 255, SIZE, interpolation=cv2.INTER_AREA).round()
    return pictures, foam
