"""COCO keypoints, as COCO's own tools and mmpose read them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finediving_pose.formats.coco import mmpose_metainfo
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.frames import frame_name
from finediving_pose.poses import read_poses
from finediving_pose.skeleton import FLIP, JOINTS, LIMBS, SIGMAS
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, HEIGHT, WIDTH, full_tables


@pytest.fixture
def exported(posed: Workspace, tmp_path: Path) -> Path:
    export(posed, CLIPS, "coco", tmp_path / "poses.json")
    return tmp_path / "poses.json"


def test_pycocotools_finds_every_pose_under_its_picture(exported: Path) -> None:
    from pycocotools.coco import COCO

    coco: Any = COCO(str(exported))
    (category,) = coco.loadCats(coco.getCatIds())
    assert category["keypoints"] == list(JOINTS)
    assert [tuple(j - 1 for j in limb) for limb in category["skeleton"]] == list(LIMBS)
    for key, poses in full_tables().items():
        for row in range(len(poses)):
            name = f"{key}/{frame_name(int(poses.frame[row]))}"
            (image,) = [i for i in coco.imgs.values() if i["file_name"] == name]
            assert (image["width"], image["height"]) == (WIDTH, HEIGHT)
            found = {a["person"]: a for a in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))}
            annotation = found[int(poses.person[row])]
            triples = np.reshape(annotation["keypoints"], (16, 3))
            np.testing.assert_array_equal(triples[:, 2], poses.visibility[row])
            np.testing.assert_allclose(triples[:, :2], np.nan_to_num(poses.keypoints[row]), atol=1e-4)
            x, y, w, h = annotation["bbox"]
            np.testing.assert_allclose([x, y, x + w, y + h], poses.box[row], atol=1e-3)
            assert (annotation["author"], annotation["num_keypoints"]) == ("net", (poses.visibility[row] > 0).sum())


def precision(exported: Path, shift: float) -> float:
    """COCOeval's average precision of the file's own poses, moved to the right."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth: Any = COCO(str(exported))
    answers = []
    for a in truth.loadAnns(truth.getAnnIds()):
        moved = (np.reshape(a["keypoints"], (16, 3)) + np.array([shift, 0, 0])).reshape(-1).tolist()
        answers.append({"image_id": a["image_id"], "category_id": 1, "keypoints": moved, "score": 1.0})
    evaluation = COCOeval(truth, truth.loadRes(answers), "keypoints")
    evaluation.params.kpt_oks_sigmas = np.array(SIGMAS)
    evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
    evaluation.evaluate()
    evaluation.accumulate()
    return float(evaluation.eval["precision"].mean())


def test_cocoeval_runs_on_it_and_tells_right_from_wrong(exported: Path) -> None:
    assert precision(exported, 0) == pytest.approx(1)
    assert precision(exported, 30) < 0.1


@pytest.mark.slow
def test_mmpose_loads_it_with_our_16_joints(posed: Workspace, exported: Path) -> None:
    pytest.importorskip("mmpose")
    importlib.import_module("annotate.estimators.mmpose_compat")  # before mmpose
    from mmpose.datasets.datasets import CocoDataset

    dataset: Any = CocoDataset(
        ann_file=str(exported),
        data_prefix={"img": str(posed.frames)},
        metainfo=mmpose_metainfo(),
        pipeline=[],
        test_mode=False,
    )
    assert dataset.metainfo["num_keypoints"] == 16
    assert tuple(dataset.metainfo["flip_indices"]) == FLIP
    assert dataset.metainfo["skeleton_links"] == list(LIMBS)
    assert len(dataset) == sum(map(len, full_tables().values()))
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        assert Path(info["img_path"]).is_file()
    poses = full_tables()[CLIPS[0].key]
    first = dataset.get_data_info(0)
    np.testing.assert_allclose(first["keypoints"][0], np.nan_to_num(poses.keypoints[0]), atol=1e-4)
    np.testing.assert_array_equal(first["keypoints_visible"][0] > 0, poses.visibility[0] > 0)


def test_joints_go_by_their_names_not_their_order(posed: Workspace, exported: Path) -> None:
    data = json.loads(exported.read_text())
    data["categories"][0]["keypoints"].reverse()
    for a in data["annotations"]:
        a["keypoints"] = np.reshape(a["keypoints"], (16, 3))[::-1].reshape(-1).tolist()
    exported.write_text(json.dumps(data))
    take_in(posed, CLIPS, [exported], "anna", everything=True)
    key = CLIPS[0].key
    np.testing.assert_allclose(
        read_poses(posed.pose_file("manual/anna", key)).keypoints, full_tables()[key].keypoints, atol=1e-4
    )
