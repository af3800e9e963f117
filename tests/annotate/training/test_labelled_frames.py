"""What an estimator is taught from a frame of two divers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from annotate.crop import box_of_joints, without_other
from annotate.estimators.config import CONFIGS, read_config
from annotate.locate import box_points
from annotate.training.augment import RandomWithoutOther
from annotate.training.dataset import LabelledFrameDataset
from annotate.training.labelled_frames import read_labelled_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import JointSource, write_poses
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY, pair, table

CONFIG = read_config(CONFIGS / "diver_box.py")
STILL = [s for s in CONFIG["train_pipeline"] if not s["type"].startswith(("Random", "Uniform", "Photo"))]


def test_each_diver_of_a_frame_is_a_labelled_frame_that_knows_the_box_around_both(grey: Workspace) -> None:
    poses = pair("anna", JointSource.MANUAL)
    write_poses(grey.pose_file("merged", KEY), poses)  # the clip has three frames, the poses are of six
    samples = read_labelled_frames(grey, read_clips(grey))[KEY]
    one, two = (box_of_joints(poses.keypoints[[i]])[0] for i in (0, 1))
    assert [s.number for s in samples] == [0, 0, 1, 1, 2, 2]
    np.testing.assert_array_equal([s.box for s in samples[:2]], [one, two])
    np.testing.assert_array_equal([s.together for s in samples[:2]], [[*one[:2], two[2], one[3]]] * 2)


def test_a_diver_is_learned_with_the_partner_painted_over(grey: Workspace) -> None:
    write_poses(grey.pose_file("merged", KEY), pair("anna", JointSource.MANUAL))
    two = read_labelled_frames(grey, read_clips(grey))[KEY][:2]
    picture = np.random.default_rng(0).integers(0, 256, (64, 112, 3), np.uint8)
    for i, (sample, way) in enumerate(zip(two, ([40, 0], [-40, 0]), strict=True)):
        taught = LabelledFrameDataset(two, [], "joints")[i] | {"img": picture}
        np.testing.assert_allclose(taught["way"], way, atol=1e-4)
        hidden = RandomWithoutOther(1.0).transform(dict(taught))["img"]
        np.testing.assert_array_equal(hidden, without_other(picture, sample.box, np.array(way)))
        assert (hidden != picture).any() and (hidden == picture).any()
        assert RandomWithoutOther(0.0).transform(dict(taught))["img"] is picture


def test_who_dives_alone_has_nobody_painted_over(grey: Workspace) -> None:
    write_poses(grey.pose_file("merged", KEY), table("anna", JointSource.MANUAL, frames=(0, 1)))
    samples = read_labelled_frames(grey, read_clips(grey))[KEY]
    assert [s.way.tolist() for s in samples] == [[0, 0], [0, 0]]


def test_the_locator_learns_the_box_around_both(grey: Workspace) -> None:
    write_poses(grey.pose_file("merged", KEY), table("anna", JointSource.MANUAL, frames=(0,)))
    (sample,) = read_labelled_frames(grey, read_clips(grey))[KEY]
    assert np.array_equal(sample.together, sample.box)
    both = replace(sample, box=np.zeros(4), together=np.array([12, 6, 96, 60], np.float32))
    maps = LabelledFrameDataset([both], STILL, "frame")[0]["data_samples"].gt_fields.heatmaps.numpy()
    assert maps.shape == (5, 40, 64)
    found = [np.unravel_index(m.argmax(), m.shape)[::-1] for m in maps]
    cells = box_points(both.together[None])[0] * (63 / 111) + (0, 1.8)  # 112 x 64 in a crop of 256 x 160
    np.testing.assert_allclose(found, cells, atol=1)
