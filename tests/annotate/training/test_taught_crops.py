"""Crops with what a network says of them when it looks many times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from annotate.crop import crop
from annotate.estimators.mmpose import MMPoseEstimator
from annotate.estimators.presets import DEFAULT, resolve
from annotate.training.batches import DrawnFrames
from annotate.training.labelled_frames import LabelledFrame, labelled_frames
from annotate.training.taught_crops import TaughtCrops, teach
from finediving_pose.frames import open_frames
from finediving_pose.poses import JointSource
from finediving_pose.skeleton import FLIP
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY, table

pytestmark = pytest.mark.slow

PLAIN = ("GetBBoxCenterScale", "TopdownAffine", "GenerateTarget")
"""What is left of a training's pipeline where nothing is changed at random."""


@pytest.fixture
def frames(grey: Workspace) -> list[LabelledFrame]:
    """Three frames of a diver; their pictures get a pattern, so that places in a crop differ."""
    folder = open_frames(grey, KEY)
    poses = table("net", JointSource.AUTOMATIC, frames=folder.numbers)
    return labelled_frames(folder, poses, np.ones((3, 16), bool))


@pytest.fixture
def teacher() -> MMPoseEstimator:
    """The bundled network, which looks 24 times when it is asked to."""
    config, weights = resolve(DEFAULT).read("pose")
    return MMPoseEstimator(config | {"all_round": True, "sizes": [96, 128, 160]}, weights, id="teacher")


@pytest.fixture
def pipeline() -> list[dict[str, Any]]:
    return resolve(DEFAULT).read("pose")[0]["train_pipeline"]


def test_the_teacher_looks_many_times_at_the_crop_that_is_taught(
    frames: list[LabelledFrame], teacher: MMPoseEstimator, pipeline: list[dict[str, Any]]
) -> None:
    still = [step for step in pipeline if step["type"] in PLAIN]
    taught, many = teach(frames, teacher, still, 3, seed=0), teacher.thorough
    boxes = np.stack([f.box for f in frames])
    for estimator, size in ((teacher, 128), (many, 160)):
        seen = crop((f.folder.read(f.number) for f in frames), boxes, estimator)
        assert seen.shape == (3, size, size, 3)
        if estimator is teacher:
            np.testing.assert_array_equal(taught.crops, seen[..., ::-1])
        else:
            np.testing.assert_allclose(taught.heatmaps, many.heatmaps(seen), atol=2e-3)


def test_of_few_frames_each_serves_for_several_crops_and_the_same_again(
    frames: list[LabelledFrame], teacher: MMPoseEstimator, pipeline: list[dict[str, Any]]
) -> None:
    first, again = (teach(frames, teacher, pipeline, 7, seed=3) for _ in range(2))
    assert len(first) == 7 and first.heatmaps.shape == (7, 16, 32, 32)
    np.testing.assert_array_equal(first.crops, again.crops)
    np.testing.assert_array_equal(first.heatmaps, again.heatmaps)
    assert len(np.unique(first.crops.reshape(7, -1), axis=0)) == 7, "each is moved differently"
    assert len(teach(frames, teacher, pipeline, 2, seed=3)) == 2


def test_a_sample_is_mirrored_with_its_heatmaps_or_not_at_all() -> None:
    luck = np.random.default_rng(0)
    crops, heatmaps = luck.integers(0, 256, (1, 8, 8, 3), np.uint8), luck.random((1, 16, 4, 4)).astype(np.float16)
    steps = [{"type": "TopdownAffine", "input_size": (8, 8)}, {"type": "GenerateTarget"}]
    data, seen = DrawnFrames(TaughtCrops(crops, heatmaps, steps)), set()
    for seed in range(12):
        sample = data[0, seed]
        picture, maps = sample["inputs"].numpy(), sample["data_samples"].gt_fields.heatmaps.numpy()
        mirrored = not np.array_equal(picture, crops[0].transpose(2, 0, 1))
        expected = crops[0, :, ::-1] if mirrored else crops[0]
        np.testing.assert_array_equal(picture, expected.transpose(2, 0, 1))
        np.testing.assert_array_equal(maps, heatmaps[0][list(FLIP), :, ::-1] if mirrored else heatmaps[0])
        assert sample["data_samples"].gt_instance_labels.keypoint_weights.shape == (1, 16)
        seen.add(mirrored)
    assert seen == {False, True}
