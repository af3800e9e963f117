"""A training of seconds on dives held in memory; ``-m tests.baselines.small_training`` makes it a process."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from baselines.data.dives import Dives
from baselines.data.pairs import TrainingPairs
from baselines.data.settings import DataSettings
from baselines.methods.hpmcr import HPMCRMethod
from baselines.methods.hpmcr.network import HPMCR
from baselines.runs.config import RunConfig, make_config
from baselines.training import processes
from baselines.training.hooks import network_of
from baselines.training.settings import Optimiser, Training
from baselines.training.stopping import stoppable
from baselines.training.trainer import train
from finediving_pose.errors import STOPPED, Stopped
from finediving_pose.resuming import last_checkpoint
from tests.baselines.made_up import clip, packed
from tests.baselines.small_model import SMALL

METHOD = HPMCRMethod()


def small_config(**training: Any) -> RunConfig:
    """The demo's, for one epoch, one exemplar a query."""
    how = Training(**{"epochs": 1, "batch_size": 8, **training})
    return replace(make_config(METHOD, "demo", seed=0), training=how)


def small_training(
    folder: Path,
    clips: int = 8,
    queries: int | None = None,
    frozen: bool = False,
    resume: bool = False,
    hooks: list[Hook] | None = None,
    **training: Any,
) -> Runner:
    """Train.

    With ``frozen`` batch norms and dropout do as in testing, and the optimiser is one whose step is proportional to the
    gradient: then a batch is the sum of its parts, as long as none of its clips is in two pairs.
    """
    config = small_config(**training)
    torch.manual_seed(0)
    model = HPMCR(**SMALL)
    if frozen:
        model.eval().train = lambda mode=True: model  # type: ignore[method-assign]
        config = replace(config, optimiser=Optimiser(lr=1e-4, type="SGD", schedule="constant"))
    dives = Dives(
        packed(*(clip(i) for i in range(clips))),
        DataSettings(frames=24, resize=(60, 34), crop=32, in_memory=True),
    )
    pairs = TrainingPairs(dives, range(clips))
    pairs.train = pairs.train[:queries]
    return train(model, METHOD, pairs, config, folder, hooks or [], resume=last_checkpoint(folder) if resume else None)


class AskToStop(Hook):
    """Sends this process a signal after a step of an epoch, both counted from 1; step 0 is before the epoch's end."""

    priority = "VERY_LOW"

    def __init__(self, epoch: int, step: int, number: int = signal.SIGTERM) -> None:
        self.at, self.number = (epoch, step), number

    def _ask(self, runner: Runner, step: int) -> None:
        if (runner.epoch + 1, step) == self.at:
            os.kill(os.getpid(), self.number)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self._ask(runner, batch_idx + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        self._ask(runner, 0)


def main(folder: str, options: str) -> None:
    """Train as the options say and leave the history and how far each weight has moved in ``folder/result.json``."""
    processes.join()
    given = json.loads(options)
    ask_at = given.pop("ask_at", None)
    hooks: list[Hook] = [AskToStop(*ask_at)] if ask_at and processes.rank() == processes.count() - 1 else []
    try:
        with stoppable():
            runner = small_training(Path(folder), hooks=hooks, **given)
    except Stopped:
        processes.leave()
        raise SystemExit(STOPPED) from None
    if processes.is_first():
        model = network_of(runner)
        torch.manual_seed(0)
        moved = {
            n: p.detach() - q.detach()
            for (n, p), q in zip(model.named_parameters(), HPMCR(**SMALL).parameters(), strict=True)
        }
        weights = {name: float(change.double().norm()) for name, change in moved.items()}
        history = [{k: v for k, v in e.items() if k.endswith("loss")} for e in runner.message_hub.get_info("history")]
        (Path(folder) / "result.json").write_text(json.dumps({"history": history, "weights": weights}))

    processes.leave()


if __name__ == "__main__":
    main(*sys.argv[1:])
