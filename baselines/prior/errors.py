"""What an estimator of poses gets wrong, measured on filmed synthetic dives and put on dives that nobody filmed.

The differences between a dive's machine poses and its true joints are kept whole, frame by frame: errors last for
several frames, and come where a dive is fast, tucked or wet. A donor's are put on another dive at the same phase of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.data.transforms import torso_length
from finediving_pose.skeleton import FLIP

PAIRS = tuple((j, FLIP[j]) for j in range(len(FLIP)) if j < FLIP[j])
"""The joints that have a left and a right."""
LEAST = 4
"""A frame with fewer joints in sight has no pose."""


@dataclass(frozen=True)
class PoseErrors:
    """Errors of N filmed dives.

    Attributes
    ----------
    number : text (N,), dive numbers
    phase : float32 (N, T), of the sampled frames: 0 at the clip's first, 1 at take-off, 2 at touch, 3 at the end
    offset : float16 (N, T, 16, 2), machine less truth, in units of the dive's median trunk, left and right exchanged
        where that is nearer; NaN where one of the two is not there
    exchanged : bool (N, T, 6), where left and right of a pair of joints were exchanged
    missed : bool (N, T), frames in which a diver is, and no pose
    """

    number: NDArray[np.str_]
    phase: NDArray[np.float32]
    offset: NDArray[np.float16]
    exchanged: NDArray[np.bool_]
    missed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.number)

    @cached_property
    def of_number(self) -> Mapping[str, NDArray[np.int64]]:
        """Donors by dive number."""
        return {str(n): np.flatnonzero(self.number == n) for n in np.unique(self.number)}

    def put_on(
        self,
        joints: NDArray[np.floating],
        seen: NDArray[np.bool_],
        phase: NDArray[np.floating],
        number: str,
        rng: np.random.Generator,
    ) -> NDArray[np.float32]:
        """Joints as the estimator would have found them, NaN where it would have found none: float32 (T, 16, 2).

        Every other time the donor is a dive of the same number, if there is one.

        Parameters
        ----------
        joints : (T, 16, 2), pixels, true; seen : (T, 16), in the picture and above the water
        phase : (T,), of the frames, as :attr:`phase`
        """
        same = self.of_number.get(number, ())
        donor = int(rng.choice(same)) if len(same) and rng.random() < 0.5 else int(rng.integers(len(self)))
        at = np.abs(self.phase[donor][None] - phase[:, None]).argmin(1)
        offset = np.nan_to_num(_held(self.offset[donor].astype(np.float32)))[at]
        found = joints + offset * torso_length(joints)
        found = with_sides_exchanged(found, self.exchanged[donor][at])
        found[(seen.sum(1) < LEAST) | self.missed[donor][at]] = np.nan
        return found.astype(np.float32)


def compare_poses(
    machine: NDArray[np.floating], truth: NDArray[np.floating], seen: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    """``offset``, ``exchanged`` and ``missed`` of one dive, as :class:`PoseErrors` has them.

    Parameters
    ----------
    machine, truth : (T, 16, 2), pixels, NaN where there is none
    seen : (T, 16), whether the true joint is to be seen
    """
    exchanged = np.zeros((len(truth), len(PAIRS)), bool)
    for k, (a, b) in enumerate(PAIRS):
        straight = _apart(machine, truth, a, a) + _apart(machine, truth, b, b)
        crossed = _apart(machine, truth, a, b) + _apart(machine, truth, b, a)
        exchanged[:, k] = crossed < straight
    machine = with_sides_exchanged(machine, exchanged)
    missed = (seen.sum(1) >= LEAST) & ~np.isfinite(machine[..., 0]).any(1)
    return {
        "offset": ((machine - truth) / torso_length(truth)).astype(np.float16), "exchanged": exchanged, "missed": missed
    }  # fmt: skip


def with_sides_exchanged(joints: NDArray[np.floating], exchanged: NDArray[np.bool_]) -> NDArray[Any]:
    """A copy of joints (T, 16, 2) with left and right of each of :data:`PAIRS` exchanged where asked, (T, 6)."""
    joints = joints.copy()
    for (a, b), rows in zip(PAIRS, exchanged.T, strict=True):
        joints[rows, a], joints[rows, b] = joints[rows, b].copy(), joints[rows, a].copy()
    return joints


def phases(frames: NDArray[np.number], take_off: float, touch: float, end: float) -> NDArray[np.float32]:
    """Phase of the frames at these times, all in one unit: 0 at the start, 1 at take-off, 2 at touch, 3 at the end."""
    return np.interp(np.asarray(frames, float), [0, take_off, touch, max(end, touch)], [0, 1, 2, 3]).astype(np.float32)


def write_errors(path: Path, errors: PoseErrors, provenance: str) -> None:
    """Write them to a file, with what they were measured on."""
    from finediving_pose.workspace import atomic_write

    with atomic_write(path) as part, open(part, "wb") as file:
        arrays = {f.name: getattr(errors, f.name) for f in fields(errors)}
        np.savez_compressed(file, provenance=np.array(provenance), **arrays)


def read_errors(path: Path) -> PoseErrors:
    """The errors that :func:`write_errors` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return PoseErrors(**{f.name: file[f.name] for f in fields(PoseErrors)})


def _apart(machine: np.ndarray, truth: np.ndarray, a: int, b: int) -> np.ndarray:
    return np.linalg.norm(machine[:, a] - truth[:, b], axis=-1)


def _held(offset: np.ndarray) -> np.ndarray:
    """The offsets with those of the nearest frame that has some in place of NaN."""
    there = np.isfinite(offset).all((1, 2))
    if not there.any():
        return offset
    known = np.flatnonzero(there)
    nearest = known[np.abs(known[None] - np.arange(len(offset))[:, None]).argmin(1)]
    return np.where(np.isfinite(offset), offset, offset[nearest])
