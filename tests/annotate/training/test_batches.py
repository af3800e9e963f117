"""What the training loop does that mmengine does not."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

from annotate.estimators.checkpoint import read_checkpoint
from annotate.estimators.config import CONFIGS, read_config
from annotate.estimators.mmpose import build_model
from annotate.training import train
from annotate.training.batches import Samples, WeightedDraws, batches, stacked
from annotate.training.dataset import LabelledFrameDataset
from annotate.training.finetune import finetune
from annotate.training.labelled_frames import read_labelled_frames
from annotate.training.plan import FinetunePlan
from annotate.training.runner import UnstackHook
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("name", "outputs"), [("diver_pose.py", 16), ("diver_box.py", 5), ("rtmpose_m.py", 16)])
def test_a_stacked_batch_costs_what_mmposes_own_costs(true_poses: Workspace, name: str, outputs: int) -> None:
    """Heatmaps or SimCC: the same loss as of samples that are passed on one by one."""
    found = [s for of_clip in read_labelled_frames(true_poses, read_clips(true_poses)).values() for s in of_clip][:40:8]
    config = read_config(CONFIGS / name)
    steps = [step for step in config["train_pipeline"] if step["type"] != "LoadImage"]
    with DefaultScope.overwrite_default_scope("mmengine"):  # as a training of a scorer leaves it
        data = LabelledFrameDataset(found, steps, config.get("boxes", "joints"))
    samples = [data[i] for i in range(len(data))]
    model = build_model(config["model"], outputs).train()

    def loss(batch: dict[str, Any]) -> list[float]:
        torch.manual_seed(0)
        losses = model(**model.data_preprocessor(batch, True), mode="loss")
        return [float(value.detach()) for key, value in sorted(losses.items()) if "loss" in key]

    batch = stacked(copy.deepcopy(samples))
    assert batch["inputs"].shape[0] == len(samples) and batch["inputs"].dtype == torch.uint8
    UnstackHook().before_train_iter(SimpleNamespace(model=model), 0, batch)
    costs = loss(batch)
    assert costs and min(costs) > 0
    np.testing.assert_allclose(costs, loss(pseudo_collate(samples)), rtol=1e-4)


def test_what_is_drawn_follows_from_the_seed_and_the_epoch(
    true_poses: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [s for of_clip in read_labelled_frames(true_poses, read_clips(true_poses)).values() for s in of_clip][:6]
    data = LabelledFrameDataset(found, read_config(CONFIGS / "diver_pose.py")["train_pipeline"], "joints")
    weights = np.array([0, 0.5, 0.1, 0.1, 0.1, 0.2])

    def pictures(workers: int, epoch: int, seed: int = 3) -> np.ndarray:
        monkeypatch.setattr("annotate.training.batches.WORKERS", workers)
        loader = batches(Samples("frames", data, weights), 4, 3, seed)
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        return np.stack([batch["inputs"].numpy() for batch in loader])

    first = pictures(0, 7)
    assert first.shape[:2] == (3, 4)
    np.testing.assert_array_equal(pictures(2, 7), first)
    assert len(np.unique(first.reshape(12, -1), axis=0)) == 12, "a frame that is drawn twice is changed in two ways"
    for epoch, seed in ((8, 3), (7, 4)):
        assert (pictures(0, epoch, seed) != first).any((2, 3, 4)).all()


def test_samples_are_drawn_as_often_as_they_weigh() -> None:
    weights = np.array([0, 0.75, 0.25])
    places = [place for place, _ in WeightedDraws(weights, 4000, 0)]
    np.testing.assert_allclose(np.bincount(places) / 4000, weights, atol=0.03)


def test_training_is_on_the_device_that_it_is_told(true_poses: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """mmengine would take a GPU wherever it sees one."""
    monkeypatch.setattr("mmengine.runner.runner.get_device", lambda: "cuda:0")
    monkeypatch.setattr(train, "STEPS_PER_EPOCH", 1)
    batches: list[int] = []
    before = UnstackHook.before_train_iter

    def count(self: UnstackHook, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        batches.append(len(data_batch["inputs"]))
        before(self, runner, batch_idx, data_batch)

    monkeypatch.setattr(UnstackHook, "before_train_iter", count)
    plan = FinetunePlan("mine", "pose", "diver-r18", steps=2, seed=0, batch=3)
    assert plan.command.endswith("--steps 2 --seed 0 --batch 3")
    summary = finetune(true_poses, read_clips(true_poses), plan, device="cpu")
    assert summary["checkpoint"].is_file()
    assert batches == [3, 3, 3], "two steps, and one that teaches a single look what many say"
    carried = read_checkpoint(summary["checkpoint"])["meta"]["config"]
    assert '"batch_size": 32' in carried, "what a GPU was given is not what a processor goes on with"
