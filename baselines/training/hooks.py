"""What happens beside the training loop: seeds, mean losses of every epoch, the time it will take."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from baselines.data.pairs import TrainingPairs
from baselines.training import processes
from finediving_pose.errors import CheckpointError, FdposeError
from finediving_pose.progress import tell


def network_of(runner: Runner) -> nn.Module:
    """The method's network itself, whatever it is wrapped in."""
    return cast(nn.Module, getattr(runner.model, "module", runner.model).network)


class Seeds(Hook):
    """Starts every epoch from its own random state, so that a resumed training draws what an unbroken one does."""

    def __init__(self, pairs: TrainingPairs, seed: int) -> None:
        self.pairs, self.seed = pairs, seed

    def before_train_epoch(self, runner: Runner) -> None:
        self.pairs.epoch = runner.epoch
        torch.manual_seed((self.seed << 20) + runner.epoch)  # dropout


class BeginEpoch(Hook):
    """Tells the network which epoch begins, if it wants to know."""

    def before_train_epoch(self, runner: Runner) -> None:
        begin = getattr(network_of(runner), "begin_epoch", None)
        if begin is not None:
            begin(runner.epoch, runner.max_epochs)


class EpochHistory(Hook):
    """Mean losses of every epoch: a line on the terminal, and a list that checkpoints carry along."""

    def before_train(self, runner: Runner) -> None:
        """Raises CheckpointError where the history of a resumed training is none."""
        history: Any = runner.message_hub.get_info("history", [])
        entries = history if isinstance(history, list) else [None]
        if [e.get("epoch") if isinstance(e, dict) else None for e in entries] != list(range(1, runner.epoch + 1)):
            raise CheckpointError(f"{runner.work_dir}: the history in its checkpoint is not of {runner.epoch} epochs")

    def before_train_epoch(self, runner: Runner) -> None:
        self.sums: dict[str, float] = defaultdict(float)
        self.started = self.last = time.monotonic()
        self.waited = 0.0

    def state(self) -> dict[str, Any]:
        """What is known of an epoch that is left: sums of the losses, seconds, and those spent waiting for data."""
        return {"sums": dict(self.sums), "seconds": time.monotonic() - self.started, "waited": self.waited}

    def restore(self, states: Sequence[Mapping[str, Any]], rank: int) -> None:
        """Go on with an epoch that processes left with these states; of another number of them, each takes the mean."""
        if len(states) == processes.count():
            states = [states[rank]]
        names = dict.fromkeys(name for state in states for name in state["sums"])
        total = {name: math.fsum(state["sums"][name] for state in states) for name in names}
        self.sums.update({name: value / len(states) for name, value in total.items()})
        self.waited = math.fsum(state["waited"] for state in states) / len(states)
        self.started = self.last - max(state["seconds"] for state in states)

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
        if len(means) == 2:  # one loss, and the sum of it
            means = {"loss": means["loss"]}
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
                f"expect about {in_words(left)} of training {where}: {seconds / done:.2f} s a step,"
                f" {runner.max_iters - runner.iter - 1:,} steps to go (Ctrl-C stops, --resume goes on)",
                style="bold",
            )


def in_words(seconds: float) -> str:
    """``12 minutes``, ``5.0 hours``, ``3 days``."""
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours" if seconds < 48 * 3600 else f"{seconds / 86400:,.0f} days"
