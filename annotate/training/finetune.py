"""Train an estimator for a data directory, from joints placed by hand or from its own poses, to a checkpoint in it."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from annotate.estimators.checkpoint import write_checkpoint
from annotate.estimators.config import CONFIGS, read_config
from annotate.estimators.presets import listed, resolve, trained_folder
from annotate.estimators.stored import check_trainable
from annotate.training.adapt import adapt
from annotate.training.candidates import best_of, candidates
from annotate.training.dataset import labelled_samples
from annotate.training.distil import distil
from annotate.training.labelled_frames import hold_out, read_labelled_frames
from annotate.training.learned import Learned
from annotate.training.own_poses import read_frames_with_diver
from annotate.training.plan import FinetunePlan
from annotate.training.synthetic_dives import made_for
from annotate.training.train import Computing, estimator_of, figures_of, locator_of, train_network
from annotate.training.work_folder import work_folder
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace
from finediving_pose.writing import writing

NETWORK_CONFIGS = {"pose": CONFIGS / "diver_pose.py", "locator": CONFIGS / "diver_box.py"}
"""Configurations of networks that start from random weights."""
COMMAND = "fdpose finetune"
MEASURED = 1500
"""At most this many held-out frames, evenly spread, are measured before and after training."""
LOOKED_AT = 64
"""At most this many clips, evenly spread, are looked through for frames on which a single look is taught."""


def finetune(
    workspace: Workspace, clips: Sequence[Clip], plan: FinetunePlan, *, device: str = "cpu", bf16: bool = False
) -> dict[str, Any]:
    """Train on the poses of ``clips`` and write ``estimators/<name>/<network>.pth``.

    On joints placed by hand, in the merged poses, the weights written are those with the best figures on the held-out
    clips; training ends early when it gains nothing any more. Where there are few clips or frames nothing is held out
    (:func:`annotate.training.labelled_frames.hold_out`), and the last weights are written.
    With ``plan.unlabelled`` it trains on the estimator's own poses (:mod:`annotate.training.adapt`).
    Where many looks at a crop are best, a single one is then taught to say the same (:mod:`annotate.training.distil`),
    if there are frames that nobody annotated.
    A training that was stopped continues from its last hundred steps when it is called again with the same arguments,
    on the same joints and starting weights.

    Returns
    -------
    Summary with ``checkpoint``, ``unlabelled``, ``frames``, ``held_out`` (how many frames) and the figures of
    :func:`annotate.training.measure.measure` ``before`` (None from scratch), ``after``, and ``thorough``, those of many
    looks (None where one look is as many); None where nothing was held out.

    Raises
    ------
    PoseError
        No clip has joints placed by hand (or with ``plan.unlabelled``: no diver is found), or the estimator to start
        from can't be trained.
    UsageError
        ``plan.start`` names no estimator, or ``plan.name`` is that of a bundled or published one.
    BusyError
        Another training writes the same network, or another command the frames or the merged poses.
    """
    if plan.name in listed():
        raise UsageError(f"--name {plan.name} is the name of an estimator of fdpose's own; choose another")
    target = trained_folder(workspace, plan.name) / f"{plan.network}.pth"
    with writing(COMMAND, [target], [workspace.frames]):
        return _finetune(workspace, clips, plan, target, Computing(device, bf16))


def _finetune(
    workspace: Workspace, clips: Sequence[Clip], plan: FinetunePlan, target: Path, on: Computing
) -> dict[str, Any]:
    start = _start(workspace, plan)
    check_trainable(start[0], plan.start or plan.network)
    learned = (adapt if plan.unlabelled else _learn)(workspace, clips, plan, target, start, on)
    summary = {"unlabelled": plan.unlabelled, "frames": len(learned.frames), "held_out": len(learned.held)}
    summary |= {"before": learned.before}
    weights, figures = learned.weights, {"after": learned.after, "thorough": None}
    if learned.config["all_round"] and not plan.unlabelled:
        weights = _one_look(workspace, clips, learned, plan, target, on)
        measured = partial(figures_of, learned.config, weights, learned.held, plan, on)
        figures = {"after": measured(), "thorough": measured(thorough=True)}
    summary |= figures
    write_checkpoint(target, learned.config, weights, {"training": asdict(plan), "command": plan.command} | summary)
    for folder in (learned.work, made_for(target)):
        shutil.rmtree(folder, ignore_errors=True)
    return {"checkpoint": target} | summary


def _learn(
    workspace: Workspace,
    clips: Sequence[Clip],
    plan: FinetunePlan,
    target: Path,
    start: tuple[dict[str, Any], dict[str, Any] | None],
    on: Computing,
) -> Learned:
    """Train on joints placed by hand."""
    synthetic = {c.key for c in clips if c.source == "synthetic"}
    with writing(COMMAND, reads=[workspace.poses / "merged"]):
        labelled = read_labelled_frames(workspace, clips)
    train, held = hold_out(labelled, plan.seed, synthetic)
    held = held[:: max(1, len(held) // MEASURED)]
    config, weights = start
    before = figures_of(config, weights, held, plan, on) if weights is not None else None
    work = work_folder(target, config, weights, plan, [*train, *held])
    samples = labelled_samples(train, synthetic, config, plan.turn)
    state = train_network(config, weights, samples, held, plan, work, on)

    def figures(config: dict[str, Any], state: Mapping[str, Any]) -> dict[str, Any] | None:
        return figures_of(config, state, held, plan, on, thorough=True)

    config, state, after = best_of(candidates(config, weights, state, plan), figures, plan.network)
    return Learned(config, state, train, held, work, before, after)


def _one_look(
    workspace: Workspace, clips: Sequence[Clip], learned: Learned, plan: FinetunePlan, target: Path, on: Computing
) -> Mapping[str, Any]:
    """Weights whose single look is taught on frames that nobody annotated; as they were where there are none.

    And where the single look is the worse for it on held-out clips. Taught on frames that it has learned the joints
    of, it would know these by heart and others less well.
    """
    known = {(f.folder.key, f.number) for f in learned.frames}
    left = _spread(clips, {f.folder.key for f in learned.held})
    estimator = estimator_of(learned.config, learned.weights, plan, on)
    found = read_frames_with_diver(workspace, left, locator_of(workspace, plan, target, on), estimator)
    frames = [f for f in found if (f.folder.key, f.number) not in known]
    if not frames:
        return learned.weights
    taught = [(learned.config, weights) for weights in (distil(learned, frames, plan, on), learned.weights)]
    return best_of(taught, lambda c, w: figures_of(c, w, learned.held, plan, on), plan.network)[1]


def _spread(clips: Sequence[Clip], without: Collection[ClipKey]) -> Sequence[Clip]:
    """A few clips, evenly spread; real ones if there are any."""
    left = [c for c in clips if c.key not in without]
    left = [c for c in left if c.source != "synthetic"] or left
    return left[:: max(1, len(left) // LOOKED_AT)]


def _start(workspace: Workspace, plan: FinetunePlan) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Configuration, and weights to start from."""
    if plan.start is None:
        return read_config(NETWORK_CONFIGS[plan.network]), None
    return resolve(plan.start, workspace).read(plan.network)
