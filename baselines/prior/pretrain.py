"""Pre-training on unfilmed dives: performed once and kept, filmed anew for every step.

It goes on where it was stopped: dives are kept by the thousand, the training by its last hundreds of steps.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from baselines.prior.errors import PoseErrors
from baselines.prior.facts import FactsPlan, teach_facts
from baselines.prior.held_out import measure_prior
from baselines.prior.kept import kept
from baselines.prior.network import PoseScorer, prior_losses
from baselines.prior.samples import Samples, groups, pairs_within
from baselines.prior.stream import UnfilmedDives, perform_unfilmed
from baselines.prior.weights import Prior, write_prior
from finediving_pose.checkpoints import read_checkpoint, write_checkpoint
from finediving_pose.memory import keep_memory
from finediving_pose.progress import console

SETTINGS: dict[str, Any] = {"skeleton": {"in_channels": 2, "channels": [16, 16, 32, 32, 64]}, "tokens": 12}
"""Of the network that the demo starts from: the paper's skeleton encoder, a quarter as wide and half as deep."""
HELD_OUT = 1000
"""Dives that follow in the stream, to measure by."""
SHARD = 1000
"""Dives of a file; a stop loses no more."""
KEPT = 500
"""Steps between two checkpoints."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides the weights, apart from the errors of poses.

    Attributes
    ----------
    settings : arguments of :class:`~baselines.prior.network.PoseScorer`
    seed : of the stream, the first weights and the samples
    dives : of the stream, its first ones
    steps, batch, lr, weight_decay : of AdamW, the rate rising for a twentieth of the steps and falling to nothing
    facts : how quality and faults are learned once more, after everything else
    """

    settings: dict[str, Any] = field(default_factory=lambda: SETTINGS)
    seed: int = 0
    dives: int = 23_000
    steps: int = 6_000
    batch: int = 64
    lr: float = 6e-3
    weight_decay: float = 0.02
    facts: FactsPlan = field(default_factory=FactsPlan)


def pretrain(plan: Plan, errors: PoseErrors, work: Path, target: Path, command: str) -> None:
    """Train as planned and write the weights to ``target``; ``work`` keeps dives and the unfinished training."""
    dives = performed(plan.seed, plan.dives + HELD_OUT, work)
    learned, held_out = (Samples(dives.only(part), errors) for part in (slice(plan.dives), slice(plan.dives, None)))
    network = train(plan, learned, work / f"{target.stem}-{_digest(plan, errors)}.pth")
    teach_facts(network, learned, plan.facts, plan.seed)
    made = {**asdict(plan), "command": command, "held_out": measure_prior(network, held_out)}
    write_prior(target, Prior(plan.settings, network.state_dict(), made))


def performed(seed: int, count: int, work: Path, jobs: int | None = None) -> UnfilmedDives:
    """The first ``count`` dives of the stream, from ``work`` as far as they are there."""
    return kept(UnfilmedDives, perform_unfilmed, seed, range(count), SHARD, work, jobs)


def train(plan: Plan, samples: Samples, checkpoint: Path) -> PoseScorer:
    """The trained network; a training that was stopped goes on from its checkpoint to the same weights."""
    keep_memory()
    torch.manual_seed(plan.seed)
    network = PoseScorer(**plan.settings)
    optimiser = torch.optim.AdamW(network.parameters(), plan.lr, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(rate, plan.steps))
    kept: dict[str, Any] = {"network": network, "optimiser": optimiser, "schedule": schedule}
    begun = _resume(checkpoint, kept)
    draws = groups(samples.dives, plan.batch, np.random.default_rng((plan.seed, 1)))
    for _ in range(begun):
        next(draws)
    pairs = pairs_within(plan.batch)
    started, log = time.monotonic(), []
    for step in range(begun + 1, plan.steps + 1):
        batch = samples.batch(next(draws), np.random.default_rng((plan.seed, 2, step)))
        torch.manual_seed(plan.seed + step)
        losses = prior_losses(network, batch, pairs)
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        log.append([float(v.detach()) for v in losses.values()])
        if step % KEPT == 0 or step == plan.steps:
            write_checkpoint(checkpoint, {name: part.state_dict() for name, part in kept.items()} | {"step": step})
            left = (plan.steps - step) * (time.monotonic() - started) / (step - begun) / 60
            means = zip(losses, np.mean(log[-KEPT:], 0), strict=True)
            console.print(
                f"step {step}/{plan.steps}, " + ", ".join(f"{n} {v:.4f}" for n, v in means) + f", {left:.0f} min left"
            )
    return network.eval()


def _digest(plan: Plan, errors: PoseErrors) -> str:
    """Of what decides a training: one that was stopped with other options, or other errors, is not gone on with."""
    found = hashlib.sha256(json.dumps(asdict(plan)).encode())
    found.update(errors.offset.tobytes())
    return found.hexdigest()[:16]


def rate(steps: int, step: int) -> float:
    """Share of the full learning rate: up in a twentieth of the steps, then half a cosine down."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + float(np.cos(np.pi * (step - warm) / max(1, steps - warm))))


def _resume(checkpoint: Path, kept: dict[str, Any]) -> int:
    """Load a checkpoint, if there is one; the number of steps that it has."""
    if not checkpoint.is_file():
        return 0
    found = read_checkpoint(checkpoint)
    for name, part in kept.items():
        part.load_state_dict(found[name])
    return int(found["step"])
