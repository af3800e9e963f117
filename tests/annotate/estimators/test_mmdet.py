"""mmdet's RTMDet finds the diver in place of the bundled locator."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from annotate.auto import estimators
from annotate.crop import crop, iou, to_frame, whole_frame
from annotate.estimators import mmdet
from annotate.estimators.config import read_config
from annotate.estimators.mmpose_compat import batched_nms
from annotate.locate import boxes_of
from finediving_pose.cli import main
from finediving_pose.poses import read_poses
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY

pytestmark = pytest.mark.slow

RTMDET = """
_base_ = "mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py"
model = dict(bbox_head=dict(num_classes=1))
test_pipeline = [dict(type="Resize", scale=(160, 96), keep_ratio=True)]
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A config, and random weights for it that are sure of nothing."""
    folder = tmp_path_factory.mktemp("rtmdet")
    config, weights = folder / "rtmdet.py", folder / "random.pth"
    config.write_text(RTMDET)
    torch.manual_seed(0)
    state = mmdet.build_model(read_config(config)["model"]).state_dict()
    for name in [n for n in state if "rtm_cls" in n and n.endswith("bias")]:
        state[name].fill_(-9)
    torch.save({"state_dict": state}, weights)
    return config, weights


def auto(data: Workspace, *words: object) -> Any:
    return CliRunner().invoke(main, ["annotate", "--auto", "--data", str(data.root), "--json", *map(str, words)])


def instances(boxes: list[list[float]], scores: list[float], labels: list[int] | None = None) -> SimpleNamespace:
    found = torch.tensor(labels or [mmdet.DIVER] * len(boxes))
    return SimpleNamespace(bboxes=torch.tensor(boxes).reshape(-1, 4), scores=torch.tensor(scores), labels=found)


def test_a_detector_runs_in_place_of_the_locator(grey: Workspace, files: tuple[Path, Path]) -> None:
    """It is sure of nothing: no diver is found, which is said; without presence the whole frame is looked at."""
    result = auto(grey, "--detector", *files, "--trust-config")
    assert result.exit_code == 0, result.stderr
    assert "random" not in {*read_poses(grey.pose_file("auto", KEY)).author}, "poses are by who found the joints"
    assert json.loads(result.stdout)["no_diver_found"] == ["meet/0", "meet/1"]
    assert not read_poses(grey.pose_file("auto", KEY)).has_diver.any()
    assert auto(grey, "--detector", *files, "--trust-config", "--no-presence", "--force").exit_code == 0
    box = read_poses(grey.pose_file("auto", KEY)).box
    assert (iou(box, np.repeat(whole_frame(112, 64), len(box), 0)) > 0.3).all()


def test_what_it_detects_is_a_box_in_the_frame(files: tuple[Path, Path]) -> None:
    """A detector that finds what is red: colours, scale and borders of the crop are those that it was promised."""
    locator = mmdet.from_config(*files, trust_config=True)
    assert locator.input_size == (160, 96)

    def red(data: dict[str, Any]) -> list[Any]:
        found = []
        for picture, sample in zip(data["inputs"], data["data_samples"], strict=True):
            assert picture.dtype == torch.uint8 and tuple(picture.shape) == (3, *sample.img_shape) == (3, 96, 160)
            y, x = torch.nonzero((picture[2] > 200) & (picture[0] < 50), as_tuple=True)  # BGR, as mmdet reads pictures
            box = [float(v) for v in (x.min(), y.min(), x.max() + 1, y.max() + 1)]
            found.append(SimpleNamespace(pred_instances=instances([[0, 0, 5, 5], box], [0.99, 0.9], [1, 0])))
        return found

    locator.model = SimpleNamespace(test_step=red)
    true = np.array([[40, 30, 120, 170], [300, 10, 340, 60], [0, 0, 399, 199]], np.float32)
    frames = [np.full((200, 400, 3), 90, np.uint8) for _ in true]
    for frame, (x1, y1, x2, y2) in zip(frames, true.astype(int), strict=True):
        frame[y1:y2, x1:x2] = (255, 0, 0)
    whole = np.repeat(whole_frame(400, 200), len(frames), 0)
    points, confidence = locator.estimate(crop(frames, whole, locator))
    boxes, score = boxes_of(to_frame(points, whole, locator), confidence)
    np.testing.assert_allclose(boxes, true, atol=2.5)  # a pixel of the crop is 2.5 of the frame
    np.testing.assert_allclose(score, 0.9)


def test_where_nothing_is_detected_there_is_no_box(files: tuple[Path, Path]) -> None:
    locator = mmdet.from_config(*files, trust_config=True)
    locator.model = SimpleNamespace(test_step=lambda data: [SimpleNamespace(pred_instances=instances([], []))])
    points, confidence = locator.estimate(np.zeros((1, 96, 160, 3), np.uint8))
    assert points.shape == (1, 5, 2) and np.isnan(points).all() and (confidence == 0).all()
    assert locator.estimate(np.zeros((0, 96, 160, 3), np.uint8))[0].shape == (0, 5, 2)


def test_two_divers_who_overlap_are_in_one_box_and_nobody_else_is() -> None:
    boxes = np.array([[10, 10, 30, 60], [25, 12, 44, 62], [100, 0, 120, 30], [0, 0, 20, 20]], np.float32)
    both = mmdet.together(boxes, np.array([0.9, 0.5, 0.8, 0.1]))
    np.testing.assert_array_equal(both, [10, 10, 44, 62])
    np.testing.assert_array_equal(mmdet.together(boxes, np.array([0.2, 0.1, 0.1, 0.1])), boxes[0])


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ('dict(type="TopdownPoseEstimator")', "mmdet can't build this model"),
        ('dict(type="DetDataPreprocessor")', "is a DetDataPreprocessor; a detector of mmdet is needed"),
    ],
)
def test_a_config_of_something_else_is_refused(
    grey: Workspace, files: tuple[Path, Path], tmp_path: Path, model: str, says: str
) -> None:
    other = tmp_path / "other.py"
    other.write_text(f'model = {model}\ntest_pipeline = [dict(type="Resize", scale=(64, 64))]\n')
    result = auto(grey, "--detector", other, files[1], "--trust-config")
    assert result.exit_code == 1 and says in result.stderr and "Traceback" not in result.stderr
    other.write_text(f"model = {model}\n")
    result = auto(grey, "--detector", other, files[1], "--trust-config")
    assert result.exit_code == 1 and "resizes to no width and height" in result.stderr


def test_a_detector_is_not_run_unasked_nor_without_its_weights_or_mmdet(
    grey: Workspace, files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = auto(grey, "--detector", *files)
    assert result.exit_code == 2 and "rtmdet.py is Python code" in result.stderr and "--trust-config" in result.stderr
    torch.save({"state_dict": {"w": torch.zeros(1)}}, tmp_path / "other.pth")
    result = auto(grey, "--detector", files[0], tmp_path / "other.pth", "--trust-config")
    assert result.exit_code == 1 and "weights are of another model" in result.stderr
    monkeypatch.setitem(sys.modules, "mmdet", None)
    estimators.cache_clear()
    result = auto(grey, "--detector", *files, "--trust-config")
    assert result.exit_code == 1 and "pip install --no-deps mmdet==3.3.0" in result.stderr
    assert not grey.pose_file("auto", KEY).exists()


@given(st.lists(st.tuples(*[st.integers(0, 60)] * 4, st.integers(0, 1)), min_size=1, max_size=12), st.booleans())
def test_of_boxes_that_overlap_the_best_are_kept(rows: list[tuple[int, ...]], agnostic: bool) -> None:
    """Against suppression one box after the other."""
    boxes = np.array([[x, y, x + w + 1, y + h + 1] for x, y, w, h, _ in rows], np.float32)
    classes = np.array([r[4] for r in rows])
    scores = np.linspace(0.9, 0.1, len(rows)).astype(np.float32)
    expected: list[int] = []
    for i in range(len(rows)):
        rivals = [k for k in expected if agnostic or classes[k] == classes[i]]
        if not any(iou(boxes[[i]], boxes[[k]])[0] > 0.5 for k in rivals):
            expected.append(i)
    rest = torch.from_numpy(scores), torch.from_numpy(classes)
    found, kept = batched_nms(torch.from_numpy(boxes), *rest, {"iou_threshold": 0.5}, class_agnostic=agnostic)
    assert kept.tolist() == expected
    np.testing.assert_array_equal(found, np.column_stack([boxes, scores])[expected])
    most = {"type": "nms", "iou_threshold": 0.5, "max_num": 1}
    assert batched_nms(torch.from_numpy(boxes), *rest, most, class_agnostic=agnostic)[1].tolist() == expected[:1]


def test_other_operators_say_what_they_need() -> None:
    box = torch.tensor([[0.0, 0, 1, 1]])
    with pytest.raises(ImportError, match=r"soft_nms.*mmcv with compiled operators"):
        batched_nms(box, torch.ones(1), torch.zeros(1), {"type": "soft_nms"})
    from mmcv.ops import DeformConv2d

    with pytest.raises(ImportError, match="DeformConv2d needs mmcv with compiled operators"):
        DeformConv2d(1, 1, 1)
