"""What happens beside the training loop: seeds, means of every epoch, the time it takes, the best epoch."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from baselines import processes
from baselines.data import TrainingPairs
from baselines.evaluate import Prediction, summarise
from baselines.hpmcr import HPMCR
from finediving_pose.errors import FdposeError
from finediving_pose.progress import tell
from finediving_pose.workspace import atomic_write

BEST = "best.pth"

LARGER_IS_BETTER = {"rho": True, "r_l2_x100": False, "l2": False, "aiou_50": True, "aiou_75": True}
"""The figures of which the public code reports each from its own best epoch."""


def model_of(runner: Runner) -> HPMCR:
    """The model itself, whatever it is wrapped in."""
    return cast(HPMCR, getattr(runner.model, "module", runner.model))


class Seeds(Hook):
    """Starts every epoch from its own random state, so that a resumed training draws what an unbroken one does."""

    def __init__(self, pairs: TrainingPairs, seed: int) -> None:
        self.pairs, self.seed = pairs, seed

    def before_train_epoch(self, runner: Runner) -> None:
        self.pairs.epoch = runner.epoch
        torch.manual_seed((self.seed << 20) + runner.epoch)  # dropout


class EpochHistory(Hook):
    """Mean losses of every epoch: a line on the terminal, and a list that checkpoints carry along."""

    def before_train_epoch(self, runner: Runner) -> None:
        self.sums: dict[str, float] = defaultdict(float)
        self.started = self.last = time.monotonic()
        self.waited = 0.0

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.waited += time.monotonic() - self.last

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        for name, value in (outputs or {}).items():
            self.sums[name] += float(torch.as_tensor(value).detach())
        self.last = time.monotonic()

    def after_train_epoch(self, runner: Runner) -> None:
        steps = len(runner.train_dataloader)
        means = processes.mean({name: total / steps for name, total in self.sums.items()})
        means = {name: round(mean, 5) for name, mean in means.items()}
        seconds = time.monotonic() - self.started
        times = {"seconds": round(seconds, 2), "waiting_for_data": round(self.waited / seconds, 3)}
        history = runner.message_hub.get_info("history", [])
        runner.message_hub.update_info("history", [*history, {"epoch": runner.epoch + 1, **means, **times}])
        if not math.isfinite(means["loss"]):
            raise FdposeError(
                f"{runner.work_dir}: the loss is no number after epoch {runner.epoch + 1}; try another --seed"
            )
        parts = "  ".join(
            f"{name.removesuffix('_loss').replace('_', ' ')} {value:.3f}" for name, value in means.items()
        )
        tell(f"epoch {runner.epoch + 1}/{runner.max_epochs}  {parts}  ({seconds:.1f} s)")


class ExpectedTime(Hook):
    """Soon after the start, and once, says how long the training will take, where that is long."""

    AFTER = 20
    """Seconds or steps, whichever comes first."""
    LONG = 600
    """Seconds that are worth a word."""

    def __init__(self) -> None:
        self.told = False

    def before_train(self, runner: Runner) -> None:
        self.started, self.first = time.monotonic(), runner.iter

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        done, seconds = runner.iter + 1 - self.first, time.monotonic() - self.started
        if self.told or (seconds < self.AFTER and done < self.AFTER):
            return
        self.told = True
        left = seconds / done * (runner.max_iters - runner.iter - 1)
        if left > self.LONG:
            where = "on the GPU" if torch.cuda.is_available() else "on this processor, there is no GPU"
            tell(
                f"[bold]expect about {in_words(left)} of training {where}[/]: {seconds / done:.2f} s a step,"
                f" {runner.max_iters - runner.iter - 1:,} steps to go (Ctrl-C stops, --resume goes on)"
            )


def in_words(seconds: float) -> str:
    """``12 minutes``, ``5.0 hours``, ``3 days``."""
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours" if seconds < 48 * 3600 else f"{seconds / 86400:,.0f} days"


class BestEpoch(Hook):
    """Every few epochs, score dives and keep the weights with the best rho.

    Parameters
    ----------
    score : gives the scored dives
    name : of the split that they are from; ``test`` is the public code's way, and no clean one
    interval : in epochs
    """

    priority = "LOW"

    def __init__(self, score: Callable[[], Sequence[Prediction]], name: str, interval: int) -> None:
        self.score, self.name, self.interval = score, name, interval

    def after_train_epoch(self, runner: Runner) -> None:
        if (runner.epoch + 1) % self.interval and runner.epoch + 1 != runner.max_epochs:
            return
        processes.on_first(self._score)(runner)

    def _score(self, runner: Runner) -> None:
        model, hub, epoch = model_of(runner), runner.message_hub, runner.epoch + 1
        scored = self.score()
        figures = summarise(scored)
        rho = float(figures["rho"])  # type: ignore[arg-type]
        hub.get_info("history")[-1][f"{self.name}_rho"] = round(rho, 4)
        tell(f"  rho on {len(scored)} {self.name} dives {rho:.4f}")
        hub.update_info("best_of_each", better(hub.get_info("best_of_each", {}), figures, epoch))
        best = Path(runner.work_dir) / BEST
        if not best.is_file() or rho > hub.get_info("best_rho", -math.inf):
            hub.update_info("best_rho", rho if math.isfinite(rho) else -math.inf)
            with atomic_write(best) as part:
                torch.save(model.state_dict(), part)


def better(best: dict[str, dict[str, Any]], figures: dict[str, Any], epoch: int) -> dict[str, dict[str, Any]]:
    """Each figure's best ``value`` so far, with its ``epoch``."""
    found = dict(best)
    for name, larger in LARGER_IS_BETTER.items():
        value = figures[name]
        if value is None or not math.isfinite(value):
            continue
        old = found.get(name)
        if old is None or (value > old["value"] if larger else value < old["value"]):
            found[name] = {"value": value, "epoch": epoch}
    return found
