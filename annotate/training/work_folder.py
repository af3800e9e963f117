"""Where an unfinished training keeps its state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from annotate.training.labelled_frames import LabelledFrame
from annotate.training.plan import FinetunePlan
from finediving_pose.progress import tell


def work_folder(
    target: Path,
    config: Mapping[str, Any],
    weights: Mapping[str, Any] | None,
    plan: FinetunePlan,
    frames: Sequence[LabelledFrame],
) -> Path:
    """The folder of the training that writes ``target``; its name follows from all that decides the outcome.

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
