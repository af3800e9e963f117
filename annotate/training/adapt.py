"""Adapt an estimator to a data directory that nobody annotated: it learns from its own poses, and from synthetic dives.

It looks many times at every frame and keeps the joints in which it is consistent (:mod:`annotate.training.own_poses`).
From these it learns, as from joints placed by hand; then once more, from those that it finds by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from annotate.training.batches import Samples
from annotate.training.candidates import views
from annotate.training.dataset import labelled_samples
from annotate.training.labelled_frames import LabelledFrame
from annotate.training.learned import Learned
from annotate.training.own_poses import read_own_poses
from annotate.training.plan import FinetunePlan
from annotate.training.synthetic_dives import made_for, synthetic_frames
from annotate.training.train import Computing, estimator_of, locator_of, train_network
from annotate.training.work_folder import work_folder
from finediving_pose.clip import Clip
from finediving_pose.errors import PoseError
from finediving_pose.workspace import Workspace

ROUNDS = 2


def adapt(
    workspace: Workspace,
    clips: Sequence[Clip],
    plan: FinetunePlan,
    target: Path,
    start: tuple[dict[str, Any], Mapping[str, Any] | None],
    on: Computing,
) -> Learned:
    """Train on the poses that the network itself finds in the real ``clips``, in :data:`ROUNDS` rounds.

    Raises
    ------
    PoseError
        In no real clip a diver is found.
    """
    locator = locator_of(workspace, plan, target, on)
    real = [c for c in clips if c.source != "synthetic"]
    made = synthetic_frames(workspace, clips, made_for(target))
    synthetic = {f.folder.key for f in made}
    config, weights = start[0] | views(start[0], plan.network)[0], start[1]
    assert weights is not None, "a plan without labels starts from an estimator"

    def found(weights: Mapping[str, Any]) -> list[LabelledFrame]:
        own = read_own_poses(workspace, real, locator, estimator_of(config, weights, plan, on))
        if not own:
            raise PoseError(
                f"{workspace.root}: no diver was found in any clip that is not synthetic, so there is nothing to learn;"
                " look at the frames with: fdpose render"
            )
        return [frame for frames in own.values() for frame in frames]

    def samples(frames: list[LabelledFrame]) -> Samples:
        return labelled_samples([*frames, *made], synthetic, config, plan.turn)

    frames, few = found(weights), replace(plan, steps=max(1, plan.steps // ROUNDS))
    work = work_folder(target, config, weights, plan, [*frames, *made])
    weights = train_network(config, weights, samples(frames), [], few, work / "round-1", on)
    for i in range(1, ROUNDS):
        frames = found(weights)
        weights = train_network(config, weights, samples(frames), [], few, work / f"round-{i + 1}", on)
    return Learned(config, weights, frames, [], work)
