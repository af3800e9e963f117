"""COCO keypoints, as COCO's own tools and mmpose read them."""

from __future__ import annotations

import importlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finediving_pose.errors import PoseError
from finediving_pose.formats.coco import mmpose_metainfo
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.frames import frame_name
from finediving_pose.poses import ClipPoses, read_poses
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


PLACES = np.stack([5 + 2.0 * np.arange(16), 4 + 2.0 * np.arange(16)], axis=1)


def annotation(v: float = 2, order: Sequence[str] = JOINTS, **more: Any) -> dict[str, Any]:
    """A diver whose joints are at PLACES, written in that order."""
    flat = [c for name in order for c in (*PLACES[JOINTS.index(name)].tolist(), v)]
    return {"id": 1, "image_id": 1, "category_id": 1, "keypoints": flat, "bbox": [3, 2, 40, 40], **more}


def coco(path: Path, *annotations: dict[str, Any], **more: Any) -> Path:
    image = {"id": 1, "file_name": "Men__10m/1/00101.jpg", "width": WIDTH, "height": HEIGHT}
    category = {"id": 1, "name": "diver", "keypoints": list(JOINTS)}
    path.write_text(json.dumps({"images": [image], "annotations": list(annotations), "categories": [category]} | more))
    return path


def imported(posed: Workspace, path: Path, **more: Any) -> ClipPoses:
    take_in(posed, CLIPS, [path], "anna", **more)
    return read_poses(posed.pose_file("manual/anna", CLIPS[0].key))


@pytest.mark.parametrize("in_category", [1, "1", 1.0])
@pytest.mark.parametrize("in_annotation", [1, "1"])
def test_ids_are_the_same_as_text_and_as_numbers(
    in_category: Any, in_annotation: Any, posed: Workspace, tmp_path: Path
) -> None:
    order = JOINTS[::-1]
    category = {"id": in_category, "name": "diver", "keypoints": list(order)}
    written = annotation(order=order, category_id=in_annotation, image_id=in_annotation)
    back = imported(posed, coco(tmp_path / "a.json", written, categories=[category]))
    np.testing.assert_array_equal(back.keypoints[0], PLACES)


@pytest.mark.parametrize(
    "spelling", [str.upper, str.title, lambda n: n.replace("_", " "), lambda n: n.replace("_", "-")]
)
def test_names_go_by_their_letters(spelling: Any, posed: Workspace, tmp_path: Path) -> None:
    order = JOINTS[::-1]
    category = {"id": 1, "name": "diver", "keypoints": [spelling(n) for n in order]}
    back = imported(posed, coco(tmp_path / "a.json", annotation(order=order), categories=[category]))
    np.testing.assert_array_equal(back.keypoints[0], PLACES)


SEVENTEEN = ["nose", *(f"{side}_{j}" for j in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
                       for side in ("left", "right"))]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"annotations": 0.5}, "no COCO file; expected an object with images"),
        ({"categories": []}, "has no categories, so the order of its joints isn't known; add"),
        ({"categories": [{"id": 1, "name": "diver"}]}, "doesn't name its keypoints; add"),
        ({"categories": [{"id": 2, "name": "diver", "keypoints": JOINTS}]}, "category_id 1 is no category of the file"),
        ({"categories": [{"id": 1, "name": "man", "keypoints": SEVENTEEN}]}, "'man' has 17 keypoints, expected the 16"),
        ({"categories": [{"id": 1, "name": "d", "keypoints": ["r_ankle", *JOINTS[1:]]}]}, "r_ankle is none of them"),
        ({"categories": [{"id": 1, "name": "d", "keypoints": 5}]}, "the keypoint names are 5"),
        ({"images": [{"id": 1, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}]}, "two images have the id 1"),
        ({"annotations": [annotation(0.97)]}, "v is 0.97, expected 0, 1 or 2; if it is a confidence"),
        ({"annotations": [annotation(3)]}, "v is 3, expected 0, 1 or 2"),
        ({"annotations": [annotation(keypoints=[0.5, 0.5, 2] * 15)]}, "16 triples x, y, v in pixels, found 45 values"),
        ({"annotations": [annotation(keypoints=[9, float("nan"), 2] * 16)]}, "in pixels, found nan among them"),
        ({"annotations": [annotation(keypoints=[9, 1e9, 2] * 16)]}, "in pixels, found 1000000000.0 among them"),
        ({"annotations": [annotation(keypoints=[9, "x", 2] * 16)]}, "in pixels, found 'x' among them"),
        ({"annotations": [annotation(keypoints=7)]}, "in pixels, found 7"),
        ({"images": [{"id": 1, "file_name": None}]}, "image 1: file_name is None, expected the picture's name"),
        (
            {"annotations": [annotation(keypoints=[c for x, y in PLACES / 64 for c in (x, y, 2)])]},
            "as if they were shares of the picture; write pixels: x times 64, y times 48",
        ),
        ({"annotations": [annotation(keypoints=[900, 9, 2] * 16)]}, "right_ankle is at 900, 9, far outside"),
        ({"annotations": [annotation(iscrowd=1)]}, "nothing to take in; left out: crowds (iscrowd: 1) (1)"),
        ({"annotations": [annotation(keypoints=[])]}, "left out: annotations without keypoints (1)"),
        ({"annotations": [annotation(0, keypoints=[0] * 48, num_keypoints=0)]}, "left out: poses without joints (1)"),
    ],
)  # fmt: skip
def test_what_a_file_does_not_say_is_asked_for(
    changed: dict[str, Any], said: str, posed: Workspace, tmp_path: Path
) -> None:
    path = coco(tmp_path / "a.json", annotation(), **changed)
    with pytest.raises(PoseError) as e:
        take_in(posed, CLIPS, [path], "anna")
    assert said in str(e.value) and "\n" not in str(e.value)
    assert not posed.pose_file("manual/anna", CLIPS[0].key).exists()


