"""What an estimator is taught from a frame of two divers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import maximum_filter

import annotate.finetune
from annotate.crop import box_of_joints
from annotate.estimators.mmpose import read_config
from annotate.locate import box_points
from annotate.samples import PoseFrames, hand_placed
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import JointSource, write_poses
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY, table
from tests.annotate.test_persons import pair

CONFIG = read_config(Path(annotate.finetune.__file__).parent / "configs" / "diver_box.py")
STILL = [s for s in CONFIG["train_pipeline"] if not s["type"].startswith(("Random", "Uniform", "Photo"))]


def test_each_diver_of_a_frame_is_a_sample_that_knows_of_the_other(grey: Workspace) -> None:
    poses = pair("anna", JointSource.MANUAL)
    write_poses(grey.pose_file("merged", KEY), replace(poses, frame=poses.frame % 3))  # the clip has three frames
    samples = hand_placed(grey, read_clips(grey))[KEY]
    one, two = (box_of_joints(poses.keypoints[[i]])[0] for i in (0, 1))
    assert [s.number for s in samples] == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert all(len(s.others) for s in samples)
    first = next(s for s in samples if np.array_equal(s.box, one))
    np.testing.assert_array_equal(first.boxes[[0, -1]], [one, two])


def test_the_locator_learns_both_divers_of_a_frame_in_the_same_five_maps(grey: Workspace) -> None:
    write_poses(grey.pose_file("merged", KEY), table("anna", JointSource.MANUAL, frames=(0,)))
    (sample,) = hand_placed(grey, read_clips(grey))[KEY]
    one, beside = np.array([[12, 6, 50, 52], [62, 12, 96, 60]], np.float32)
    alone, together = replace(sample, box=one), replace(sample, box=one, others=beside[None])
    for sample, boxes in ((alone, one[None]), (together, np.stack([one, beside]))):
        maps = PoseFrames([sample], STILL, "frame")[0]["data_samples"].gt_fields.heatmaps.numpy()
        assert maps.shape == (5, 40, 64)
        peaks = (maps == maximum_filter(maps, (1, 3, 3))) & (maps > 0.5)
        assert peaks.sum((1, 2)).tolist() == [len(boxes)] * 5
        for points in box_points(boxes):
            cells = np.round(points * (63 / 111) + (0, 1.8)).astype(int)  # 112 x 64 in a crop of 256 x 160
            near = [maximum_filter(m, 3)[y.clip(0, 39), x.clip(0, 63)] for m, (x, y) in zip(maps, cells, strict=True)]
            assert min(near) > 0.5
