"""Batches of unfilmed dives: filmed by a camera, seen by an estimator that errs, mirrored, with sides exchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.data.transforms import fill_gaps, normalise_pose, sample_transitions, torso_length
from baselines.prior.errors import PoseErrors, phases
from baselines.prior.performed import FAULTS, FRAMES, PerformedDives, frame_times
from finediving_pose.packed.views import mirror_joints, sample_frames
from finediving_pose.synth.camera import HEIGHT, WIDTH
from finediving_pose.synth.dive import FPS
from finediving_pose.synth.faults import COST
from finediving_pose.synth.plan import DIVE_NUMBERS

TRUE = 0.15
"""Share of the samples whose joints are the true ones that are in sight."""
SAME_NUMBER = 8
"""Dives of a number in a batch, which are compared with each other."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Draws samples of dives; the same dive is another sample each time."""

    dives: PerformedDives
    errors: PoseErrors

    def batch(self, chosen: NDArray[np.int64], rng: np.random.Generator, true: float = TRUE) -> dict[str, Tensor]:
        """``pose`` (N, 2, T, 16, 1), ``scale`` (N,), ``transitions`` (N, 2), ``execution`` (N,) and ``facts`` (N, 10).

        Scale is the length of the trunk as a share of the picture's height; execution is points without difficulty;
        facts as :func:`facts_of` has them.
        """
        joints = [self.joints(i, rng, true) for i in chosen.tolist()]
        dives = self.dives
        return {
            "pose": as_input(joints),
            "scale": torch.tensor([torso_length(j) / HEIGHT for j in joints]),
            "transitions": torch.from_numpy(np.stack([self.transitions(i) for i in chosen.tolist()])),
            "execution": torch.from_numpy(3 * dives.quality[chosen]),
            "facts": torch.from_numpy(facts_of(dives, chosen)),
        }

    def joints(self, i: int, rng: np.random.Generator, true: float = TRUE) -> NDArray[np.float32]:
        """Joints (T, 16, 2) of dive i, pixels, gaps filled, mirrored every other time."""
        joints, seen = self.dives.seen(i, rng)
        take_off, touch, end = self.dives.times[i].tolist()
        if rng.random() < true:
            joints = np.where(seen[..., None], joints, np.nan)
        else:
            phase = phases(frame_times(end), take_off, touch, end)
            joints = self.errors.put_on(joints, seen, phase, DIVE_NUMBERS[self.dives.number[i]], rng)
        if rng.random() < 0.5:
            joints = mirror_joints(joints, WIDTH)
        return fill_gaps(joints)

    def transitions(self, i: int) -> NDArray[np.int64]:
        """First sampled frames of the second and the last stage."""
        end = float(self.dives.times[i, 2])
        starts = [s for s in self.dives.starts[i].tolist() if s >= 0]
        return np.array(sample_transitions(starts, sample_frames(round(end * FPS), FRAMES)))


def as_input(joints: Sequence[NDArray[np.floating]]) -> Tensor:
    """Joints (T, 16, 2) of N dives, without gaps, as a pose branch reads them: float32 (N, 2, T, 16, 1)."""
    poses = np.stack([normalise_pose(j, "centre").astype(np.float32) for j in joints])
    return torch.from_numpy(poses).permute(0, 3, 1, 2).unsqueeze(-1)


def facts_of(dives: PerformedDives, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    """Quality, less 7, and faults as the points that they cost, without their signs: float32 (N, 10).

    The quality of a synchronised dive is NaN: it is not the first diver's alone.
    """
    cost = np.array([COST[name].unit for name in FAULTS], np.float32)
    faults = np.abs(dives.faults[chosen]) / cost
    quality = np.where(dives.synchronised[chosen], np.nan, dives.quality[chosen] - 7.0)
    return np.concatenate([quality[:, None], faults], 1).astype(np.float32)


def groups(dives: PerformedDives, batch: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Endless batches, each of a few numbers and :data:`SAME_NUMBER` dives of each."""
    of_number = [np.flatnonzero(dives.number == n) for n in np.unique(dives.number)]
    while True:
        numbers = rng.choice(len(of_number), batch // SAME_NUMBER, replace=False)
        yield np.concatenate([rng.choice(of_number[n], SAME_NUMBER, replace=False) for n in numbers])


def pairs_within(batch: int) -> tuple[Tensor, Tensor]:
    """All pairs of the dives of one number: indices (B,), (B,)."""
    a, b = np.triu_indices(SAME_NUMBER, 1)
    starts = np.arange(0, batch, SAME_NUMBER)[:, None]
    return torch.from_numpy((starts + a).ravel()), torch.from_numpy((starts + b).ravel())
