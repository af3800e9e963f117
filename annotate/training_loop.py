"""The few pieces of a training loop that mmengine lacks: bf16 on any device, endless batches, one line of progress."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.hooks import EMAHook, Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData
from torch.utils.data import DataLoader, Dataset, Sampler

from annotate.estimators import mmpose_compat  # noqa: F401  (before mmpose)
from finediving_pose.progress import console
from finediving_pose.workspace import atomic_write

from mmpose.structures import PoseDataSample  # isort: skip

WORKERS = max(1, min(16, (os.cpu_count() or 1) - 2))
"""Processes that prepare samples, 200 to 300 a second each; a core trains on 100."""
TARGETS = {"gt_fields": PixelData, "gt_instance_labels": InstanceData}
"""Where mmpose's heads look for what they should have found."""
PATIENCE = 1 / 3
"""Training stops when this share of it brought nothing."""


class DeviceRunner(Runner):
    """A Runner on the device that it is told; mmengine's own takes the first GPU wherever there is one."""

    def __init__(self, *, device: str, **kwargs: Any) -> None:
        self.chosen = device
        super().__init__(**kwargs)

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: torch.nn.Module) -> torch.nn.Module:
        return model.to(self.chosen)


class AutocastOptimWrapper(OptimWrapper):
    """Forward and loss in bfloat16. mmengine's own AmpOptimWrapper refuses to run without a GPU."""

    def __init__(self, *, device: str, enabled: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.device_type, self.enabled = device.split(":")[0], enabled

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast(self.device_type, torch.bfloat16, enabled=self.enabled):
            yield


class UnstackHook(Hook):
    """Hands a batch of :func:`stacked` to the model as the samples it expects, on its device.

    In one piece, and not hundreds of small tensors a step, each moved and normalised by itself.
    """

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        device = next(runner.model.parameters()).device
        data_batch["inputs"] = data_batch["inputs"].to(device)
        targets = {place: values.to(device) for place, values in data_batch.pop("targets").items()}
        data_batch["data_samples"] = [_sample(targets, i) for i in range(len(data_batch["inputs"]))]


class ProgressHook(Hook):
    """One line an epoch: steps, loss, samples a second, minutes left."""

    def __init__(self, description: str, batch_size: int) -> None:
        self.description, self.batch_size = description, batch_size
        self.losses: list[float] = []

    def before_train_epoch(self, runner: Any) -> None:
        self.started, self.losses = time.monotonic(), []

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.losses.append(float(outputs["loss"].detach()))

    def after_train_epoch(self, runner: Any) -> None:
        seconds = time.monotonic() - self.started
        left = (runner.max_epochs - runner.epoch - 1) * seconds / 60
        rate = len(self.losses) * self.batch_size / seconds
        loss = sum(self.losses) / len(self.losses)
        console.print(
            f"{self.description}: step {runner.iter}/{runner.max_iters}, loss {loss:.4f},"
            f" {rate:.0f} samples/s, {left:.1f} min left"
        )


class BestHook(Hook):
    """Measures the averaged weights after every epoch, keeps the best of them, stops when nothing is gained any more.

    What it knows is in a file beside the Runner's own state, so that a training that goes on knows it too.

    Parameters
    ----------
    average : the hook that averages the weights
    quality : figure of a state dict, larger is better; where None, the last weights are the best
    file : where the best weights are kept
    """

    priority = "LOW"  # before the Runner's state is written: what an unfinished epoch found is found again

    def __init__(self, average: EMAHook, quality: Callable[[Mapping[str, Any]], float] | None, file: Path) -> None:
        self.average, self.quality, self.file = average, quality, file
        self.best: dict[str, Any] = {"epoch": 0, "quality": -1.0}

    def before_train(self, runner: Any) -> None:
        if self.file.is_file():
            self.best = torch.load(self.file, map_location="cpu", weights_only=True)

    def after_train_epoch(self, runner: Any) -> None:
        if self.quality is None:
            return
        state, epoch = self.average.ema_model.module.state_dict(), runner.epoch + 1
        quality = self.quality(state)
        console.print(f"held out: {quality:.3f} (best so far {max(quality, self.best['quality']):.3f})")
        if quality > self.best["quality"]:
            self.best = {"epoch": epoch, "quality": quality, "state": {k: v.cpu().clone() for k, v in state.items()}}
            with atomic_write(self.file) as part:
                torch.save(self.best, part)
        runner.train_loop.stop_training = epoch - self.best["epoch"] >= max(3, round(PATIENCE * runner.max_epochs))

    @property
    def state(self) -> Mapping[str, Any]:
        """The best weights, or the last."""
        return self.best.get("state") or self.average.ema_model.module.state_dict()


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


def _sample(targets: Mapping[tuple[str, str], torch.Tensor], i: int) -> PoseDataSample:
    sample = PoseDataSample()
    for part, kind in TARGETS.items():
        setattr(sample, part, kind(**{name: values[i] for (of, name), values in targets.items() if of == part}))
    return sample


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


def batches(data: Any, weights: np.ndarray, batch_size: int, steps: int, seed: int) -> DataLoader:
    """``steps`` batches an epoch of the samples of ``data``, each drawn as often as its weight (they sum to 1) says."""
    return DataLoader(
        DrawnFrames(data),
        batch_size,
        sampler=WeightedDraws(weights, steps * batch_size, seed),
        num_workers=WORKERS,
        persistent_workers=WORKERS > 0,
        collate_fn=stacked,
        worker_init_fn=_one_thread,
    )


def _one_thread(worker: int) -> None:
    torch.set_num_threads(1)
