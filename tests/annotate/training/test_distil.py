"""One look that says what many say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from annotate.estimators.checkpoint import read_checkpoint
from annotate.estimators.mmpose import from_checkpoint
from annotate.estimators.presets import DEFAULT
from annotate.training.finetune import finetune
from annotate.training.labelled_frames import LabelledFrame, read_labelled_frames
from annotate.training.learned import Learned
from annotate.training.plan import FinetunePlan
from annotate.training.runner import ProgressHook
from finediving_pose.frames import open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow


def test_a_training_that_is_stopped_while_one_look_is_taught_goes_on_there(
    half_annotated: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is held out of one clip, so 24 looks count as best; after six steps one look is taught in two."""
    monkeypatch.setattr("annotate.training.batches.WORKERS", 0)
    clips, steps = read_clips(half_annotated), []
    plan = FinetunePlan("mine", "pose", DEFAULT, steps=6, batch=4)
    real = ProgressHook.after_train_epoch

    def stop_once(self: ProgressHook, runner: object) -> None:
        real(self, runner)
        steps.append(runner.iter)  # type: ignore[attr-defined]
        if len(steps) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr("annotate.training.runner.ProgressHook.after_train_epoch", stop_once)
    folder = half_annotated.root / "estimators" / "mine"
    with pytest.raises(KeyboardInterrupt):
        finetune(half_annotated, clips, plan)
    assert not (folder / "pose.pth").exists()
    summary = finetune(half_annotated, clips, plan)
    assert steps == [1, 2, 3, 4, 5, 6, 1, 1, 2], "the six steps before are not done again"
    assert summary["before"] is summary["after"] is summary["thorough"] is None
    config = json.loads(read_checkpoint(folder / "pose.pth")["meta"]["config"])
    assert config["all_round"] and config["sizes"] == [96, 128, 160]
    estimator = from_checkpoint(folder / "pose.pth")
    assert (estimator.turns, estimator.sizes) == (1, [128]), "one look is the default"
    assert (estimator.thorough.turns, estimator.thorough.sizes) == (4, [96, 128, 160])
    assert sorted(p.name for p in folder.iterdir()) == ["pose.pth"]


@pytest.mark.parametrize("found_elsewhere", [True, False])
def test_one_look_is_taught_on_frames_that_nobody_annotated_or_not_at_all(
    half_annotated: Workspace, monkeypatch: pytest.MonkeyPatch, found_elsewhere: bool
) -> None:
    clips = read_clips(half_annotated)
    annotated = [f for found in read_labelled_frames(half_annotated, clips).values() for f in found]
    elsewhere = replace(annotated[0], folder=open_frames(half_annotated, clips[1].key))
    taught = []

    def watched(learned: Learned, frames: Sequence[LabelledFrame], *_: object) -> Mapping[str, Any]:
        taught.extend(frames)
        return {k: v + 1 for k, v in learned.weights.items()}

    monkeypatch.setattr("annotate.training.finetune.distil", watched)
    found = [*annotated, *([elsewhere] if found_elsewhere else [])]
    monkeypatch.setattr("annotate.training.finetune.read_frames_with_diver", lambda *_: found)
    finetune(half_annotated, clips, FinetunePlan("mine", "pose", DEFAULT, steps=2, batch=4))
    assert taught == ([elsewhere] if found_elsewhere else [])
