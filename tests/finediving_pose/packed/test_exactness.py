"""A packed file gives back what went in, or pack refuses it by the clip's name."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError, PackedError
from finediving_pose.extraction.run import extract_frames
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import ClipPoses, read_poses, write_poses
from finediving_pose.workspace import Workspace
from tests.media import write_pictures

KEY, OTHER, FRAMES = ClipKey("men", 1), ClipKey("men", 2), 12


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two clips of twelve frames."""
    folder = tmp_path_factory.mktemp("source")
    workspace = Workspace(folder / "data")
    for key in (KEY, OTHER):
        write_pictures(folder / "in" / key.video / str(key.index), range(100, 100 + FRAMES))
    extract_frames(workspace, folder / "in", jobs=1)
    return workspace


REALS = st.none() | st.floats() | st.sampled_from([0.0, 72.5, 1e308, -1.0])
WHOLES = st.none() | st.integers(-3, 300) | st.sampled_from([2**31 - 1, 2**31, 2**63, -(2**63) - 1]) | st.just(2.5)
LISTS = st.lists(st.integers(-1, 14) | st.sampled_from([2**15, 2**40]), max_size=7).map(tuple)
RISING = st.lists(st.integers(1, FRAMES - 1), unique=True, max_size=5).map(lambda v: tuple(sorted(v)))
TEXTS = (
    st.none() | st.sampled_from(["107b", "", "a\0", "\0", "5" * 2000, "\ud800", "Ж", "=1", "$x_"]) | st.text(max_size=5)
)


@st.composite
def clips(draw: st.DrawFn) -> Clip:
    """A clip with values of which some are none that a file can hold."""
    starts = draw(RISING | LISTS)
    stages = len(starts) + 1 if draw(st.booleans()) else 0
    first = draw(st.sampled_from([None, 100]))
    made: dict[str, Any] = {
        "action_type": draw(TEXTS), "difficulty": draw(REALS), "dive_score": draw(REALS), "height_m": draw(REALS),
        "fps": draw(REALS), "synchronised": draw(st.none() | st.booleans()),
        "judge_scores": tuple(draw(st.lists(st.floats() | st.sampled_from([7.5, math.nan]), max_size=9))),
        "start_frame": first if first else draw(WHOLES),
        "end_frame": None if first is None else first + FRAMES - 1,
        "stage_starts": starts if stages else (), "sub_actions": tuple(draw(st.integers(0, 30)) for _ in range(stages)),
        "split": draw(st.sampled_from(["train", "test", "none"])),
    }  # fmt: skip
    return Clip(KEY, **made)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(clips())
def test_what_is_packed_is_given_back_or_refused_by_name(source: Workspace, tmp_path: Path, clip: Clip) -> None:
    good = Clip(OTHER, dive_score=50.0)
    try:
        write_packed(source, target=tmp_path / "p.h5", clips=[good, clip])
    except PackedError as e:
        assert str(e).startswith(f"{KEY}: ") and "\n" not in str(e)
        return
    with open_packed(tmp_path / "p.h5") as packed:
        back = packed[str(KEY)].labels
        known = {"n_frames": FRAMES, "image_width": back.image_width, "image_height": back.image_height}
        assert back == replace(clip, **known)
        assert len(packed[str(KEY)].stages) == clip.n_stages
        assert packed[str(KEY)].sub_actions.tolist() == back.frame_labels()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"stage_starts": (5, 3), "sub_actions": (1, 2, 3)}, r"stage_starts is \[5, 3\]; expected rising numbers"),
        ({"stage_starts": (5, 5), "sub_actions": (1, 2, 3)}, "expected rising numbers from 1 to 11"),
        ({"stage_starts": (0, 5), "sub_actions": (1, 2, 3)}, "expected rising numbers from 1 to 11"),
        ({"stage_starts": (5, 12), "sub_actions": (1, 2, 3)}, "expected rising numbers from 1 to 11"),
        (
            {"stage_starts": (-1,), "sub_actions": (1, 2)},
            r"stage_starts is \[-1\], which a packed file can't give back",
        ),
        ({"stage_starts": (4.5,), "sub_actions": (1, 2)}, r"stage_starts is \[4\.5\]"),
        ({"stage_starts": (4,), "sub_actions": (1, 2**15)}, "expected ids of 16 bits"),
        ({"judge_scores": (7.0, math.nan, 8.0)}, r"judge_scores is \[7\.0, nan, 8\.0\]"),
        ({"dive_score": math.inf}, "dive_score is inf"),
        ({"difficulty": math.nan}, "difficulty is nan"),
        ({"fps": -math.inf}, "fps is -inf"),
        ({"action_type": "107b\0"}, "action_type is '107b.x00'"),
        ({"action_type": "x" * 1001}, "action_type is 'xxx"),
        ({"action_type": "\udcff"}, "action_type is"),
        ({"action_type": 107}, "action_type is 107"),
        ({"start_frame": -5}, "start_frame is -5"),
        ({"dive_score": "72.5"}, "dive_score is '72.5'"),
        ({"judge_scores": (7.0,) * 101}, "judge_scores is"),
    ],
)
def test_what_it_can_not_give_back_is_named(source: Workspace, tmp_path: Path, change: dict, says: str) -> None:
    with pytest.raises(PackedError, match=f"^men/1: .*{says}"):
        write_packed(source, target=tmp_path / "p.h5", clips=[Clip(KEY, **change), Clip(OTHER)])
    assert not (tmp_path / "p.h5").exists()


