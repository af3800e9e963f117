"""Dives that were performed and never filmed: an endless stream of labels without a picture.

A dive of the stream follows from the stream's seed and its place in it. No dive of a competition has the same random
numbers: those of a competition start from its seed and the event's place, those of the stream from four words and two
more (numpy's spawn key), a sequence of another length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from finediving_pose.lexicon import parse_dive_number
from finediving_pose.packed.views import sample_frames
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.synth.camera import HEIGHT, WIDTH, follow, random_view, to_pixels
from finediving_pose.synth.dive import FPS
from finediving_pose.synth.faults import COST
from finediving_pose.synth.judge import random_panel
from finediving_pose.synth.performance import perform, random_builds
from finediving_pose.synth.plan import DIVE_NUMBERS, SYNCHRONISED_EVERY, usual_height

FRAMES = 48
"""Frames of a dive that are kept, as the demo's models sample them."""
FAULTS = tuple(COST)
"""Names of the faults, in the order of :attr:`UnfilmedDives.faults`."""
PATH = 0.04
"""Seconds between two places of the diver that the camera follows."""

_LONGEST = 12.0
_UNFILMED = 0x0D1E


@dataclass(frozen=True, slots=True)
class UnfilmedDives:
    """N dives of the stream, the first diver's of a synchronised dive.

    Attributes
    ----------
    number : int64 (N,), index in :data:`~finediving_pose.synth.plan.DIVE_NUMBERS`
    joints : float32 (N, T, 16, 3), metres, world frame of :mod:`finediving_pose.synth.dive`
    path : float32 (N, G, 3), where the diver's middle is, every :data:`PATH` seconds; held after the end
    times : float32 (N, 3), take-off, touch and end, seconds
    starts : int64 (N, 4), first frames of the stages after the first; -1 where there are fewer
    faults : float32 (N, 9), see :class:`~finediving_pose.synth.faults.Faults`
    quality : float32 (N,), what the mean award would be without judges' errors, 0 to 10
    difficulty : float32 (N,), degree of difficulty
    synchronised : bool (N,)
    """

    number: NDArray[np.int64]
    joints: NDArray[np.float32]
    path: NDArray[np.float32]
    times: NDArray[np.float32]
    starts: NDArray[np.int64]
    faults: NDArray[np.float32]
    quality: NDArray[np.float32]
    difficulty: NDArray[np.float32]
    synchronised: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.number)

    def only(self, rows: slice) -> UnfilmedDives:
        """The dives of these rows."""
        return UnfilmedDives(*(getattr(self, f.name)[rows] for f in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[UnfilmedDives]) -> UnfilmedDives:
        """Several in one."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))


def generator(seed: int, place: int) -> np.random.Generator:
    """The random numbers of one dive of the stream."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_UNFILMED, place)))


def perform_unfilmed(seed: int, places: Sequence[int], dive_numbers: Sequence[str] = DIVE_NUMBERS) -> UnfilmedDives:
    """The dives of these places in the stream, every number as often as the others, a fifth of them synchronised."""
    return UnfilmedDives.joined([_one(seed, place, dive_numbers) for place in places])


def filmed(dives: UnfilmedDives, i: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Joints of dive i as a broadcast camera that nobody has stood at before would see them.

    Returns
    -------
    joints : float32 (T, 16, 2), pixels of a picture 456 wide and 256 high, also where they are not to be seen
    seen : bool (T, 16), in the picture and above the water
    """
    take_off, touch, end = dives.times[i].tolist()
    view = random_view(rng)
    time = np.arange(dives.path.shape[1]) * PATH
    last = int(np.searchsorted(time, end))
    pan = follow(view, time[:last], dives.path[i, :last].astype(float), take_off, touch, rng)
    world = dives.joints[i].astype(float)
    joints = to_pixels(view.panorama(world), *pan.at(frame_times(end)))
    inside = ((joints >= 0) & (joints <= (WIDTH - 1, HEIGHT - 1))).all(-1)
    return joints.astype(np.float32), inside & (world[..., 2] > 0)


def frame_times(end: float, frames: int = FRAMES) -> NDArray[np.float64]:
    """Seconds of the frames that are sampled of a clip of ``end`` seconds: (frames,)."""
    return sample_frames(round(end * FPS), frames) / FPS


def _one(seed: int, place: int, dive_numbers: Sequence[str]) -> UnfilmedDives:
    rng = generator(seed, place)
    number = dive_numbers[int(rng.integers(len(dive_numbers)))]
    height = usual_height(number)
    together = rng.random() < 1 / SYNCHRONISED_EVERY and not parse_dive_number(number).armstand
    builds = random_builds(rng, bool(rng.integers(2)), together)
    dive = perform(number, height, builds, random_panel(rng), float(rng.normal(0, 0.3)), rng)
    motion = dive.motions[0]
    path = motion.points(np.minimum(np.arange(0, _LONGEST, PATH), motion.end))[:, 6]
    starts = [first for _, first in motion.stages[1:]]
    return UnfilmedDives(
        number=np.array([DIVE_NUMBERS.index(number)]),
        joints=motion.points(frame_times(motion.end))[None, :, :N_JOINTS].astype(np.float32),
        path=path[None].astype(np.float32),
        times=np.array([[motion.take_off, motion.touch, motion.end]], np.float32),
        starts=np.array([[*starts, -1, -1, -1, -1][:4]]),
        faults=np.array([[getattr(dive.faults[0], name) for name in FAULTS]], np.float32),
        quality=np.array([dive.quality], np.float32),
        difficulty=np.array([dive.difficulty], np.float32),
        synchronised=np.array([together]),
    )
