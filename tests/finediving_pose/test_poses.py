"""Pose tables give back what went in, in order."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finediving_pose.clip import ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.frames import FrameFolder
from finediving_pose.poses import ClipPoses, JointSource, Visibility, read_poses, to_pandas, write_poses
from finediving_pose.skeleton import JOINTS


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


def edited(path, change):
    """The table with its columns changed, written as a person's program would."""
    table = pq.read_table(path)
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    change(columns)
    pq.write_table(pa.table(columns), path)


def in_second_row(name, value):
    return lambda columns: columns[name].__setitem__(1, value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (in_second_row("frame", -1), "frame -1 is negative"),
        (in_second_row("frame", 2**40), "column frame has 1.09951e.12; expected whole numbers of int32"),
        (in_second_row("frame", None), "column frame has cells that are missing or no numbers"),
        (lambda c: c.update(frame=[float("nan")] * len(c["frame"])), "column frame has nan"),
        (lambda c: c.update(frame=[0.5] * len(c["frame"])), "column frame has"),
        (lambda c: c.update(frame=[str(f) for f in c["frame"]]), "column frame has cells"),
        (in_second_row("visibility", [300] * 16), "column visibility has 300; expected whole numbers of uint8"),
        (in_second_row("source", [-1] * 16), "column source has -1"),
        (in_second_row("visibility", [2] * 15), "column visibility has lists of another length than 16"),
        (in_second_row("keypoints", None), "column keypoints has cells that are no lists"),
        (in_second_row("person", 1000), "column person has 1000"),
        (in_second_row("author", None), "column author has cells that are no text"),
        (lambda c: c.update(notes=["x"] * len(c["frame"])), "its columns are .*notes; expected frame, person"),
        (lambda c: c.pop("box"), "its columns are"),
    ],
)
def test_a_table_edited_by_hand_is_read_or_its_column_is_told(tmp_path, change, says):
    path = tmp_path / "1.parquet"
    write_poses(path, some_poses())
    edited(path, change)
    with pytest.raises(PoseError, match=rf"1\.parquet: not a pose table: {says}.*; delete it and annotate"):
        read_poses(path)


def test_a_table_that_pandas_wrote_is_read(tmp_path):
    path = tmp_path / "1.parquet"
    write_poses(path, some_poses())
    frame = pd.read_parquet(path)
    frame["frame"] = frame["frame"].astype(float)
    frame.iloc[::-1].to_parquet(path)
    assert read_poses(path).frame.tolist() == some_poses().frame.tolist()


def some_poses():
    n = 3
    return ClipPoses(
        np.arange(n), np.zeros(n), np.tile([1.0, 1, 9, 9], (n, 1)), np.full((n, 16, 2), 5.0), np.full((n, 16), 2),
        np.ones((n, 16)), np.ones((n, 16)), ["auto"] * n, ["2026-01-01T00:00:00+00:00"] * n,
    )  # fmt: skip


# -- as a DataFrame -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 7])
def test_a_data_frame_has_a_row_a_joint(n: int) -> None:
    poses = make_poses(n, persons=2)
    table = to_pandas(poses)
    assert list(table) == ["frame", "person", "joint", "x", "y", "visibility", "confidence", "source", "author"]
    assert list(table["joint"]) == list(JOINTS) * n
    np.testing.assert_array_equal(table[["x", "y"]].to_numpy(), poses.keypoints.reshape(-1, 2))
    np.testing.assert_array_equal(table["confidence"], poses.confidence.reshape(-1))
    assert [Visibility[v.upper()] for v in table["visibility"]] == poses.visibility.reshape(-1).tolist()
    assert [JointSource[s.upper()] for s in table["source"]] == poses.source.reshape(-1).tolist()
    places = [(f, p, a) for f, p, a in zip(poses.frame, poses.person, poses.author, strict=True) for _ in JOINTS]
    assert list(table[["frame", "person", "author"]].itertuples(index=False, name=None)) == places


def test_one_joints_way_is_a_selection(tmp_path) -> None:
    poses = make_poses(6)
    frames = FrameFolder(ClipKey("v", 0), tmp_path, tuple(range(5)), 4, 4, "v", ("",) * 5, 50.0, "")
    head = to_pandas(poses, frames).query("joint == 'head_top'")
    np.testing.assert_array_equal(head["x"], poses.keypoints[:, JOINTS.index("head_top"), 0])
    np.testing.assert_allclose(head["seconds"], [0, 0.02, 0.04, 0.06, 0.08, np.nan])  # the last has no frame
