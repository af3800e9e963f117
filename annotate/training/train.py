"""Train one network on labelled frames, with mmpose's models and losses on mmengine's Runner."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotate.estimators.checkpoint import load_weights
from annotate.estimators.mmpose import MMPoseEstimator, build_model, from_checkpoint
from annotate.estimators.presets import DEFAULT, resolve
from annotate.training.batches import Samples, batches
from annotate.training.labelled_frames import LabelledFrame
from annotate.training.measure import QUALITY, measure
from annotate.training.plan import OUTPUTS, FinetunePlan
from finediving_pose.memory import keep_memory
from finediving_pose.parallel import default_jobs
from finediving_pose.progress import console
from finediving_pose.workspace import Workspace

STEPS_PER_EPOCH = 100
WATCHED = 200
"""At most this many held-out frames, evenly spread, are measured after every epoch."""


@dataclass(frozen=True, slots=True)
class Computing:
    """Where networks compute: on a device as torch names it, in bfloat16 or not."""

    device: str = "cpu"
    bf16: bool = False


def train_network(
    config: dict[str, Any],
    weights: Mapping[str, Any] | None,
    samples: Samples,
    held: Sequence[LabelledFrame],
    plan: FinetunePlan,
    work: Path,
    on: Computing,
) -> Mapping[str, Any]:
    """Train on ``samples``; returns the averaged weights that are best on the ``held`` frames, or the last ones.

    Parameters
    ----------
    config : configuration of the network, with ``batch_size``, ``learning_rate`` and ``weight_decay``
    weights : state dict to start from; None for random weights
    work : folder of the unfinished training; training continues from what is in it
    """
    import torch
    from mmengine.hooks import EMAHook
    from mmengine.logging import MMLogger

    from annotate.training.runner import AutocastOptimWrapper, BestHook, DeviceRunner, ProgressHook, UnstackHook
    from finediving_pose.resuming import WholeCheckpoints, last_checkpoint

    if not MMLogger.check_instance_created("fdpose"):
        MMLogger.get_instance("fdpose", log_level="ERROR")  # mmengine logs every layer it initialises
    watched = held[:: max(1, len(held) // WATCHED)]

    def quality(state: Mapping[str, Any]) -> float:
        estimator = estimator_of(config, state, plan, on)
        return measure(estimator, watched, plan.network)[QUALITY[plan.network]]

    model = _model(config, weights, plan)
    epochs, batch = -(-plan.steps // STEPS_PER_EPOCH), plan.batch or config["batch_size"]
    average = EMAHook("ExpMomentumEMA", momentum=0.002, gamma=500, update_buffers=True, strict_load=True)
    best = BestHook(average, quality if watched else None, work / "best.pth")
    optimizer = torch.optim.AdamW(model.parameters(), config["learning_rate"], weight_decay=config["weight_decay"])
    hooks: dict[str, Any] = {
        "logger": None,
        "checkpoint": WholeCheckpoints(),
    }
    begun = last_checkpoint(work)
    runner = DeviceRunner(
        device=on.device,
        model=model,
        work_dir=str(work),
        train_dataloader=batches(samples, batch, STEPS_PER_EPOCH, plan.seed),
        train_cfg={"by_epoch": True, "max_epochs": epochs},
        optim_wrapper=AutocastOptimWrapper(
            optimizer=optimizer, device=on.device, enabled=on.bf16, clip_grad={"max_norm": 5.0}
        ),
        param_scheduler=_schedule(epochs),
        default_hooks=hooks,
        custom_hooks=[UnstackHook(), average, ProgressHook(f"training {plan.network}", batch), best],
        load_from=str(begun) if begun else None,
        resume=begun is not None,
        log_level="ERROR",
        randomness={"seed": plan.seed},
        experiment_name=f"{plan.name}-{plan.network}-{time.time_ns()}",
        default_scope="mmpose",
    )
    console.print(f"training {plan.network}: {samples.words}, {epochs * STEPS_PER_EPOCH} steps at most")
    keep_memory()
    if on.device == "cpu":
        torch.set_num_threads(_threads(torch.get_num_threads()))
    runner.train()
    state = best.state
    del runner
    gc.collect()  # the processes that prepare frames end here, and not in those that the next training starts
    return state


def _threads(usual: int) -> int:
    """One core is left to the processes that prepare frames: threads wait for each other at every layer, so one that
    shares its core holds up all (``docs/experiments/speed.md``).
    """
    return max(1, min(usual, default_jobs() - 1))


def estimator_of(
    config: dict[str, Any], weights: Mapping[str, Any], plan: FinetunePlan, on: Computing
) -> MMPoseEstimator:
    """The network of a training as an estimator, to be measured."""
    outputs = OUTPUTS[plan.network]
    return MMPoseEstimator(config, weights, id=plan.name, device=on.device, bf16=on.bf16, outputs=outputs)


def figures_of(
    config: dict[str, Any],
    weights: Mapping[str, Any],
    held: Sequence[LabelledFrame],
    plan: FinetunePlan,
    on: Computing,
    thorough: bool = False,
) -> dict[str, Any] | None:
    """Figures of the network of a training on held-out frames, in one look or all of them; None without any."""
    if not held:
        return None
    estimator = estimator_of(config, weights, plan, on)
    return measure(estimator.thorough if thorough else estimator, held, plan.network)


def locator_of(workspace: Workspace, plan: FinetunePlan, target: Path, on: Computing) -> MMPoseEstimator:
    """The locator beside the checkpoint ``target`` that a training writes, or that of the estimator it starts from."""
    own = target.with_name("locator.pth")
    path = own if own.is_file() else resolve(plan.start or DEFAULT, workspace).locator
    return from_checkpoint(path, device=on.device, bf16=on.bf16, outputs=OUTPUTS["locator"])


def _model(config: dict[str, Any], weights: Mapping[str, Any] | None, plan: FinetunePlan) -> Any:
    """The network, with weights to start from."""
    import torch

    torch.manual_seed(plan.seed)
    model = build_model(config["model"], OUTPUTS[plan.network])
    model.init_weights()  # also marks it as done: the Runner initialises once more what is not marked
    if weights is not None:
        load_weights(model, weights, plan.name)
    return model.to(memory_format=torch.channels_last)


def _schedule(epochs: int) -> list[dict[str, Any]]:
    """Linear warm-up over the first twentieth, then half a cosine down to nothing."""
    steps = max(2, epochs * STEPS_PER_EPOCH)
    warm = max(1, steps // 20)
    return [
        {"type": "LinearLR", "start_factor": 0.01, "by_epoch": False, "end": warm},
        {"type": "CosineAnnealingLR", "by_epoch": False, "begin": warm, "end": steps, "T_max": steps - warm},
    ]
