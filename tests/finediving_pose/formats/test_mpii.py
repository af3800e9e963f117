"""MPII's MATLAB file, in the structure of ``mpii_human_pose_v1_u12_1.mat``."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from finediving_pose.errors import PoseError
from finediving_pose.formats import mpii
from finediving_pose.formats.intake import take_in
from finediving_pose.poses import read_poses
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS


def structs(rows: list[dict[str, Any]]) -> np.ndarray:
    """A row of structs as MATLAB has them."""
    array = np.empty((1, len(rows)), [(name, object) for name in rows[0]])
    for i, row in enumerate(rows):
        array[0, i] = tuple(row.values())
    return array


def point(joint: int, visible: Any = 1) -> dict[str, Any]:
    return {"x": 6.0 + 2 * joint, "y": 5.0 + 2 * joint, "id": joint, "is_visible": visible}


def person(joints: list[dict[str, Any]]) -> dict[str, Any]:
    points = {"point": structs(joints)}
    place = structs([{"x": 20.0, "y": 20.0}])
    return {"x1": 1, "y1": 1, "x2": 9, "y2": 9, "annopoints": structs([points]), "scale": 0.2, "objpos": place}


def release(path: Path, people: list[list[dict[str, Any]]], name: str = "00101.jpg", **more: Any) -> Path:
    rects = structs([person(joints) for joints in people])
    entry = {"image": structs([{"name": f"Men__10m/1/{name}"}]), "annorect": rects}
    empty = {"image": structs([{"name": "x.jpg"}]), "annorect": np.zeros((0, 0))}
    content = {"annolist": structs([entry, empty]), "img_train": np.array([[1, 0]])}
    savemat(path, {"RELEASE": structs([content])}, **more)
    return path


@pytest.mark.parametrize("packed", [True, False])
def test_it_comes_in_counted_from_0_with_what_is_visible(packed: bool, posed: Workspace, tmp_path: Path) -> None:
    """is_visible is 0, 1, text, or empty; joints that are not listed are absent."""
    seen: list[Any] = [0, 1, "1", "0", np.zeros((0, 0))]
    first = [point(j, seen[j % 5]) for j in range(15)]
    path = release(tmp_path / "mpii.mat", [first, [point(9)]], do_compression=packed)
    intake = take_in(posed, CLIPS, [path], "anna")
    assert dict(intake.left_out) == {"pictures without joints": 1}
    back = read_poses(posed.pose_file("manual/anna", CLIPS[0].key))
    assert (back.frame.tolist(), back.person.tolist()) == ([101, 101], [0, 1])
    np.testing.assert_array_equal(back.keypoints[0, 3], [11, 10])
    assert back.visibility[0].tolist() == [1, 2, 2, 1, 2] * 3 + [0]


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ([[point(3), point(3)]], "person 1: two points have the id 3"),
        ([[point(16)]], "a point needs x, y and an id of 0 to 15"),
        ([[point(1)], [point(2)], [point(3)]], "a third person in one frame"),
    ],
)
def test_a_fault_is_named(people: list[Any], said: str, posed: Workspace, tmp_path: Path) -> None:
    with pytest.raises(PoseError) as e:
        take_in(posed, CLIPS, [release(tmp_path / "mpii.mat", people)], "anna")
    assert said in str(e.value) and "\n" not in str(e.value)


def test_joints_without_pictures_are_refused(posed: Workspace, tmp_path: Path) -> None:
    """``gt_valid.mat`` of the evaluation code."""
    savemat(tmp_path / "gt_valid.mat", {"pos_gt_src": np.zeros((16, 2, 3)), "jnt_missing": np.zeros((16, 3))})
    with pytest.raises(PoseError, match=r"no RELEASE.annolist in it \(found jnt_missing, pos_gt_src\)"):
        take_in(posed, CLIPS, [tmp_path / "gt_valid.mat"], "anna")


def test_a_file_that_unpacks_to_too_much_is_refused(
    posed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mpii, "MAX_BYTES", 100_000)
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    packed = zlib.compress(bytes(1_000_000))
    path = tmp_path / "bomb.mat"
    path.write_bytes(header + np.array([15, len(packed)], "<u4").tobytes() + packed)
    with pytest.raises(PoseError, match="unpacks to more than 100,000 bytes"):
        take_in(posed, CLIPS, [path], "anna")


@pytest.mark.parametrize(("content", "said"), [(b"", "not a MATLAB file"), (b"MATLAB 7.3 ", "save.*-v7")])
def test_other_files_are_named(content: bytes, said: str, posed: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(PoseError, match=said):
        take_in(posed, CLIPS, [tmp_path / "a.mat"], "anna")
