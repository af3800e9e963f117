"""Dives that were performed and never filmed: an endless stream of labels without a picture.

A dive of the stream follows from the stream's seed and its place in it. No dive of a competition has the same random
numbers: those of a competition start from its seed and the event's place, those of the stream from four words and two
more (numpy's spawn key), a sequence of another length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from baselines.prior.performed import PerformedDives, frame_times, labels_of, projected
from finediving_pose.lexicon import parse_dive_number
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.synth.camera import follow, random_view
from finediving_pose.synth.judge import random_panel
from finediving_pose.synth.performance import perform, random_builds
from finediving_pose.synth.plan import DIVE_NUMBERS, SYNCHRONISED_EVERY, usual_height

PATH = 0.04
"""Seconds between two places of the diver that the camera follows."""

_LONGEST = 12.0
_UNFILMED = 0x0D1E


@dataclass(frozen=True, slots=True)
class UnfilmedDives(PerformedDives):
    """N dives of the stream that no camera has seen yet.

    Attributes
    ----------
    joints : float32 (N, T, 16, 3), metres, world frame of :mod:`finediving_pose.synth.dive`
    path : float32 (N, G, 3), where the diver's middle is, every :data:`PATH` seconds; held after the end
    """

    joints: NDArray[np.float32]
    path: NDArray[np.float32]

    def seen(self, i: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """As a broadcast camera that nobody has stood at before would see them."""
        take_off, touch, end = self.times[i].tolist()
        view = random_view(rng)
        time = np.arange(self.path.shape[1]) * PATH
        last = int(np.searchsorted(time, end))
        pan = follow(view, time[:last], self.path[i, :last].astype(float), take_off, touch, rng)
        world = self.joints[i].astype(float)
        return projected(view, pan, world, frame_times(end))


def generator(seed: int, place: int) -> np.random.Generator:
    """The random numbers of one dive of the stream."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_UNFILMED, place)))


def perform_unfilmed(seed: int, places: Sequence[int], dive_numbers: Sequence[str] = DIVE_NUMBERS) -> UnfilmedDives:
    """The dives of these places in the stream, every number as often as the others, a fifth of them synchronised."""
    return UnfilmedDives.joined([_one(seed, place, dive_numbers) for place in places])


def _one(seed: int, place: int, dive_numbers: Sequence[str]) -> UnfilmedDives:
    rng = generator(seed, place)
    number = dive_numbers[int(rng.integers(len(dive_numbers)))]
    height = usual_height(number)
    together = rng.random() < 1 / SYNCHRONISED_EVERY and not parse_dive_number(number).armstand
    builds = random_builds(rng, bool(rng.integers(2)), together)
    dive = perform(number, height, builds, random_panel(rng), float(rng.normal(0, 0.3)), rng)
    motion = dive.motions[0]
    path = motion.points(np.minimum(np.arange(0, _LONGEST, PATH), motion.end))[:, 6]
    return UnfilmedDives(
        **labels_of(number, motion, dive.faults[0], dive.quality, dive.difficulty, together),
        joints=motion.points(frame_times(motion.end))[None, :, :N_JOINTS].astype(np.float32),
        path=path[None].astype(np.float32),
    )