def test_a_list_of_results_is_told_what_it_lacks(posed: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps([annotation(0.9, score=0.8)]))
    with pytest.raises(PoseError, match="a list of results says neither the pictures' names nor the joints' order"):
        take_in(posed, CLIPS, [path], "anna")


def test_results_with_a_score_are_predictions_with_confidence(posed: Workspace, tmp_path: Path) -> None:
    path = coco(tmp_path / "a.json", annotation(0.75, score=0.9))
    with pytest.raises(PoseError, match="predicted poses that nobody touched"):
        take_in(posed, CLIPS, [path], "anna")
    back = imported(posed, path, everything=True)
    assert (back.confidence == 0.75).all() and (back.visibility == 2).all()


def test_a_box_without_extent_is_none_and_unused_categories_do_not_matter(posed: Workspace, tmp_path: Path) -> None:
    categories = [
        {"id": 1, "name": "diver", "keypoints": list(JOINTS)},
        {"id": 2, "name": "board", "keypoints": ["tip", "hinge"]},
    ]
    back = imported(posed, coco(tmp_path / "a.json", annotation(bbox=[0, 0, 0, 0]), categories=categories))
    assert back.box[0, 2] - back.box[0, 0] > 30


def test_triples_may_be_lists_and_an_unknown_size_is_none(posed: Workspace, tmp_path: Path) -> None:
    image = {"id": 1, "file_name": "Men__10m/1/00101.jpg", "width": 0, "height": None}
    nested = annotation(keypoints=[[x, y, 2] for x, y in PLACES.tolist()])
    np.testing.assert_array_equal(
        imported(posed, coco(tmp_path / "a.json", nested, images=[image])).keypoints[0], PLACES
    )


def test_cvats_keypoint_zip_comes_in(posed: Workspace, tmp_path: Path) -> None:
    """As CVAT writes "COCO Keypoints 1.0": pictures below images/, ``outside`` joints with v 0 and a position."""
    order = JOINTS[::-1]
    written = annotation(order=order, attributes={"occluded": False, "person": "1"})
    written["keypoints"][2] = 0
    image = {"id": 1, "file_name": "images/Men__10m/1/00101.jpg", "width": WIDTH, "height": HEIGHT}
    categories = [{"id": 1, "name": "diver", "keypoints": list(order)}, {"id": 2, "name": "head_top", "keypoints": []}]
    text = coco(tmp_path / "a.json", written, images=[image], categories=categories).read_text()
    path = tmp_path / "task.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("annotations/person_keypoints_default.json", text)
        archive.writestr("__MACOSX/annotations/._person_keypoints_default.json", "x")
    back = imported(posed, path)
    assert back.person.tolist() == [1]
    assert back.visibility[0].tolist() == [2] * 15 + [0]
    np.testing.assert_array_equal(back.keypoints[0, :15], PLACES[:15])
