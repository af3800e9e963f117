"""The few pieces of a training loop that mmengine lacks: bf16 on any device, endless batches, one line of progress."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.dataset import pseudo_collate, worker_init_fn
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from torch.utils.data import DataLoader, RandomSampler

from finediving_pose.progress import console

WORKERS = 2
"""Processes that prepare samples; one prepares about 300 a second."""


class AutocastOptimWrapper(OptimWrapper):
    """Forward and loss in bfloat16. mmengine's own AmpOptimWrapper refuses to run without a GPU."""

    def __init__(self, *, device: str, enabled: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.device_type, self.enabled = device.split(":")[0], enabled

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast(self.device_type, torch.bfloat16, enabled=self.enabled):
            yield


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


def batches(data: Any, batch_size: int, steps: int, seed: int) -> DataLoader:
    """``steps`` batches an epoch, drawn with replacement, so that an epoch is the same work for any amount of data."""
    sampler = RandomSampler(
        data, replacement=True, num_samples=steps * batch_size, generator=torch.Generator().manual_seed(seed)
    )

    def seed_worker(worker: int) -> None:
        torch.set_num_threads(1)
        worker_init_fn(worker, num_workers=WORKERS, rank=0, seed=seed)

    return DataLoader(
        data,
        batch_size,
        sampler=sampler,
        num_workers=WORKERS,
        persistent_workers=WORKERS > 0,
        collate_fn=pseudo_collate,
        worker_init_fn=seed_worker,
    )
