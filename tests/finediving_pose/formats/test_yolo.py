"""Ultralytics' label files, as people and as ``predict`` write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from finediving_pose.errors import PoseError
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.poses import ClipPoses, read_poses
from finediving_pose.skeleton import FLIP, JOINTS
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, HEIGHT, WIDTH, full_tables, write_layer

PLACES = np.stack([5 + 2.0 * np.arange(16), 4 + 2.0 * np.arange(16)], axis=1)
ROOT = "Men__10m__1__00101"


def line(third: Any = 2, *after: float, order: tuple[str, ...] = JOINTS, number: float = 0) -> str:
    """A label of PLACES; ``third`` is each joint's third number, None for none."""
    words = [number, 0.5, 0.5, 0.9, 0.9]
    for name in order:
        x, y = PLACES[JOINTS.index(name)] / [WIDTH, HEIGHT]
        words += [x, y] if third is None else [x, y, third]
    return " ".join(f"{w:g}" for w in (*words, *after)) + "\n"


def data_set(root: Path, text: str, name: str = ROOT, labels: str = "train/labels", **config: Any) -> Path:
    (root / labels).mkdir(parents=True, exist_ok=True)
    (root / labels / f"{name}.txt").write_text(text)
    known = {"kpt_shape": [16, 3], "names": {0: "person"}, "kpt_names": {0: list(JOINTS)}}
    (root / "data.yaml").write_text(yaml.safe_dump({k: v for k, v in (known | config).items() if v is not None}))
    return root


def imported(posed: Workspace, path: Path, **more: Any) -> ClipPoses:
    take_in(posed, CLIPS, [path], "anna", **more)
    return read_poses(posed.pose_file("manual/anna", CLIPS[0].key))


def test_the_export_names_its_joints_and_leaves_path_to_ultralytics(posed: Workspace, tmp_path: Path) -> None:
    export(posed, CLIPS, "yolo", tmp_path / "out")
    config = yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())
    assert "path" not in config and (tmp_path / "out" / config["train"]).is_dir()
    assert config["kpt_names"] == {0: list(JOINTS)} and tuple(config["flip_idx"]) == FLIP


def test_joints_outside_the_picture_are_absent_and_no_number_is_outside_0_to_1(
    posed: Workspace, tmp_path: Path
) -> None:
    """Ultralytics drops the picture with all its labels otherwise (verify_image_label)."""
    tables = full_tables()
    poses = tables[CLIPS[0].key]
    poses.keypoints[0, :3] = [(-3, 5), (70, 5), (5, 49)]
    poses.visibility[0, :3] = 2
    poses.box[0] = (-9, -9, 90, 90)
    write_layer(posed, tables)
    export(posed, CLIPS, "yolo", tmp_path / "out")
    numbers = np.loadtxt(tmp_path / "out" / "train" / "labels" / "Men__10m__1__00100.txt")
    assert numbers[0, 1:5].tolist() == [0.5, 0.5, 1, 1] and (numbers[0, 5:14] == 0).all()
    positions = np.concatenate([numbers[:, 1:5], np.delete(numbers[:, 5:], np.s_[2::3], axis=1)], axis=1)
    assert ((positions >= 0) & (positions <= 1)).all()


@pytest.mark.parametrize(
    "names",
    [{"kpt_names": {0: JOINTS[::-1]}}, {"kpt_names": JOINTS[::-1]}, {"kpt_names": None, "node_names": JOINTS[::-1]}],
)
def test_columns_go_by_their_names(names: dict[str, Any], posed: Workspace, tmp_path: Path) -> None:
    plain = yaml.safe_load(yaml.safe_dump({k: _lists(v) for k, v in names.items()}))
    back = imported(posed, data_set(tmp_path / "y", line(order=JOINTS[::-1]), **plain))
    np.testing.assert_allclose(back.keypoints[0], PLACES, atol=1e-3)


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _lists(v) for k, v in value.items()}
    return list(value) if isinstance(value, tuple) else value


