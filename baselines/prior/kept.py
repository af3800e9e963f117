"""Dives that were made once and kept in files, so that a training that was stopped goes on at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np

from baselines.prior.performed import PerformedDives
from finediving_pose.parallel import map_clips
from finediving_pose.workspace import atomic_write

D = TypeVar("D", bound=PerformedDives)
Maker = Callable[[int, Sequence[int]], D]
"""From a seed and places of a stream to the dives there."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Places of a stream whose dives are to be made, and the file that they go to."""

    make: Maker
    seed: int
    places: range
    file: Path

    def __str__(self) -> str:
        return self.file.stem


def kept(
    kind: type[D], make: Maker[D], seed: int, places: range, of_file: int, work: Path, jobs: int | None = None
) -> D:
    """The dives of these places, from ``work`` as far as they are there; ``of_file`` places go to a file."""
    work.mkdir(parents=True, exist_ok=True)
    shards = [
        Shard(make, seed, range(first, min(first + of_file, places.stop)), work / f"{make.__name__}-{seed}-{first}.npz")
        for first in range(places.start, places.stop, of_file)
    ]
    todo = [shard for shard in shards if not shard.file.is_file()]
    for _, outcome in map_clips(_write, todo, jobs, "making dives", "places", count=lambda s: len(s.places)):
        if isinstance(outcome, Exception):
            raise outcome
    return kind.joined([_read(kind, shard.file) for shard in shards])


def _write(shard: Shard) -> int:
    dives = shard.make(shard.seed, shard.places)
    with atomic_write(shard.file) as part, open(part, "wb") as file:
        np.savez(file, **{f.name: getattr(dives, f.name) for f in fields(dives)})
    return len(shard.places)


def _read(kind: type[D], file: Path) -> D:
    with np.load(file, allow_pickle=False) as arrays:
        return kind(**{f.name: arrays[f.name] for f in fields(kind)})
