"""Train an estimator on joints placed by hand: from the merged poses of a data directory to a checkpoint in it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from annotate.estimators.checkpoint import read_checkpoint, write_checkpoint
from annotate.estimators.config import CONFIGS, read_config
from annotate.estimators.presets import resolve, trained_folder
from annotate.training.candidates import best_of, candidates
from annotate.training.labelled_frames import LabelledFrame, hold_out, read_labelled_frames
from annotate.training.measure import measure
from annotate.training.plan import FinetunePlan
from annotate.training.train import estimator_of, train_network
from finediving_pose.clip import Clip
from finediving_pose.workspace import Workspace

NETWORK_CONFIGS = {"pose": CONFIGS / "diver_pose.py", "locator": CONFIGS / "diver_box.py"}
"""Configurations of networks that start from random weights."""
MEASURED = 1500
"""At most this many held-out frames, evenly spread, are measured before and after training."""


def finetune(
    workspace: Workspace, clips: Sequence[Clip], plan: FinetunePlan, *, device: str = "cpu", bf16: bool = False
) -> dict[str, Any]:
    """Train on the merged poses of ``clips`` and write ``estimators/<name>/<network>.pth``.

    The weights written are those with the best figures on the held-out clips; training ends early when it gains
    nothing any more. Where there are few clips or frames nothing is held out
    (:func:`annotate.training.labelled_frames.hold_out`), and the last weights are written.
    A training that was stopped continues from its last hundred steps when it is called again with the same arguments.

    Returns
    -------
    Summary with ``checkpoint``, ``frames``, ``held_out`` (how many frames) and the figures of
    :func:`annotate.training.measure.measure` ``before`` (None from scratch) and ``after``; None where nothing was held
    out.

    Raises
    ------
    PoseError
        No clip has joints placed by hand.
    UsageError
        ``plan.start`` names no estimator.
    """
    synthetic = {c.key for c in clips if c.source == "synthetic"}
    train, held = hold_out(read_labelled_frames(workspace, clips), plan.seed, synthetic)
    held = held[:: max(1, len(held) // MEASURED)]
    config, weights = _start(workspace, plan)
    target = trained_folder(workspace, plan.name) / f"{plan.network}.pth"

    def figures(config: dict[str, Any], state: Mapping[str, Any]) -> dict[str, Any] | None:
        return measure(estimator_of(config, state, plan, device, bf16), held, plan.network) if held else None

    before = figures(config, weights) if weights is not None else None
    work = _work_folder(target, config, plan, train)
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
    checkpoint = read_checkpoint(getattr(resolve(plan.start, workspace), plan.network))
    return json.loads(checkpoint["meta"]["config"]), checkpoint["state_dict"]


def _work_folder(target: Path, config: Mapping[str, Any], plan: FinetunePlan, train: Sequence[LabelledFrame]) -> Path:
    """Where an unfinished training keeps its state; its name follows from all that decides the outcome."""
    facts = json.dumps([config, asdict(plan), [(str(f.folder.key), f.number) for f in train]])
    return target.parent / f".{target.stem}-{hashlib.sha256(facts.encode()).hexdigest()[:12]}"
