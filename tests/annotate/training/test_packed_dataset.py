"""The packed file as mmpose's transforms want it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.registry import DefaultScope

from annotate.training.packed_dataset import PackedPoseDataset
from finediving_pose.errors import PackedError
from finediving_pose.labels.table import read_clips
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import JointSource, write_poses
from finediving_pose.skeleton import FLIP, LIMBS
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import BASE, KEY, grey_clips, table


@pytest.fixture
def packed(workspace: Workspace) -> Path:
    """Two clips of three frames; poses in the first two frames of the first, a joint by hand in one."""
    grey_clips(workspace)
    poses = table("auto", JointSource.AUTOMATIC, frames=(0, 1))
    poses.keypoints[1, 5] = np.nan
    poses.visibility[1, 5] = 0
    poses.source[0, 2] = JointSource.MANUAL
    poses.box[:] = [10, 0, 95, 63]
    write_poses(workspace.pose_file("merged", KEY), poses)
    write_packed(workspace)
    assert len(read_clips(workspace)) == 2
    return workspace.packed


def test_an_item_is_a_person_in_a_frame(packed: Path) -> None:
    data = PackedPoseDataset(packed)
    assert len(data) == 2
    assert (data.metainfo["num_keypoints"], tuple(data.metainfo["flip_indices"])) == (16, FLIP)
    assert data.metainfo["skeleton_links"] == list(LIMBS)
    item: Any = data.get_data_info(1)
    assert (item["img"].shape, item["img"].dtype, item["img_path"]) == ((64, 112, 3), np.uint8, f"{KEY}/00001.jpg")
    assert item["bbox"].tolist() == [[10, 0, 95, 63]]
    assert item["keypoints_visible"][0].tolist() == [1] * 5 + [0] + [1] * 10
    seen = item["keypoints_visible"][0] > 0
    np.testing.assert_allclose(item["keypoints"][0][seen], BASE[seen], atol=1e-4)


def test_only_what_people_placed(packed: Path) -> None:
    assert [d["position"] for d in PackedPoseDataset(packed, by_hand=True).load_data_list()] == [0]


def test_mmposes_own_top_down_pipeline_runs_on_it(packed: Path) -> None:
    codec = {"type": "MSRAHeatmap", "input_size": (64, 64), "heatmap_size": (16, 16), "sigma": 1}
    pipeline = [
        {"type": "LoadImage"},
        {"type": "GetBBoxCenterScale"},
        {"type": "RandomFlip", "direction": "horizontal"},
        {"type": "TopdownAffine", "input_size": (64, 64)},
        {"type": "GenerateTarget", "encoder": codec},
        {"type": "PackPoseInputs"},
    ]
    with DefaultScope.overwrite_default_scope("mmpose"):  # as mmpose's configs say
        item = PackedPoseDataset(packed, pipeline=pipeline)[0]
    assert tuple(item["inputs"].shape) == (3, 64, 64)
    assert tuple(item["data_samples"].gt_fields.heatmaps.shape) == (16, 16, 16)


def test_workers_get_their_own(packed: Path) -> None:
    data = PackedPoseDataset(packed)
    again = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(again.get_data_info(0)["img"], data.get_data_info(0)["img"])


def test_a_file_without_such_poses_is_refused(packed: Path) -> None:
    with pytest.raises(PackedError, match="no poses in test split; annotate, merge, pack again"):
        PackedPoseDataset(packed, split="test")
