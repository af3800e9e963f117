"""Train an estimator on joints placed by hand, with mmpose's models and losses on mmengine's Runner."""

from __future__ import annotations

import gc
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from annotate.agreement import oks_ap, pckh, pckh_by_joint
from annotate.crop import crop, iou, to_frame, whole_frame
from annotate.estimators import mmpose as estimators
from annotate.estimators.base import Estimator
from annotate.estimators.presets import Network, resolve, trained_folder
from annotate.locate import POINTS, boxes_of
from annotate.samples import FEWEST_CLIPS, FEWEST_FRAMES, PoseFrames, Sample, draw_weights, hand_placed, hold_out
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.progress import console
from finediving_pose.skeleton import JOINTS, N_JOINTS
from finediving_pose.workspace import Workspace, atomic_write, remove_part_files

CONFIGS = {"pose": "diver_pose.py", "locator": "diver_box.py"}
OUTPUTS = {"pose": N_JOINTS, "locator": len(POINTS)}
STEPS: dict[Network, int] = {"locator": 800, "pose": 1500}
"""Batches at most, where the command line says nothing; in the order in which they are trained."""
QUALITY = {"pose": "pckh", "locator": "iou"}
"""The figure of :func:`measure` that training watches."""
STEPS_PER_EPOCH = 100
LEARNED = (0.8, 1.0)
"""Shares of what was learned in the weights that are written, the rest being those that training started from: a
network that learned from a few frames still knows the thousands before. Wortsman et al., "Robust fine-tuning of
zero-shot models", arXiv 2109.01903."""
CARRIED = (
    *("model", "pipeline", "train_pipeline", "boxes", "all_round", "sizes"),
    *("batch_size", "learning_rate", "weight_decay"),
)
"""What of a configuration a checkpoint carries."""
MEASURED, WATCHED = 1500, 200
"""At most this many held-out frames are measured before and after training, and after every epoch; evenly spread."""


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
    batch : samples a step; None for what the configuration says, which suits a processor
    quick : what is written looks at every crop once, not from all sides and in several sizes
    turn : samples are turned at random by up to so many degrees; None for what the configuration says, any angle
    """

    name: str
    network: Network = "pose"
    start: str | None = None
    steps: int = 1000
    seed: int = 0
    batch: int | None = None
    quick: bool = False
    turn: float | None = None

    @property
    def command(self) -> str:
        """The command line that repeats this training."""
        start = f"--estimator {self.start}" if self.start else "--from-scratch"
        options = (f" --batch {self.batch}" if self.batch else "") + (" --quick" if self.quick else "")
        options += f" --turn {self.turn:g}" if self.turn is not None else ""
        return (
            f"fdpose annotate --finetune --network {self.network} --name {self.name} {start}"
            f" --steps {self.steps} --seed {self.seed}{options}"
        )


def finetune(
    workspace: Workspace, clips: Sequence[Clip], training: Training, *, device: str = "cpu", bf16: bool = False
) -> dict[str, Any]:
    """Train on the merged poses of ``clips`` and write ``estimators/<name>/<network>.pth``.

    The weights written are those that did best on the held-out clips; training ends early when
    nothing is gained any more. Of few clips or frames nothing is held out (:func:`annotate.samples.hold_out`),
    and the last weights are written.
    A training that was stopped goes on from its last hundred steps when the same is asked again.

    Returns
    -------
    Summary with ``checkpoint``, ``frames``, ``held_out`` (how many frames) and the figures of :func:`measure`
    ``before`` (None from scratch) and ``after``; None where nothing was held out.

    Raises
    ------
    PoseError
        No clip has joints placed by hand.
    UsageError
        ``training.start`` names no estimator.
    """
    synthetic = {c.key for c in clips if c.source == "synthetic"}
    train, held = hold_out(hand_placed(workspace, clips), training.seed, synthetic)
    held = held[:: max(1, len(held) // MEASURED)]
    config, weights = _start(workspace, training)
    target = trained_folder(workspace, training.name) / f"{training.network}.pth"

    def figures(config: dict[str, Any], state: Mapping[str, Any]) -> dict[str, Any] | None:
        return measure(_estimator(config, state, training, device, bf16), held, training.network) if held else None

    before = figures(config, weights) if weights is not None else None
    work = _work_folder(target, config, training, train)
    state = _train(config, weights, (train, held), synthetic, training, work, device, bf16)
    choices = _choices(config, weights, state, training)
    config, state, after = _best(choices, figures, training.network)
    summary = {"frames": len(train), "held_out": len(held), "before": before, "after": after}
    write_checkpoint(target, config, state, {"training": asdict(training), "command": training.command} | summary)
    shutil.rmtree(work, ignore_errors=True)
    return {"checkpoint": target} | summary


def measure(estimator: Estimator, held: Sequence[Sample], network: Network) -> dict[str, Any]:
    """How good a network is, frame by frame.

    Returns
    -------
    Of the joints, in the true box: ``pckh``, ``oks_ap`` and ``by_joint`` (PCKh@0.5 of each); of the
    locator ``iou``, mean of its boxes with the true ones, and ``iou_over_half``, the share of them from 0.5 on.
    """
    found, sure = [], []
    for i in range(0, len(held), 64):
        part = held[i : i + 64]
        pictures = [s.frames.read(s.number) for s in part]
        whole = [whole_frame(p.shape[1], p.shape[0]) for p in pictures]
        box = np.stack([s.box for s in part]) if network == "pose" else np.concatenate(whole)
        fractions, confidence = estimator.estimate(crop(pictures, box, estimator))
        found.append(to_frame(fractions, box, estimator))
        sure.append(confidence)
    points, confidence = np.concatenate(found), np.concatenate(sure)
    if network == "locator":
        boxes, _ = boxes_of(points, confidence)
        overlap = iou(boxes, np.stack([s.together for s in held]))
        return {"iou": _round(overlap.mean()), "iou_over_half": _round((overlap >= 0.5).mean())}
    truth = np.stack([np.where(s.known[:, None], s.keypoints, np.nan) for s in held])
    joints = pckh_by_joint(points, truth)
    return {
        "pckh": _round(pckh(points, truth)),
        "oks_ap": _round(oks_ap(points, truth, confidence.mean(1))),
        "by_joint": {name: _round(share) for name, share in zip(JOINTS, joints, strict=True)},
    }


def _round(share: float | np.floating) -> float:
    return round(float(share), 4)


def in_words(summaries: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What :func:`finetune` returned for each network, as lines for people: figures before -> after."""
    lines = {}
    for network, s in summaries.items():
        lines[network] = str(s["checkpoint"])
        lines[f"{network} learned from"] = f"{s['frames']} frames, {s['held_out']} frames held out"
        before, after = s["before"] or {}, s["after"] or {}
        figures = {
            "PCKh@0.5": "pckh",
            "OKS AP": "oks_ap",
            "mean IoU of boxes": "iou",
            "boxes with IoU >= 0.5": "iou_over_half",
        }
        lines |= {name: _change(before.get(k), after[k]) for name, k in figures.items() if k in after}
        old = before.get("by_joint", {})
        lines |= {j.replace("_", " "): _change(old.get(j), v) for j, v in after.get("by_joint", {}).items()}
        if not s["held_out"]:
            lines[f"{network} figures"] = (
                f"none: with fewer than {FEWEST_CLIPS} clips, or {FEWEST_FRAMES} frames in a tenth of them, nothing is"
                " held out; fdpose annotate --evaluate"
            )
    return lines


