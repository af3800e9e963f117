"""mmpose's configs for FineDiving-Pose: each builds, reads the packed file, takes a step of training, predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import annotate
from annotate.crop import crop
from annotate.estimators.config import read_config
from annotate.estimators.mmpose import MMPoseEstimator, build_model
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import JointSource, write_poses
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import BASE, KEY, grey_clips, table

pytestmark = pytest.mark.slow

FOLDER = Path(annotate.__file__).parent / "configs"
PUBLISHED = {
    "hrnet_w48_dark.py": "topdown_heatmap/mpii/td-hm_hrnet-w48_dark-8xb64-210e_mpii-256x256.py",
    "rtmpose_m.py": "rtmpose/mpii/rtmpose-m_8xb64-210e_mpii-256x256.py",
}


@pytest.fixture
def packed(workspace: Workspace) -> Path:
    """Two frames with poses by hand."""
    grey_clips(workspace)
    poses = table("anna", JointSource.MANUAL, frames=(0, 1))
    poses.box[:] = [10, 0, 95, 63]
    write_poses(workspace.pose_file("merged", KEY), poses)
    write_packed(workspace)
    return workspace.packed


def config(name: str, packed: Path) -> Any:
    """The config with its data sets reading ``packed``, in this process, in batches of two."""
    from mmengine.config import Config

    given = Config.fromfile(FOLDER / name)
    for loader in (given.train_dataloader, given.val_dataloader):
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
        loader.dataset.update(packed=str(packed), split=None)
    return given


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_config_takes_a_step_of_training_and_predicts(name: str, packed: Path) -> None:
    from mmengine.evaluator import Evaluator
    from mmengine.optim import build_optim_wrapper
    from mmengine.runner import Runner

    torch.manual_seed(0)
    given = config(name, packed)
    model = build_model(given.model.to_dict())
    optimiser = build_optim_wrapper(model, given.optim_wrapper)
    before = model.head.final_layer.weight.detach().clone()
    model.train()
    batch = next(iter(Runner.build_dataloader(given.train_dataloader)))
    losses = model.train_step(batch, optimiser)
    assert torch.isfinite(losses["loss"]) and losses["loss"] > 0
    assert not torch.equal(before, model.head.final_layer.weight)

    model.eval()
    evaluator = Evaluator(given.val_evaluator)
    for batch in Runner.build_dataloader(given.val_dataloader):
        with torch.no_grad():
            samples = model.val_step(batch)
        evaluator.process(samples, batch)
        head = [float(s.gt_instances.head_size[0]) for s in samples]
        np.testing.assert_allclose(head, np.linalg.norm(BASE[8] - BASE[9]), rtol=1e-5)
    assert 0 <= evaluator.evaluate(2)["PCKh"] <= 1


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_the_network_is_the_published_one(name: str) -> None:
    """Every weight of mmpose's own network of that name has its place here, in the same shape."""
    import mmpose

    theirs = read_config(Path(mmpose.__file__).parent / ".mim/configs/body_2d_keypoint" / PUBLISHED[name])
    weights = build_model(theirs["model"]).state_dict()
    estimator = MMPoseEstimator(read_config(FOLDER / name), weights, id=name)
    assert (estimator.input_size, estimator.padding, estimator.unbiased) == ((256, 256), 1.25, False)
    picture, box = np.full((64, 112, 3), 128, np.uint8), np.array([[10, 0, 95, 63]], np.float32)
    keypoints, confidence = estimator.estimate(crop([picture], box, estimator))
    assert keypoints.shape == (1, 16, 2) and ((confidence >= 0) & (confidence <= 1)).all()
