"""Train an estimator on joints placed by hand: from the merged poses of a data directory to a checkpoint in it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from annotate.estimators.checkpoint import write_checkpoint
from annotate.estimators.config import CONFIGS, read_config
from annotate.estimators.presets import listed, resolve, trained_folder
from annotate.estimators.stored import check_trainable
from annotate.training.candidates import best_of, candidates
from annotate.training.labelled_frames import LabelledFrame, hold_out, read_labelled_frames
from annotate.training.measure import measure
from annotate.training.plan import FinetunePlan
from annotate.training.train import estimator_of, train_network
from finediving_pose.clip import Clip
from finediving_pose.errors import UsageError
from finediving_pose.progress import tell
from finediving_pose.workspace import Workspace
from finediving_pose.writing import writing

NETWORK_CONFIGS = {"pose": CONFIGS / "diver_pose.py", "locator": CONFIGS / "diver_box.py"}
"""Configurations of networks that start from random weights."""
COMMAND = "fdpose finetune"
MEASURED = 1500
"""At most this many held-out frames, evenly spread, are measured before and after training."""


def finetune(
    workspace: Workspace, clips: Sequence[Clip], plan: FinetunePlan, *, device: str = "cpu", bf16: bool = False
) -> dict[str, Any]:
    """Train on the merged poses of ``clips`` and write ``estimators/<name>/<network>.pth``.

    The weights written are those with the best figures on the held-out clips; training ends early when it gains
    nothing any more. Where there are few clips or frames nothing is held out
    (:func:`annotate.training.labelled_frames.hold_out`), and the last weights are written.
    A training that was stopped continues from its last hundred steps when it is called again with the same arguments,
    on the same joints and starting weights.

    Returns
    -------
    Summary with ``checkpoint``, ``frames``, ``held_out`` (how many frames) and the figures of
    :func:`annotate.training.measure.measure` ``before`` (None from scratch) and ``after``; None where nothing was held
    out.

    Raises
    ------
    PoseError
        No clip has joints placed by hand, or the estimator to start from can't be trained.
    UsageError
        ``plan.start`` names no estimator, or ``plan.name`` is that of a bundled or published one.
    BusyError
        Another training writes the same network, or another command the frames or the merged poses.
    """
    if plan.name in listed():
        raise UsageError(f"--name {plan.name} is the name of an estimator of fdpose's own; choose another")
    target = trained_folder(workspace, plan.name) / f"{plan.network}.pth"
    with writing(COMMAND, [target], [workspace.frames]):
        return _finetune(workspace, clips, plan, target, device, bf16)


def _finetune(
    workspace: Workspace, clips: Sequence[Clip], plan: FinetunePlan, target: Path, device: str, bf16: bool
) -> dict[str, Any]:
    synthetic = {c.key for c in clips if c.source == "synthetic"}
    with writing(COMMAND, reads=[workspace.poses / "merged"]):
        labelled = read_labelled_frames(workspace, clips)
    train, held = hold_out(labelled, plan.seed, synthetic)
    held = held[:: max(1, len(held) // MEASURED)]
    config, weights = _start(workspace, plan)
    check_trainable(config, plan.start or plan.network)

    def figures(config: dict[str, Any], state: Mapping[str, Any]) -> dict[str, Any] | None:
        return measure(estimator_of(config, state, plan, device, bf16), held, plan.network) if held else None

    before = figures(config, weights) if weights is not None else None
    work = _work_folder(target, config, weights, plan, [*train, *held])
    state = train_network(config, weights, (train, held), synthetic, plan, work, device, bf16)
    config, state, after = best_of(candidates(config, weights, state, plan), figures, plan.network)
    summary = {"frames": len(train), "held_out": len(held), "before": before, "after": after}
    write_checkpoint(target, config, state, {"training": asdict(plan), "command": plan.command} | summary)
    shutil.rmtree(work, ignore_errors=True)
    return {"checkpoint": target} | summary


def _start(workspace: Workspace, plan: FinetunePlan) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Configuration, and weights to start from."""
    if plan.start is None:
        return read_config(NETWORK_CONFIGS[plan.network]), None
    return resolve(plan.start, workspace).read(plan.network)


def _work_folder(
    target: Path,
    config: Mapping[str, Any],
    weights: Mapping[str, Any] | None,
    plan: FinetunePlan,
    frames: Sequence[LabelledFrame],
) -> Path:
    """Where an unfinished training keeps its state; its name follows from all that decides the outcome.

    That is the configuration and the plan, the weights it starts from, and the joints that it learns and is measured
    by. A training that was stopped before one of them changed is told of and left alone.
    """
    digest = hashlib.sha256(json.dumps([config, asdict(plan)]).encode())
    for frame in frames:
        digest.update(f"{frame.folder.key} {frame.number}".encode())
        for values in (frame.keypoints, frame.known, frame.box, frame.together, frame.way):
            digest.update(values.tobytes())
    for name, tensor in (weights or {}).items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    work = target.parent / f".{target.stem}-{digest.hexdigest()[:16]}"
    others = [p for p in target.parent.glob(f".{target.stem}-*") if p.is_dir() and p != work]
    if others and not work.is_dir():
        tell(
            f"training {plan.network} afresh: a training that was stopped was on other joints, starting weights or"
            f" options; what it left is in {others[0]} and can be deleted"
        )
    return work