def test_predictions_come_in_with_their_confidence_if_somebody_checked_them(posed: Workspace, tmp_path: Path) -> None:
    """As ``predict(save_txt=True, save_conf=True)`` writes them, in runs/pose/predict/labels."""
    text = line(0.97, 0.9).replace("0.97", "0", 1)
    root = data_set(tmp_path / "predict", text, labels="labels")
    with pytest.raises(PoseError, match=r"predicted poses that nobody touched \(1\)"):
        take_in(posed, CLIPS, [root], "anna")
    for path in (root, root / "labels"):
        back = imported(posed, path, everything=True)
        assert back.visibility[0].tolist() == [0] + [2] * 15
        np.testing.assert_allclose(back.confidence[0, 1:], 0.97)


def test_a_sure_prediction_is_told_by_its_neighbours(posed: Workspace, tmp_path: Path) -> None:
    """Its third numbers are all 1, as those of occluded joints; beside other predictions it is one, too."""
    root = data_set(tmp_path / "y", line(1), labels="labels")
    assert (imported(posed, root).visibility == 1).all()
    data_set(root, line(0.5), "Men__10m__1__00102", labels="labels")
    back = imported(posed, root, everything=True)
    assert (back.visibility == 2).all() and back.confidence.mean(1).tolist() == [1, 0.5]


def test_labels_without_visibility(posed: Workspace, tmp_path: Path) -> None:
    root = data_set(tmp_path / "y", line(None).replace(" 0.078125 0.0833333", " 0 0", 1), kpt_shape=[16, 2])
    assert imported(posed, root).visibility[0].tolist() == [0] + [2] * 15


def test_other_classes_droppings_and_empty_files_are_nobody(posed: Workspace, tmp_path: Path) -> None:
    root = data_set(tmp_path / "y", "\ufeff" + line() + "1 0.5 0.5 0.1 0.1\n", names=["diver", "board"])
    (root / "train/labels/._Men__10m__1__00101.txt").write_bytes(b"\0\5\26\7")
    (root / "train/labels/Men__10m__1__00102.txt").write_text("")
    intake = take_in(posed, CLIPS, [root], "anna")
    assert (intake.entries, dict(intake.left_out)) == (1, {"labels of other classes than divers": 1})


@pytest.mark.parametrize(
    ("text", "config", "said"),
    [
        (line(), {"kpt_names": None}, "doesn't name the keypoints, so their order isn't known; add kpt_names: {0: ["),
        (line(), {"kpt_names": 5}, "kpt_names is 5, expected a list"),
        (line(), {"kpt_names": None, "node_names": 5}, "node_names: the keypoint names are 5"),
        (line(), {"node_names": list(JOINTS[::-1])}, "kpt_names and node_names have different orders"),
        (line(), {"kpt_shape": [17, 3]}, "kpt_shape is [17, 3]"),
        (line(), {"kpt_shape": None}, "expected kpt_shape: [16, 3]"),
        (line(), {"names": 5}, "names is 5"),
        (line(), {"names": ["board", "tower"]}, "has no class person or diver"),
        (line(number=3), {}, "class 3 is not in data.yaml's names"),
        (line().replace("0.5", "20", 2), {}, "positions are shares of the picture, 0 to 1, found 20"),
        (line(5), {}, "the third number of a joint is 5"),
        ("0 0.5 0.5\n", {}, "line 1: expected 53 numbers (class, box, x y v of 16 joints), found 3"),
        (line().replace("0.5", "half", 1), {}, "x y v of 16 joints), found 'half' among them"),
        (line(number=0.5), {}, "x y v of 16 joints), found class 0.5"),
    ],
)  # fmt: skip
def test_what_a_data_set_does_not_say_is_asked_for(
    text: str, config: dict[str, Any], said: str, posed: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(PoseError) as e:
        take_in(posed, CLIPS, [data_set(tmp_path / "y", text, **config)], "anna")
    assert said in str(e.value) and "\n" not in str(e.value)


def test_labels_without_a_data_yaml_ask_for_it(posed: Workspace, tmp_path: Path) -> None:
    root = data_set(tmp_path / "predict", line(0.9), labels="labels")
    (root / "data.yaml").unlink()
    with pytest.raises(PoseError, match=r"copy the data\.yaml of the training set there"):
        take_in(posed, CLIPS, [root], "anna")
