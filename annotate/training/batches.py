"""Batches of a training: which frames are drawn, and how their tensors travel from the processes that prepare them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData
from torch.utils.data import DataLoader, Dataset, Sampler

from annotate.estimators import mmpose_compat  # noqa: F401  (before mmpose)

from mmpose.structures import PoseDataSample  # isort: skip

WORKERS = max(1, min(16, (os.cpu_count() or 1) - 2))
"""Processes that prepare samples, 200 to 300 a second each; a core trains on 100."""
TARGETS = {"gt_fields": PixelData, "gt_instance_labels": InstanceData}
"""Where mmpose's heads look for what they should have found."""


def stacked(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A batch as a few tensors, made where samples are prepared: many small ones are slow to pass on."""
    found = [s["data_samples"] for s in samples]
    return {
        "inputs": torch.stack([s["inputs"] for s in samples]),
        "targets": {
            (part, name): torch.stack([getattr(s, part).get(name) for s in found])
            for part in TARGETS
            for name, value in (found[0].get(part) or {}).items()
            if isinstance(value, torch.Tensor)
        },
    }


def unstack(batch: dict[str, Any], device: torch.device) -> None:
    """Turn a batch of :func:`stacked`, in place, into the ``inputs`` and ``data_samples`` of mmpose, on ``device``."""
    batch["inputs"] = batch["inputs"].to(device)
    targets = {place: values.to(device) for place, values in batch.pop("targets").items()}
    batch["data_samples"] = [_sample(targets, i) for i in range(len(batch["inputs"]))]


def _sample(targets: Mapping[tuple[str, str], torch.Tensor], i: int) -> PoseDataSample:
    sample = PoseDataSample()
    for part, kind in TARGETS.items():
        setattr(sample, part, kind(**{name: values[i] for (of, name), values in targets.items() if of == part}))
    return sample


@dataclass(frozen=True, slots=True)
class Samples:
    """What a training draws from.

    Attributes
    ----------
    words : what they are, for people
    data : map-style data set of torch, of mmpose's inputs and targets
    weights : float (n,), how often each is drawn; they sum to 1
    """

    words: str
    data: Any
    weights: np.ndarray


Draw = tuple[int, int]
"""A sample's place in the data, and the seed of what is changed in it."""


class WeightedDraws(Sampler[Draw]):
    """``size`` draws an epoch, with replacement, so that an epoch is the same work for any amount of data.

    They follow from the seed and the epoch alone: a training sees the same samples with any number of processes that
    prepare them, and when it goes on after a stop.
    """

    def __init__(self, weights: np.ndarray, size: int, seed: int) -> None:
        self.weights, self.size, self.seed, self.epoch = weights, size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by mmengine before every epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Draw]:
        luck = np.random.default_rng((self.seed, self.epoch))
        places = luck.choice(len(self.weights), self.size, p=self.weights)
        return zip(places.tolist(), luck.integers(2**32, size=self.size).tolist(), strict=True)


class DrawnFrames(Dataset):
    """The samples of a data set by :data:`Draw`; numpy's global generator is what changes them."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __getitem__(self, draw: Draw) -> Any:
        place, seed = draw
        np.random.seed(seed)  # noqa: NPY002
        return self.data[place]


def batches(samples: Samples, batch_size: int, steps: int, seed: int) -> DataLoader:
    """``steps`` batches an epoch of the samples, each drawn as often as its weight says."""
    return DataLoader(
        DrawnFrames(samples.data),
        batch_size,
        sampler=WeightedDraws(samples.weights, steps * batch_size, seed),
        num_workers=WORKERS,
        persistent_workers=WORKERS > 0,
        collate_fn=stacked,
        worker_init_fn=_one_thread,
    )


def _one_thread(worker: int) -> None:
    torch.set_num_threads(1)