def test_a_clip_is_packed_once(source: Workspace, tmp_path: Path) -> None:
    with pytest.raises(PackedError, match="men/1: is given twice"):
        write_packed(source, target=tmp_path / "p.h5", clips=[Clip(KEY), Clip(KEY, split="test")])


def poses(**change: Any) -> ClipPoses:
    n = 3
    columns: dict[str, Any] = {
        "frame": np.arange(100, 100 + n), "person": np.zeros(n), "box": np.tile([1.0, 1, 9, 9], (n, 1)),
        "keypoints": np.full((n, 16, 2), 5.0), "visibility": np.full((n, 16), 2), "confidence": np.ones((n, 16)),
        "source": np.ones((n, 16)), "author": ["auto"] * n, "time": [""] * n,
    }  # fmt: skip
    return ClipPoses(**(columns | change))


def one(value: float, dtype: str, shape: tuple[int, ...], otherwise: float) -> np.ndarray:
    array = np.full(shape, otherwise, dtype)
    array[1, 0] = value
    return array


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"frame": [100, 101, 101]}, "frame 101 has a person twice"),
        ({"person": [0, 2, 0]}, "frame 101 has a person beside 0 and 1"),
        ({"visibility": one(3, "u1", (3, 16), 2)}, "frame 101 has a visibility"),
        ({"source": one(9, "u1", (3, 16), 1)}, "frame 101 has a source"),
        ({"confidence": one(math.nan, "f4", (3, 16), 1)}, "frame 101 has a confidence"),
        ({"confidence": one(1.5, "f4", (3, 16), 1)}, "frame 101 has a confidence"),
        ({"keypoints": one(math.nan, "f4", (3, 16, 2), 5)}, "frame 101 has a joint that is there without"),
        (
            {"keypoints": one(math.inf, "f4", (3, 16, 2), 5), "visibility": np.zeros((3, 16))},
            "frame 101 has an infinite",
        ),
        ({"box": one(math.inf, "f4", (3, 4), 5)}, "frame 101 has an infinite box"),
    ],
)
def test_poses_that_would_be_lost_or_mean_nothing_are_named(
    source: Workspace, tmp_path: Path, change: dict, says: str
) -> None:
    path = source.pose_file("auto", KEY)
    write_poses(path, poses(**change))
    try:
        with pytest.raises(FdposeError, match=f"^men/1: {says}.*fdpose validate"):
            write_packed(source, target=tmp_path / "p.h5")
    finally:
        path.unlink()


def test_poses_come_back_as_they_are(source: Workspace, tmp_path: Path) -> None:
    path = source.pose_file("auto", KEY)
    write_poses(path, poses(box=np.full((3, 4), np.nan)))
    try:
        write_packed(source, target=tmp_path / "p.h5")
        packed, table = open_packed(tmp_path / "p.h5")[str(KEY)].poses, read_poses(path)
        assert np.array_equal(packed.keypoints[:3, 0], table.keypoints)
        assert np.isnan(packed.box).all() and np.isnan(packed.keypoints[:, 1]).all()
    finally:
        path.unlink()
