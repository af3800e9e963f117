"""mmengine's Runner on any device, in bfloat16 on any device, with the hooks that a training needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import EMAHook, Hook
from mmengine.optim import OptimWrapper

from annotate.training.batches import unstack
from finediving_pose.checkpoints import read_checkpoint, write_checkpoint
from finediving_pose.errors import CheckpointError
from finediving_pose.plain_pickle import one_line
from finediving_pose.progress import console, tell
from finediving_pose.resuming import ResumableRunner

PATIENCE = 1 / 3
"""Training stops when the figure did not improve during this share of the epochs."""


class DeviceRunner(ResumableRunner):
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
    """Hands a batch of :func:`annotate.training.batches.stacked` to the model as the samples it expects, on its device.

    It crosses in one piece, not as hundreds of small tensors a step, each moved and normalised by itself.
    """

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        unstack(data_batch, next(runner.model.parameters()).device)


class ProgressHook(Hook):
    """One line per epoch: steps, loss, frames per second, minutes left."""

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
            f" {rate:.0f} frames/s, {left:.1f} min left"
        )


class BestHook(Hook):
    """Measures the averaged weights after every epoch, keeps the best, stops when they no longer improve.

    Its state is in a file beside the Runner's own, so that a training that continues has it.

    Parameters
    ----------
    average : the hook that averages the weights
    quality : figure of a state dict, larger is better; where None, the last weights are the best
    file : where the best weights are kept
    """

    priority = "LOW"  # before the Runner's state is written: an epoch that is repeated is measured again

    def __init__(self, average: EMAHook, quality: Callable[[Mapping[str, Any]], float] | None, file: Path) -> None:
        self.average, self.quality, self.file = average, quality, file
        self.best: dict[str, Any] = {"epoch": 0, "quality": -1.0}

    def before_train(self, runner: Any) -> None:
        if not self.file.is_file():
            return
        try:
            best = read_checkpoint(self.file)
            self.best = {"epoch": int(best["epoch"]), "quality": float(best["quality"]), "state": dict(best["state"])}
        except (CheckpointError, KeyError, TypeError, ValueError) as e:
            tell(f"the best weights so far are lost, later ones are taken ({self.file}: {one_line(e)})")

    def after_train_epoch(self, runner: Any) -> None:
        if self.quality is None:
            return
        state, epoch = self.average.ema_model.module.state_dict(), runner.epoch + 1
        quality = self.quality(state)
        console.print(f"held out: {quality:.3f} (best so far {max(quality, self.best['quality']):.3f})")
        if quality > self.best["quality"]:
            self.best = {"epoch": epoch, "quality": quality, "state": {k: v.cpu().clone() for k, v in state.items()}}
            write_checkpoint(self.file, self.best)
        runner.train_loop.stop_training = epoch - self.best["epoch"] >= max(3, round(PATIENCE * runner.max_epochs))

    @property
    def state(self) -> Mapping[str, Any]:
        """The best weights, or the last."""
        return self.best.get("state") or self.average.ema_model.module.state_dict()
