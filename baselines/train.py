"""Train a model through mmengine's Runner."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from baselines import processes
from baselines.data import TrainingPairs, collate_pairs
from baselines.hooks import EpochHistory, ExpectedTime, Seeds
from baselines.hpmcr import HPMCR
from baselines.order import AlikeTogether
from finediving_pose.errors import UsageError


@dataclass(frozen=True, slots=True)
class Training:
    """How a model is trained, apart from the optimiser.

    Attributes
    ----------
    batch_size : pairs a step, over all processes
    exemplars : exemplars of a query
    every_pair : see :func:`baselines.data.collate_pairs`
    alike : this many dives that may be compared follow each other in the order of an epoch, see :mod:`baselines.order`
    workers : processes that read data, for each that trains
    accumulate : parts that a batch is split in, for memories that do not hold it whole; the gradients add up to the
        same, only the batch norms see the parts
    precision : ``bf16`` computes the encoders in bfloat16 where that is safe (autocast); scores and losses stay full
    channels_last : memory order of the 3D convolutions that GPUs are fastest with
    compile : both visual encoders through ``torch.compile``
    """

    epochs: int
    batch_size: int
    exemplars: int = 1
    every_pair: bool = False
    alike: int = 1
    workers: int = 0
    accumulate: int = 1
    precision: Literal["fp32", "bf16"] = "fp32"
    channels_last: bool = False
    compile: bool = False

    @property
    def part(self) -> int:
        """Pairs that one process encodes at once. Raises UsageError where the batch can't be split so."""
        parts = self.accumulate * processes.count()
        if self.batch_size % parts:
            raise UsageError(
                f"a batch of {self.batch_size} pairs can't be split in {self.accumulate} parts on each of"
                f" {processes.count()} processes; choose numbers whose product divides it"
            )
        return self.batch_size // parts


def train(
    model: HPMCR, pairs: TrainingPairs, config: Config, folder: Path, hooks: Sequence[Hook] = (), resume: bool = False
) -> Runner:
    """Train ``model`` in place; the Runner's message hub has the ``history``, one entry an epoch."""
    how = Training(**config.training)
    seed = config.run.seed
    if how.channels_last:
        model.dynamic.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    if how.compile:
        model.dynamic.compile()
        model.static.compile()
    runner = QuietRunner(
        model=model,
        work_dir=str(folder),
        train_dataloader=loader(pairs, how, seed),
        train_cfg={"by_epoch": True, "max_epochs": how.epochs},
        optim_wrapper=optimiser(config, how),
        param_scheduler=[dict(s) for s in config.param_scheduler],
        default_hooks={
            "checkpoint": {"type": "CheckpointHook", "interval": 1, "max_keep_ckpts": 2},
            "logger": {"type": "LoggerHook", "interval": 10},
        },
        custom_hooks=[Seeds(pairs, seed), EpochHistory(), ExpectedTime(), *hooks],
        visualizer={"type": "Visualizer", "vis_backends": [{"type": "TensorboardVisBackend"}]},
        # on GPUs some operations used here have no deterministic form, and asking for it would be an error
        randomness={"seed": seed, "deterministic": not torch.cuda.is_available()},
        resume=resume,
        launcher="pytorch" if processes.count() > 1 else "none",
        default_scope="mmengine",
        experiment_name=f"{folder.parent.name}-{folder.name}",  # runs of one process must not share their history
        cfg=Config(config.to_dict()),
    )
    with redirect_stdout(sys.stderr):  # the Runner prints; standard output is the command's result
        runner.train()
    return runner


def loader(pairs: TrainingPairs, how: Training, seed: int) -> DataLoader:
    """Batches of pairs, in an order that follows from the seed and the epoch.

    Workers start anew in every epoch, because they have to know which one it is.
    """
    workers = min(how.workers, os.cpu_count() or 1)
    return DataLoader(
        pairs,
        batch_size=how.part,
        sampler=AlikeTogether(pairs, how.alike, seed),
        collate_fn=partial(collate_pairs, every_pair=how.every_pair),
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
    )


def optimiser(config: Config, how: Training) -> dict[str, Any]:
    """The optimiser with its wrapper for precision and accumulation, as mmengine builds it."""
    kind = "Bf16OptimWrapper" if how.precision == "bf16" else "OptimWrapper"
    return {**config.optim_wrapper.to_dict(), "type": kind, "accumulative_counts": how.accumulate}


@OPTIM_WRAPPERS.register_module()
class Bf16OptimWrapper(OptimWrapper):
    """Forward passes under autocast to bfloat16, on any device. Its range is float32's: no loss scaling is needed."""

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield


class QuietRunner(Runner):
    """A Runner whose log goes to its file alone; the terminal belongs to the command."""

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        logger = super().build_logger(*args, **kwargs)
        logger.handlers = [h for h in logger.handlers if isinstance(h, logging.FileHandler)]
        return logger

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """As the Runner does, and on processors without a GPU, too."""
        if not self.distributed:
            return super().wrap_model(model_wrapper_cfg, model)
        on_gpu = torch.cuda.is_available()
        here = [torch.cuda.current_device()] if on_gpu else None
        unused = bool(self.cfg.model.get("without"))  # what is left out may leave parameters without gradient
        return MMDistributedDataParallel(
            module=model.to("cuda" if on_gpu else "cpu"),
            device_ids=here,
            forward_sync_buffers=False,
            find_unused_parameters=unused,
        )
