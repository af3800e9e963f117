"""Train a model through mmengine's Runner."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import DefaultSampler
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from baselines.data import Dives, TrainingPairs, collate_pairs
from baselines.hooks import BEST, BestOnValidation, EpochHistory
from baselines.hpmcr import HPMCR
from baselines.splits import Split


def train(
    model: HPMCR, dives: Dives, split: Split, config: Config, folder: Path, resume: bool = False
) -> list[dict[str, float]]:
    """Train ``model`` in place; with validation clips its best epoch is what remains. Returns one entry an epoch."""
    pairs = TrainingPairs(dives, split.train, config.training.exemplars)
    workers = min(config.training.workers, os.cpu_count() or 1)
    loader = DataLoader(
        pairs,
        batch_size=config.training.batch_size,
        sampler=DefaultSampler(pairs, shuffle=True, seed=config.run.seed),
        collate_fn=partial(collate_pairs, every_pair=config.training.every_pair),
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    hooks: list[Hook | dict] = [EpochHistory()]
    if split.validation:
        hooks.append(BestOnValidation(dives, split, config.validation.interval, config.evaluation.votes))
    runner = QuietRunner(
        model=model,
        work_dir=str(folder),
        train_dataloader=loader,
        train_cfg={"by_epoch": True, "max_epochs": config.training.epochs},
        optim_wrapper=config.optim_wrapper.to_dict(),
        param_scheduler=[dict(s) for s in config.param_scheduler],
        default_hooks={
            "checkpoint": {"type": "CheckpointHook", "interval": 1, "max_keep_ckpts": 2},
            "logger": {"type": "LoggerHook", "interval": 10},
        },
        custom_hooks=hooks,
        visualizer={"type": "Visualizer", "vis_backends": [{"type": "TensorboardVisBackend"}]},
        # on GPUs some operations used here have no deterministic form, and asking for it would be an error
        randomness={"seed": config.run.seed, "deterministic": not torch.cuda.is_available()},
        resume=resume,
        default_scope="mmengine",
        experiment_name=f"{folder.parent.name}-{folder.name}",  # runs of one process must not share their history
        cfg=Config(config.to_dict()),
    )
    with redirect_stdout(sys.stderr):  # the Runner prints; standard output is the command's result
        runner.train()
    best = folder / BEST
    if split.validation and best.is_file():
        model.load_state_dict(torch.load(best, map_location="cpu", weights_only=True))
    return runner.message_hub.get_info("history", [])


class QuietRunner(Runner):
    """A Runner whose log goes to its file alone; the terminal belongs to the command."""

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        logger = super().build_logger(*args, **kwargs)
        logger.handlers = [h for h in logger.handlers if isinstance(h, logging.FileHandler)]
        return logger
