"""Pose tables give back what went in, in order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finediving_pose.errors import PoseError
from finediving_pose.poses import ClipPoses, read_poses, write_poses


def make_poses(n: int, seed: int = 0, persons: int = 1) -> ClipPoses:
    """Random poses of ``n`` rows, with absent joints, in random order."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    keypoints = rng.uniform(0, 400, (n, 16, 2))
    visibility = rng.integers(0, 3, (n, 16))
    keypoints[visibility == 0] = np.nan
    return ClipPoses(
        frame=(np.arange(n) // persons)[order],
        person=(np.arange(n) % persons)[order],
        box=rng.uniform(0, 400, (n, 4)),
        keypoints=keypoints,
        visibility=visibility,
        confidence=rng.uniform(0, 1, (n, 16)),
        source=rng.integers(0, 4, (n, 16)),
        author=[f"a{i}" for i in range(n)],
        time=["2026-01-01T00:00:00+00:00"] * n,
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 40), st.integers(0, 1000), st.integers(1, 2))
def test_a_part_file_gives_back_what_went_in(tmp_path_factory, n, seed, persons):
    path = tmp_path_factory.mktemp("poses") / "1.parquet"
    poses = make_poses(n, seed, persons)
    write_poses(path, poses)
    back = read_poses(path)
    for name in ("frame", "person", "box", "keypoints", "visibility", "confidence", "source"):
        np.testing.assert_array_equal(getattr(back, name), getattr(poses, name), err_msg=name)
    assert (back.author, back.time) == (poses.author, poses.time)


def test_rows_are_sorted_by_frame_then_person():
    poses = make_poses(10, persons=2)
    assert list(zip(poses.frame, poses.person, strict=True)) == sorted(zip(poses.frame, poses.person, strict=True))
    assert poses.row(3, 1) == 7
    assert poses.row(99) is None


def test_a_wrong_shape_is_refused_with_both_shapes():
    good = make_poses(3)
    with pytest.raises(PoseError, match=r"keypoints has shape \(3, 15, 2\), expected \(3, 16, 2\)"):
        ClipPoses(
            good.frame, good.person, good.box, good.keypoints[:, :15], good.visibility, good.confidence,
            good.source, good.author, good.time,
        )  # fmt: skip


def test_a_file_that_is_no_pose_table_is_named(tmp_path):
    path = tmp_path / "1.parquet"
    path.write_bytes(b"not parquet")
    with pytest.raises(PoseError, match=r"1\.parquet: not a pose table"):
        read_poses(path)
