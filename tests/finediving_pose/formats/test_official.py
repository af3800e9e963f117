"""The FineDiving-Pose JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from finediving_pose.errors import PoseError
from finediving_pose.formats.official import OfficialPose, read_official, write_official

_JOINTS = arrays(np.float32, (16, 2), elements=st.floats(-50, 2000, width=32))
_VISIBLE = arrays(np.bool_, (16,)).filter(lambda v: bool(v.any()))
_NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)


@st.composite
def poses(draw: st.DrawFn) -> OfficialPose:
    visible = draw(_VISIBLE)
    return OfficialPose.of(draw(_NAMES), np.where(visible[:, None], draw(_JOINTS), np.nan))


@pytest.mark.slow
@given(st.lists(poses(), max_size=4))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, written: list[OfficialPose]) -> None:
    path = tmp_path_factory.mktemp("official") / "a.json"
    write_official(path, written)
    read = read_official(path)
    assert [p.image for p in read] == [p.image for p in written]
    for one, two in zip(written, read, strict=True):
        np.testing.assert_array_equal(one.keypoints, two.keypoints)
        np.testing.assert_array_equal(one.visible, two.visible)
        assert one.center == two.center and one.scale == two.scale


def test_the_released_file_is_read_whole(shared_data: Path) -> None:
    poses = read_official(shared_data / "finediving_pose_examples" / "annotations.json")
    assert len(poses) == 69
    assert all(p.visible.all() for p in poses)
    np.testing.assert_allclose(poses[0].keypoints[0], [228.8289, 204.412], atol=1e-3)


def test_the_released_file_survives_a_round_trip(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "finediving_pose_examples" / "annotations.json"
    write_official(tmp_path / "again.json", read_official(source))
    before, after = json.loads(source.read_text()), json.loads((tmp_path / "again.json").read_text())
    for one, two in zip(before, after, strict=True):
        assert {k: one[k] for k in ("image", "scale", "center", "joints_vis")} == {
            k: two[k] for k in ("image", "scale", "center", "joints_vis")
        }
        np.testing.assert_allclose(two["joints"], one["joints"], atol=1e-4)


GOOD = {"image": "a.jpg", "joints": [[1.0, 2.0]] * 16, "joints_vis": [1] * 16, "scale": 1.0, "center": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not a JSON file"),
        ('{"annotations": []}', "expected a list of entries"),
        (json.dumps([GOOD, {"joints": []}]), "entry 1 names no image"),
        (json.dumps([GOOD | {"joints": [[1, 2]] * 15}]), "entry 0 (image a.jpg): joints must be 16 pairs"),
        (json.dumps([GOOD | {"joints": "here"}]), "joints must be 16 pairs"),
        (json.dumps([GOOD | {"joints_vis": [1] * 17}]), "joints_vis must be 16 numbers"),
        (json.dumps([GOOD | {"joints": [[float("nan"), 2]] + [[1, 2]] * 15}]), "right_ankle is marked visible"),
    ],
)
def test_a_bad_file_is_named_with_entry_and_field(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(PoseError) as e:
        read_official(path)
    assert str(path) in str(e.value) and said in str(e.value)
    assert "\n" not in str(e.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PoseError, match=r"none\.json: no such file"):
        read_official(tmp_path / "none.json")


def test_a_joint_that_is_not_visible_has_no_position(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([GOOD | {"joints_vis": [0] + [1] * 15}]))
    (pose,) = read_official(path)
    assert np.isnan(pose.keypoints[0]).all() and not np.isnan(pose.keypoints[1:]).any()
