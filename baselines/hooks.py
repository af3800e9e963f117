"""What happens beside the training loop: means of every epoch, the best epoch."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from baselines.data import Dives
from baselines.evaluate import predict_clips
from baselines.hpmcr import HPMCR
from baselines.metrics import spearman
from baselines.splits import Split
from finediving_pose.errors import FdposeError
from finediving_pose.progress import tell
from finediving_pose.workspace import atomic_write

BEST = "best.pth"


class EpochHistory(Hook):
    """Mean losses of every epoch: a line on the terminal, and a list that checkpoints carry along."""

    def before_train_epoch(self, runner: Runner) -> None:
        self.sums: dict[str, float] = defaultdict(float)
        self.started = time.monotonic()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        for name, value in (outputs or {}).items():
            self.sums[name] += float(torch.as_tensor(value).detach())

    def after_train_epoch(self, runner: Runner) -> None:
        steps = len(runner.train_dataloader)
        means = {name: round(total / steps, 5) for name, total in self.sums.items()}
        seconds = round(time.monotonic() - self.started, 2)
        history = [
            *runner.message_hub.get_info("history", []),
            {"epoch": runner.epoch + 1, **means, "seconds": seconds},
        ]
        runner.message_hub.update_info("history", history)
        if not math.isfinite(means["loss"]):
            raise FdposeError(
                f"{runner.work_dir}: the loss is no number after epoch {runner.epoch + 1}; try another --seed"
            )
        parts = "  ".join(
            f"{name.removesuffix('_loss').replace('_', ' ')} {value:.3f}" for name, value in means.items()
        )
        tell(f"epoch {runner.epoch + 1}/{runner.max_epochs}  {parts}  ({seconds:.1f} s)")


class BestOnValidation(Hook):
    """Every few epochs, score the validation dives and keep the weights with the best rho."""

    priority = "LOW"

    def __init__(self, dives: Dives, split: Split, interval: int, votes: int) -> None:
        self.dives, self.split, self.interval, self.votes = dives, split, interval, votes

    def after_train_epoch(self, runner: Runner) -> None:
        if (runner.epoch + 1) % self.interval and runner.epoch + 1 != runner.max_epochs:
            return
        model = runner.model
        assert isinstance(model, HPMCR)
        scored = predict_clips(model, self.dives, self.split.validation, self.split.train, self.votes)
        rho = spearman([p.true_score for p in scored], [p.predicted_score for p in scored])
        runner.message_hub.get_info("history")[-1]["validation_rho"] = round(rho, 4)
        tell(f"  rho on {len(scored)} validation dives {rho:.4f}")
        best = Path(runner.work_dir) / BEST
        if not best.is_file() or rho > runner.message_hub.get_info("best_rho", -math.inf):
            runner.message_hub.update_info("best_rho", rho if math.isfinite(rho) else -math.inf)
            with atomic_write(best) as part:
                torch.save(model.state_dict(), part)
