"""Keeps the weights of the epoch that scores best."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from baselines.runs.figures import Figures
from baselines.training import processes
from baselines.training.hooks import network_of
from finediving_pose.checkpoints import write_checkpoint
from finediving_pose.errors import CheckpointError
from finediving_pose.progress import tell

BEST = "best.pth"

LARGER_IS_BETTER = {"rho": True, "r_l2_x100": False, "l2": False, "aiou_50": True, "aiou_75": True}
"""The figures of which the public code reports each from its own best epoch."""


class BestEpoch(Hook):
    """Scores dives after some epochs and keeps the weights with the best rho.

    Parameters
    ----------
    score : figures of the split after an epoch, which it is given
    name : of the split; ``test`` is the public code's way, and not a clean one
    is_due : whether dives are scored after an epoch, counted from 1
    """

    priority = "LOW"

    def __init__(self, score: Callable[[int], Figures], name: str, is_due: Callable[[int], bool]) -> None:
        self.score, self.name, self.is_due = score, name, is_due

    def before_train(self, runner: Runner) -> None:
        """Raises CheckpointError where a resumed training does not know what was best."""
        hub = runner.message_hub
        best: Any = hub.get_info("best_of_each", {})
        known = isinstance(best, dict) and all(isinstance(b, dict) and _is_best(b) for b in best.values())
        if not known or not isinstance(hub.get_info("best_rho", 0.0), (int, float)):
            raise CheckpointError(f"{runner.work_dir}: the best figures in its checkpoint are no numbers")

    def after_train_epoch(self, runner: Runner) -> None:
        if self.is_due(runner.epoch + 1):
            processes.on_first(self._score)(runner)

    def _score(self, runner: Runner) -> None:
        hub, epoch = runner.message_hub, runner.epoch + 1
        figures = self.score(epoch)
        rho = math.nan if figures.rho is None else figures.rho
        hub.get_info("history")[-1][f"{self.name}_rho"] = None if figures.rho is None else round(rho, 4)
        known = {f"{self.name}/{name}": value for name, value in asdict(figures).items() if value is not None}
        runner.visualizer.add_scalars(known, step=runner.iter)
        tell(f"  rho on the {self.name} dives {rho:.4f}")
        hub.update_info("best_of_each", update_best(hub.get_info("best_of_each", {}), figures, epoch))
        best = Path(runner.work_dir) / BEST
        if not best.is_file() or rho > hub.get_info("best_rho", -math.inf):
            hub.update_info("best_rho", rho if math.isfinite(rho) else -math.inf)
            write_checkpoint(best, network_of(runner).state_dict())


def _is_best(found: dict[str, Any]) -> bool:
    return isinstance(found.get("value"), (int, float)) and type(found.get("epoch")) is int


def update_best(best: dict[str, dict[str, Any]], figures: Figures, epoch: int) -> dict[str, dict[str, Any]]:
    """Each figure's best ``value`` so far, with its ``epoch``."""
    found = dict(best)
    for name, larger in LARGER_IS_BETTER.items():
        value = getattr(figures, name)
        if value is None or not math.isfinite(value):
            continue
        old = found.get(name)
        if old is None or (value > old["value"] if larger else value < old["value"]):
            found[name] = {"value": value, "epoch": epoch}
    return found
