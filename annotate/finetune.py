"""Train an estimator on joints placed by hand, with mmpose's models and losses on mmengine's Runner."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from annotate.agreement import pckh
from annotate.crop import crop, iou, to_frame, whole_frame
from annotate.estimators import mmpose as estimators
from annotate.estimators.base import Estimator
from annotate.estimators.presets import Network, resolve, trained_folder
from annotate.locate import POINTS, boxes_of
from annotate.samples import PoseFrames, Sample, hand_placed, hold_out
from finediving_pose.clip import Clip
from finediving_pose.progress import console
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.workspace import Workspace, atomic_write, remove_part_files

CONFIGS = {"pose": "diver_pose.py", "locator": "diver_box.py"}
OUTPUTS = {"pose": N_JOINTS, "locator": len(POINTS)}
STEPS_PER_EPOCH = 100
MEASURED = 1500
"""At most this many held-out frames are measured, evenly spread."""


@dataclass(frozen=True, slots=True)
class Training:
    """What to train and how; everything that decides the outcome, apart from the data.

    Attributes
    ----------
    name : folder under ``estimators/`` of the data directory
    network : ``pose`` (joints in a crop) or ``locator`` (the diver in the frame)
    start : estimator whose weights training starts from; None for random weights
    steps : batches to train on, rounded up to whole hundreds
    seed : of the hold-out, the weights and the order of the samples
    """

    name: str
    network: Network = "pose"
    start: str | None = None
    steps: int = 1000
    seed: int = 0

    @property
    def command(self) -> str:
        """The command line that repeats this training."""
        start = f"--estimator {self.start}" if self.start else "--from-scratch"
        return (
            f"fdpose annotate --finetune --network {self.network} --name {self.name} {start}"
            f" --steps {self.steps} --seed {self.seed}"
        )


def finetune(
    workspace: Workspace, clips: Sequence[Clip], training: Training, *, device: str = "cpu", bf16: bool = False
) -> dict[str, Any]:
    """Train on the merged poses of ``clips`` and write ``estimators/<name>/<network>.pth``.

    A training that was stopped goes on from its last hundred steps when the same is asked again.

    Returns
    -------
    Summary with ``checkpoint``, ``frames``, ``held_out`` and the figures before (None from scratch) and after.

    Raises
    ------
    PoseError
        Too few clips have joints placed by hand.
    UsageError
        ``training.start`` names no estimator.
    """
    train, held = hold_out(hand_placed(workspace, clips), training.seed)
    held = held[:: max(1, len(held) // MEASURED)]
    config, weights = _start(workspace, training)
    target = trained_folder(workspace, training.name) / f"{training.network}.pth"
    before = None
    if weights is not None:
        before = measure(_estimator(config, weights, training, device), held, training)
    work = _work_folder(target, config, training, train)
    state = _train(config, weights, train, training, work, device, bf16)
    after = measure(_estimator(config, state, training, device), held, training)
    summary = {"frames": len(train), "held_out": len(held), "before": before, "after": after}
    write_checkpoint(target, config, state, {"training": asdict(training), "command": training.command} | summary)
    shutil.rmtree(work, ignore_errors=True)
    return {"checkpoint": target} | summary


def measure(estimator: Estimator, held: Sequence[Sample], training: Training) -> dict[str, float]:
    """PCKh@0.5 of the joints in the true box; of a locator the share of boxes with IoU >= 0.5, frame by frame."""
    found, sure = [], []
    for i in range(0, len(held), 64):
        part = held[i : i + 64]
        pictures = [s.frames.read(s.number) for s in part]
        whole = [whole_frame(p.shape[1], p.shape[0]) for p in pictures]
        box = np.stack([s.box for s in part]) if training.network == "pose" else np.concatenate(whole)
        fractions, confidence = estimator.estimate(crop(pictures, box, estimator))
        found.append(to_frame(fractions, box, estimator))
        sure.append(confidence)
    if training.network == "locator":
        boxes, _ = boxes_of(np.concatenate(found), np.concatenate(sure))
        overlap = iou(boxes, np.stack([s.box for s in held]))
        return {"iou_over_half": round(float((overlap >= 0.5).mean()), 4)}
    truth = np.stack([np.where(s.known[:, None], s.keypoints, np.nan) for s in held])
    return {"pckh": round(pckh(np.concatenate(found), truth), 4)}


def write_checkpoint(target: Path, config: Mapping[str, Any], state: Mapping[str, Any], meta: dict[str, Any]) -> None:
    """Write weights (floating point ones as fp16) and what is needed to use them again, whole or not at all."""
    import torch

    plain = {k: v.half() if torch.is_floating_point(v) else v for k, v in state.items()}
    kept = {k: config[k] for k in ("model", "pipeline", "train_pipeline", "boxes", "batch_size") if k in config}
    kept |= {k: config[k] for k in ("learning_rate", "weight_decay") if k in config}
    remove_part_files(target)
    with atomic_write(target) as part:
        torch.save({"meta": meta | {"config": json.dumps(kept)}, "state_dict": plain}, part)


def _estimator(config: dict[str, Any], weights: Mapping[str, Any], training: Training, device: str) -> Estimator:
    outputs = OUTPUTS[training.network]
    return estimators.MMPoseEstimator(config, weights, id=training.name, device=device, outputs=outputs)


def _start(workspace: Workspace, training: Training) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Configuration, and weights to start from."""
    if training.start is None:
        return estimators.read_config(Path(__file__).parent / "configs" / CONFIGS[training.network]), None
    checkpoint = estimators.read_checkpoint(getattr(resolve(training.start, workspace), training.network))
    return json.loads(checkpoint["meta"]["config"]), checkpoint["state_dict"]


