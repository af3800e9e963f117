"""What is known of dives of the generator, however a camera sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from finediving_pose.packed.views import sample_frames
from finediving_pose.synth.camera import HEIGHT, WIDTH, Pan, View, to_pixels
from finediving_pose.synth.dive import FPS, Motion
from finediving_pose.synth.faults import COST, Faults
from finediving_pose.synth.plan import DIVE_NUMBERS

FRAMES = 48
"""Frames of a dive that are kept, as the demo's models sample them."""
FAULTS = tuple(COST)
"""Names of the faults, in the order of :attr:`PerformedDives.faults`."""


@dataclass(frozen=True, slots=True)
class PerformedDives:
    """N dives, the first diver's of a synchronised dive.

    Attributes
    ----------
    number : int64 (N,), index in :data:`~finediving_pose.synth.plan.DIVE_NUMBERS`
    times : float32 (N, 3), take-off, touch and end, seconds
    starts : int64 (N, 4), first frames of the stages after the first; -1 where there are fewer
    faults : float32 (N, 9), see :class:`~finediving_pose.synth.faults.Faults`
    quality : float32 (N,), what the mean award would be without judges' errors, 0 to 10
    difficulty : float32 (N,), degree of difficulty
    synchronised : bool (N,)
    """

    number: NDArray[np.int64]
    times: NDArray[np.float32]
    starts: NDArray[np.int64]
    faults: NDArray[np.float32]
    quality: NDArray[np.float32]
    difficulty: NDArray[np.float32]
    synchronised: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.number)

    def seen(self, i: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Joints of dive i as a camera sees them, see :func:`projected`."""
        raise NotImplementedError

    def only(self, rows: slice) -> Self:
        """The dives of these rows."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several in one."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))


def labels_of(
    number: str, motion: Motion, faults: Faults, quality: float, difficulty: float, synchronised: bool
) -> dict[str, NDArray[Any]]:
    """The fields of :class:`PerformedDives` of one dive."""
    starts = [first for _, first in motion.stages[1:]]
    return {
        "number": np.array([DIVE_NUMBERS.index(number)]),
        "times": np.array([[motion.take_off, motion.touch, motion.end]], np.float32),
        "starts": np.array([[*starts, -1, -1, -1, -1][:4]]),
        "faults": np.array([[getattr(faults, name) for name in FAULTS]], np.float32),
        "quality": np.array([quality], np.float32),
        "difficulty": np.array([difficulty], np.float32),
        "synchronised": np.array([synchronised]),
    }


def frame_times(end: float, frames: int = FRAMES) -> NDArray[np.float64]:
    """Seconds of the frames that are sampled of a clip of ``end`` seconds: (frames,)."""
    return sample_frames(round(end * FPS), frames) / FPS


def projected(
    view: View, pan: Pan, world: NDArray[np.float64], times: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Joints (T, 16, 3), metres, at ``times`` (T,), through a camera.

    Returns
    -------
    joints : float32 (T, 16, 2), pixels of a picture 456 wide and 256 high, also where they are not to be seen
    seen : bool (T, 16), in the picture and above the water
    """
    joints = to_pixels(view.panorama(world), *pan.at(times))
    inside = ((joints >= 0) & (joints <= (WIDTH - 1, HEIGHT - 1))).all(-1)
    return joints.astype(np.float32), inside & (world[..., 2] > 0)
