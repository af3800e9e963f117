"""Train a method's network through mmengine's Runner."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.model import BaseModel, MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import Tensor, nn
from torch.utils.data import DataLoader

from baselines.data.batch import Batch
from baselines.data.order import AlikeTogether
from baselines.data.pairs import TrainingPairs, collate_clips, collate_pairs
from baselines.method import DirectNetwork, Method
from baselines.training import processes
from baselines.training.hooks import BeginEpoch, EpochHistory, ExpectedTime, Seeds
from baselines.training.loop import StoppableEpochs
from baselines.training.settings import Training
from baselines.training.stopping import leave_to_parent
from baselines.training.tracking import backends
from finediving_pose.errors import FdposeError, Stopped
from finediving_pose.resuming import ResumableRunner, WholeCheckpoints

if TYPE_CHECKING:
    from baselines.runs.config import RunConfig


class Trainable(BaseModel):
    """What mmengine's Runner trains: a method's network, given each batch as a :class:`~baselines.data.batch.Batch`."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, mode: str = "loss", **batch: Any) -> dict[str, Tensor]:
        """Losses of a batch; ``mode`` is always ``loss``."""
        losses = cast(DirectNetwork, self.network).loss(Batch(**batch))
        wrong = [name for name in losses if not name.endswith("loss")]
        if wrong or not losses:
            raise FdposeError(
                f"loss() of the network gives {', '.join(wrong) or 'nothing'}; expected names that end in loss, such as"
                " score_loss: see docs/own-model.md"
            )
        return losses


def train(
    network: nn.Module,
    method: Method,
    pairs: TrainingPairs,
    config: RunConfig,
    folder: Path,
    hooks: Sequence[Hook] = (),
    resume: Path | None = None,
) -> ResumableRunner:
    """Train ``network`` in place; the Runner's message hub has the ``history``, one entry an epoch.

    Parameters
    ----------
    resume : the checkpoint to go on from, see :func:`finediving_pose.resuming.last_checkpoint`

    Raises
    ------
    CheckpointError
        ``resume`` is of another training.
    Stopped
        A scheduler asked for it; there is a checkpoint after the last step, see :mod:`baselines.training.loop`.
    """
    how = config.training
    if how.channels_last:
        for module in network.modules():
            if isinstance(module, nn.Conv3d):
                module.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    if how.compile:
        for name in method.compiles:
            network.get_submodule(name).compile()
    runner = QuietRunner(
        model=Trainable(network),
        work_dir=str(folder),
        train_dataloader=make_loader(pairs, how, config.seed, method.comparative),
        train_cfg={"type": StoppableEpochs.__name__, "max_epochs": how.epochs},
        optim_wrapper=config.optimiser.wrapper(how),
        param_scheduler=config.optimiser.scheduler(how.epochs),
        default_hooks={
            "checkpoint": WholeCheckpoints(),
            "logger": {"type": "LoggerHook", "interval": 10},
        },
        custom_hooks=[Seeds(pairs, config.seed), BeginEpoch(), EpochHistory(), ExpectedTime(), *hooks],
        visualizer={"type": "Visualizer", "vis_backends": backends(config.tracking, folder, _name_of(folder))},
        # on GPUs some operations used here have no deterministic form, and asking for it would be an error
        randomness={"seed": config.seed, "deterministic": not torch.cuda.is_available()},
        load_from=str(resume) if resume else None,
        resume=resume is not None,
        launcher="pytorch" if processes.count() > 1 else "none",
        default_scope="mmengine",
        experiment_name=_name_of(folder),
        cfg=Config(asdict(config)),
    )
    with redirect_stdout(sys.stderr):  # the Runner prints; standard output is the command's result
        try:
            runner.train()
        except FdposeError as e:
            raise _without_traceback(e) from e
        except Stopped:
            runner.visualizer.close()  # what is not written yet would be lost
            raise
    return runner


def _without_traceback(e: FdposeError) -> FdposeError:
    """What a data worker raised, in one line; torch puts the worker's traceback into the message."""
    if "\nOriginal Traceback" not in str(e):
        return e
    return type(e)(str(e).rstrip().splitlines()[-1].partition(": ")[2])


def make_loader(pairs: TrainingPairs, how: Training, seed: int, comparative: bool = True) -> DataLoader:
    """Batches of pairs, or of clips alone, in an order that follows from the seed and the epoch.

    Workers start anew in every epoch, because they have to know which one it is.
    """
    workers = min(how.workers, os.cpu_count() or 1)
    pairwise = partial(collate_pairs, every_pair=how.every_pair, share_clips=how.share_clips)
    return DataLoader(
        pairs,
        batch_size=how.part,
        sampler=AlikeTogether(pairs, how.alike, seed),
        collate_fn=pairwise if comparative else collate_clips,
        num_workers=workers,
        worker_init_fn=leave_to_parent,
        pin_memory=torch.cuda.is_available(),
    )


@OPTIM_WRAPPERS.register_module()
class Bf16OptimWrapper(OptimWrapper):
    """Forward passes under autocast to bfloat16, on any device. Its range is float32's: no loss scaling is needed."""

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield


def _name_of(folder: Path) -> str:
    """A name that no other run has: runs of one name, begun in one second of one process, share their history."""
    return f"{folder.name}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"


class QuietRunner(ResumableRunner):
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
        unused = bool(self.cfg.get("without"))  # what is left out may leave parameters without gradient
        return MMDistributedDataParallel(
            module=model.to("cuda" if on_gpu else "cpu"),
            device_ids=here,
            forward_sync_buffers=False,
            find_unused_parameters=unused,
        )
