"""One look that says what many say."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from annotate.estimators.checkpoint import read_checkpoint
from annotate.estimators.mmpose import from_checkpoint
from annotate.estimators.presets import DEFAULT
from annotate.training.finetune import finetune
from annotate.training.plan import FinetunePlan
from annotate.training.runner import ProgressHook
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow


def test_a_training_that_is_stopped_while_one_look_is_taught_goes_on_there(
    true_poses: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is held out of one clip, so 24 looks are taken for the best; three steps, then one look is taught."""
    monkeypatch.setattr("annotate.training.train.STEPS_PER_EPOCH", 1)
    monkeypatch.setattr("annotate.training.batches.WORKERS", 0)
    clips, steps = read_clips(true_poses)[:1], []
    plan = FinetunePlan("mine", "pose", DEFAULT, steps=6, batch=4)
    real = ProgressHook.after_train_epoch

    def stop_once(self: ProgressHook, runner: object) -> None:
        real(self, runner)
        steps.append(runner.iter)  # type: ignore[attr-defined]
        if len(steps) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr("annotate.training.runner.ProgressHook.after_train_epoch", stop_once)
    folder = true_poses.root / "estimators" / "mine"
    with pytest.raises(KeyboardInterrupt):
        finetune(true_poses, clips, plan)
    assert not (folder / "pose.pth").exists()
    summary = finetune(true_poses, clips, plan)
    assert steps == [1, 2, 3, 4, 5, 6, 1, 1, 2], "the six steps before are not done again"
    assert summary["before"] is summary["after"] is summary["thorough"] is None
    config = json.loads(read_checkpoint(folder / "pose.pth")["meta"]["config"])
    assert config["all_round"] and config["sizes"] == [96, 128, 160]
    estimator = from_checkpoint(folder / "pose.pth")
    assert (estimator.turns, estimator.sizes) == (1, [128]), "one look is the default"
    assert (estimator.thorough.turns, estimator.thorough.sizes) == (4, [96, 128, 160])
    assert sorted(p.name for p in folder.iterdir()) == ["pose.pth"]
    assert torch.isfinite(torch.from_numpy(estimator.estimate(np.zeros((1, 128, 128, 3), np.uint8))[1])).all()