def _work_folder(target: Path, config: Mapping[str, Any], training: Training, train: Sequence[Sample]) -> Path:
    """Where the unfinished training keeps its state; named after all that decides it, so that only the same goes on."""
    facts = json.dumps([config, asdict(training), [(str(s.frames.key), s.number) for s in train]])
    return target.parent / f".{target.stem}-{hashlib.sha256(facts.encode()).hexdigest()[:12]}"


def _train(
    config: dict[str, Any],
    weights: Mapping[str, Any] | None,
    train: Sequence[Sample],
    training: Training,
    work: Path,
    device: str,
    bf16: bool,
) -> dict[str, Any]:
    """Run the training; returns the averaged weights."""
    import torch
    from mmengine.hooks import EMAHook
    from mmengine.logging import MMLogger
    from mmengine.runner import Runner

    from annotate.training_loop import AutocastOptimWrapper, ProgressHook, batches

    if not MMLogger.check_instance_created("fdpose"):
        MMLogger.get_instance("fdpose", log_level="ERROR")  # mmengine logs every layer it initialises
    torch.manual_seed(training.seed)
    model = estimators.build_model(config["model"], OUTPUTS[training.network])
    model.init_weights()  # also marks it as done: the Runner initialises once more what is not marked
    if weights is not None:
        estimators.load_weights(model, weights, training.name)
    model.to(memory_format=torch.channels_last)
    epochs = -(-training.steps // STEPS_PER_EPOCH)
    data = PoseFrames(train, config["train_pipeline"], config["boxes"])
    average = EMAHook("ExpMomentumEMA", momentum=0.002, gamma=500, update_buffers=True)
    optimizer = torch.optim.AdamW(model.parameters(), config["learning_rate"], weight_decay=config["weight_decay"])
    hooks: dict[str, Any] = {
        "logger": None,
        "checkpoint": {"type": "CheckpointHook", "interval": 1, "max_keep_ckpts": 1},
    }
    runner = Runner(
        model=model,
        work_dir=str(work),
        train_dataloader=batches(data, config["batch_size"], STEPS_PER_EPOCH, training.seed),
        train_cfg={"by_epoch": True, "max_epochs": epochs},
        optim_wrapper=AutocastOptimWrapper(
            optimizer=optimizer, device=device, enabled=bf16, clip_grad={"max_norm": 5.0}
        ),
        param_scheduler=_schedule(epochs),
        default_hooks=hooks,
        custom_hooks=[average, ProgressHook(f"training {training.network}", config["batch_size"])],
        resume=(work / "last_checkpoint").is_file(),
        log_level="ERROR",
        randomness={"seed": training.seed},
        experiment_name=f"{training.name}-{training.network}-{time.time_ns()}",
        default_scope="mmpose",
    )
    console.print(f"training {training.network}: {len(train)} frames, {epochs * STEPS_PER_EPOCH} steps")
    runner.train()
    return average.ema_model.module.state_dict()


def _schedule(epochs: int) -> list[dict[str, Any]]:
    """Linear warm-up over the first twentieth, then half a cosine down to nothing."""
    steps = epochs * STEPS_PER_EPOCH
    warm = max(1, steps // 20)
    return [
        {"type": "LinearLR", "start_factor": 0.01, "by_epoch": False, "end": warm},
        {"type": "CosineAnnealingLR", "by_epoch": False, "begin": warm, "end": steps, "T_max": steps - warm},
    ]
