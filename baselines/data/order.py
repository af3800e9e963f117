"""In which order training dives come."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from mmengine.dataset import DefaultSampler

from baselines.data.pairs import TrainingPairs


class AlikeTogether(DefaultSampler):
    """A random order in which ``run`` dives that may be compared follow each other, so that a batch holds many pairs.

    Follows from the seed and the epoch. ``run`` 1 is mmengine's plain shuffle.

    Attributes
    ----------
    skip : how many of this process's dives the next epoch leaves out at its start: they have been seen
    """

    def __init__(self, pairs: TrainingPairs, run: int = 1, seed: int = 0) -> None:
        super().__init__(pairs, shuffle=True, seed=seed)
        self.pairs, self.run, self.skip = pairs, run, 0

    def __iter__(self) -> Iterator[int]:
        seen, self.skip = self.skip, 0
        return islice(self._order(), seen, None)

    def _order(self) -> Iterator[int]:
        if self.run == 1:
            yield from super().__iter__()
            return
        rng = np.random.default_rng((self.seed, self.epoch))
        groups = [rng.permutation(group) for group in self.pairs.numbers_by_group()]
        runs = [group[at : at + self.run] for group in groups for at in range(0, len(group), self.run)]
        order = np.concatenate([runs[k] for k in rng.permutation(len(runs))]).tolist()
        order += order[: self.total_size - len(order)]  # every process as many, as in DefaultSampler
        # whole stretches for every process: taking turns would tear the runs apart
        yield from order[self.rank * self.num_samples : (self.rank + 1) * self.num_samples]