def _change(before: float | None, after: float) -> str:
    return f"{after:.3f}" if before is None else f"{before:.3f} -> {after:.3f}"


def write_checkpoint(target: Path, config: Mapping[str, Any], state: Mapping[str, Any], meta: dict[str, Any]) -> None:
    """Write weights (floating point ones as fp16) and what is needed to use them again, whole or not at all."""
    import torch

    plain = {k: v.half() if torch.is_floating_point(v) else v for k, v in state.items()}
    kept = {k: config[k] for k in CARRIED if k in config}
    remove_part_files(target)
    with atomic_write(target) as part:
        torch.save({"meta": meta | {"config": json.dumps(kept)}, "state_dict": plain}, part)


def _estimator(
    config: dict[str, Any], weights: Mapping[str, Any], training: Training, device: str, bf16: bool
) -> Estimator:
    outputs = OUTPUTS[training.network]
    return estimators.MMPoseEstimator(config, weights, id=training.name, device=device, bf16=bf16, outputs=outputs)


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
    samples: tuple[Sequence[Sample], Sequence[Sample]],
    synthetic: set[ClipKey],
    training: Training,
    work: Path,
    device: str,
    bf16: bool,
) -> Mapping[str, Any]:
    """Run the training on the first of ``samples``; the averaged weights that are best on the second."""
    import torch
    from mmengine.hooks import EMAHook
    from mmengine.logging import MMLogger

    from annotate.training_loop import AutocastOptimWrapper, BestHook, DeviceRunner, ProgressHook, UnstackHook, batches

    if not MMLogger.check_instance_created("fdpose"):
        MMLogger.get_instance("fdpose", log_level="ERROR")  # mmengine logs every layer it initialises
    train, held = samples
    watched = held[:: max(1, len(held) // WATCHED)]

    def quality(state: Mapping[str, Any]) -> float:
        estimator = _estimator(config, state, training, device, bf16)
        return measure(estimator, watched, training.network)[QUALITY[training.network]]

    model = _model(config, weights, training)
    epochs, batch = -(-training.steps // STEPS_PER_EPOCH), training.batch or config["batch_size"]
    data = PoseFrames(train, _turned(config["train_pipeline"], training.turn), config["boxes"])
    average = EMAHook("ExpMomentumEMA", momentum=0.002, gamma=500, update_buffers=True)
    best = BestHook(average, quality if watched else None, work / "best.pth")
    optimizer = torch.optim.AdamW(model.parameters(), config["learning_rate"], weight_decay=config["weight_decay"])
    hooks: dict[str, Any] = {
        "logger": None,
        "checkpoint": {"type": "CheckpointHook", "interval": 1, "max_keep_ckpts": 1},
    }
    weight = draw_weights(train, synthetic)
    runner = DeviceRunner(
        device=device,
        model=model,
        work_dir=str(work),
        train_dataloader=batches(data, weight, batch, STEPS_PER_EPOCH, training.seed),
        train_cfg={"by_epoch": True, "max_epochs": epochs},
        optim_wrapper=AutocastOptimWrapper(
            optimizer=optimizer, device=device, enabled=bf16, clip_grad={"max_norm": 5.0}
        ),
        param_scheduler=_schedule(epochs),
        default_hooks=hooks,
        custom_hooks=[UnstackHook(), average, ProgressHook(f"training {training.network}", batch), best],
        resume=(work / "last_checkpoint").is_file(),
        log_level="ERROR",
        randomness={"seed": training.seed},
        experiment_name=f"{training.name}-{training.network}-{time.time_ns()}",
        default_scope="mmpose",
    )
    console.print(f"training {training.network}: {len(train)} frames, {epochs * STEPS_PER_EPOCH} steps at most")
    runner.train()
    state = best.state
    del runner
    gc.collect()  # the processes that read samples end here, and not in those that a next training starts
    return state


Choice = tuple[dict[str, Any], Mapping[str, Any]]


def _choices(
    config: dict[str, Any], start: Mapping[str, Any] | None, end: Mapping[str, Any], training: Training
) -> list[Choice]:
    """Configurations and weights that the training may end with, the one to take in doubt first."""
    mixed = [_mixed(start, end, share) for share in LEARNED] if start is not None else [end]
    looks: list[dict[str, Any]] = [{"all_round": False, "sizes": None}]
    if training.network == "pose" and not training.quick and estimators.turns_onto_itself(config):
        looks = [{"all_round": True, "sizes": sizes} for sizes in (estimators.sizes_of(config), None)] + looks
    return [(config | look, state) for look in looks for state in mixed]


def _best(
    choices: Sequence[Choice], figures: Callable[..., dict[str, Any] | None], network: Network
) -> tuple[dict[str, Any], Mapping[str, Any], dict[str, Any] | None]:
    """The choice that does best on the held-out clips, and how well; the first where nothing is held out."""
    measured = [figures(*choice) for choice in choices]
    best = max(range(len(choices)), key=lambda i: (measured[i] or {}).get(QUALITY[network], 0.0))
    return *choices[best], measured[best]


def _mixed(start: Mapping[str, Any], end: Mapping[str, Any], share: float) -> dict[str, Any]:
    """Weights that are ``share`` of ``end`` and for the rest ``start``; counters are those of ``end``."""
    import torch

    return {
        k: torch.lerp(start[k].float(), v.float().cpu(), share) if torch.is_floating_point(v) else v
        for k, v in end.items()
    }


def _model(config: dict[str, Any], weights: Mapping[str, Any] | None, training: Training) -> Any:
    """The network, with weights to start from."""
    import torch

    torch.manual_seed(training.seed)
    model = estimators.build_model(config["model"], OUTPUTS[training.network])
    model.init_weights()  # also marks it as done: the Runner initialises once more what is not marked
    if weights is not None:
        estimators.load_weights(model, weights, training.name)
    return model.to(memory_format=torch.channels_last)


def _turned(pipeline: list[dict[str, Any]], turn: float | None) -> list[dict[str, Any]]:
    """The pipeline with samples turned by up to ``turn`` degrees; where it is None, as it is."""
    if turn is None:
        return pipeline
    return [step | {"rotate_factor": turn} if "rotate_factor" in step else step for step in pipeline]


def _schedule(epochs: int) -> list[dict[str, Any]]:
    """Linear warm-up over the first twentieth, then half a cosine down to nothing."""
    steps = epochs * STEPS_PER_EPOCH
    warm = max(1, steps // 20)
    return [
        {"type": "LinearLR", "start_factor": 0.01, "by_epoch": False, "end": warm},
        {"type": "CosineAnnealingLR", "by_epoch": False, "begin": warm, "end": steps, "T_max": steps - warm},
    ]
