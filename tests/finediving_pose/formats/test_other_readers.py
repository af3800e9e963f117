"""sleap-io, by another hand, reads what we write ourselves; and we read what it writes."""

from __future__ import annotations

import csv
import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.poses import ClipPoses, JointSource, read_poses, write_poses
from finediving_pose.skeleton import JOINTS
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, full_tables

sio: Any = pytest.importorskip("sleap_io")
KEY = CLIPS[0].key


def joints_of(labels: Any) -> list[np.ndarray]:
    """(16, 2) of every instance, in our order of joints; sleap-io puts joints that a file lacks at 0, 0, invisible."""
    found = []
    for frame in labels.labeled_frames:
        for instance in frame.instances:
            lacking = ~instance.points["visible"] & (instance.points["xy"] == 0).all(1)
            points = np.where(lacking[:, None], np.nan, instance.points["xy"])
            at = {str(n): i for i, n in enumerate(instance.points["name"])}
            found.append(np.array([points[at[j]] if j in at else (np.nan, np.nan) for j in JOINTS]))
    return found


@pytest.mark.parametrize("name", ["coco", "dlc", "yolo", "slp"])
def test_sleap_io_reads_the_export(name: str, posed: Workspace, tmp_path: Path) -> None:
    out = tmp_path / ("out.slp" if name == "slp" else "out.json" if name == "coco" else "out")
    export(posed, CLIPS[:1], name, out)
    load = {
        "coco": lambda: sio.load_coco(str(out), dataset_root=str(posed.frames)),
        "dlc": lambda: sio.load_dlc_project(str(out / "config.yaml")),
        "yolo": lambda: sio.load_ultralytics(str(out)),
        "slp": lambda: sio.load_slp(str(out)),
    }[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = joints_of(load())
    poses = full_tables()[KEY]
    assert len(found) == len(poses) == 8
    for mine, theirs in zip(poses.keypoints, found, strict=True):
        np.testing.assert_allclose(theirs, mine, atol=1e-3)


def test_hand_poses_are_user_instances_and_automatic_ones_predictions(posed: Workspace, tmp_path: Path) -> None:
    path = posed.pose_file("auto", KEY)
    poses = read_poses(path)
    first = np.arange(len(poses))[:, None] == 0
    source = np.where(first & (poses.visibility > 0), JointSource.MANUAL, poses.source)
    write_poses(path, replace(poses, source=source))
    export(posed, CLIPS[:1], "slp", tmp_path / "out.slp")
    kinds = [type(i).__name__ for frame in sio.load_slp(str(tmp_path / "out.slp")) for i in frame.instances]
    assert kinds == ["Instance"] + ["PredictedInstance"] * 7


def test_a_corrected_prediction_takes_the_place_of_the_prediction(posed: Workspace, tmp_path: Path) -> None:
    """As SLEAP's own window does it: the user instance points at the predicted one, and both are saved."""
    out = tmp_path / "out.slp"
    export(posed, CLIPS[1:], "slp", out)
    labels = sio.load_slp(str(out))
    frame = labels.labeled_frames[0]
    predicted = frame.instances[0]
    points = np.full((16, 2), 5.0)
    frame.instances.append(
        sio.Instance.from_numpy(points, skeleton=labels.skeleton, track=predicted.track, from_predicted=predicted)
    )
    sio.save_slp(labels, str(out), verbose=False)
    take_in(posed, CLIPS, [out], "anna", everything=True)
    back: ClipPoses = read_poses(posed.pose_file("manual/anna", CLIPS[1].key))
    assert len(back) == 2
    np.testing.assert_array_equal(back.keypoints[0], points)


def test_single_animal_deeplabcut_tables_are_read(posed: Workspace, tmp_path: Path) -> None:
    """Three header rows, the picture's path in one column, some joints only."""
    path = tmp_path / "CollectedData_bob.csv"
    with open(path, "w", newline="") as f:
        table = csv.writer(f)
        table.writerow(["scorer", "bob", "bob", "bob", "bob"])
        table.writerow(["bodyparts", "head_top", "head_top", "pelvis", "pelvis"])
        table.writerow(["coords", "x", "y", "x", "y"])
        table.writerow(["labeled-data\\Men__10m__1\\00101.jpg", "1.5", "2.5", "", ""])
    assert take_in(posed, CLIPS, [path], "bob").layers == {"bob": 1}
    back = read_poses(posed.pose_file("manual/bob", KEY))
    assert back.frame.tolist() == [101]
    np.testing.assert_array_equal(back.keypoints[0, JOINTS.index("head_top")], [1.5, 2.5])


@pytest.mark.parametrize(
    "image",
    [
        "/data/local-files/?d=frames/Men__10m/1/00101.jpg",
        "http://host:8080/data/upload/3/Men__10m__1__00101.jpg",
        "s3://bucket/frames/Men__10m/1/00101.jpg",
        "101.jpg",
    ],
)
def test_label_studio_pictures_are_found_wherever_they_were_served_from(
    image: str, posed: Workspace, tmp_path: Path
) -> None:
    """Joints without a rectangle are one person; a cancelled annotation does not count."""
    value = {"x": 50.0, "y": 25.0, "width": 0.3, "keypointlabels": ["head_top"]}
    point = {"id": "a", "type": "keypointlabels", "value": value, "original_width": 64, "original_height": 48}
    good, cancelled = {"result": [point], "was_cancelled": False}, {"result": [], "was_cancelled": True}
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([{"id": 7, "data": {"image": image}, "annotations": [good, cancelled]}]))
    take_in(posed, CLIPS, [path], "anna")
    back = read_poses(posed.pose_file("manual/anna", KEY))
    assert back.frame.tolist() == [101]
    np.testing.assert_array_equal(back.keypoints[0, JOINTS.index("head_top")], [32, 12])
