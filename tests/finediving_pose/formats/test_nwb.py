"""NWB files pass pynwb's own validation, and tell the time of the video."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from finediving_pose.errors import PoseError
from finediving_pose.formats.export import export
from finediving_pose.formats.intake import take_in
from finediving_pose.frames import open_frames, write_manifest
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS, full_tables

pynwb: Any = pytest.importorskip("pynwb")
pytestmark = pytest.mark.slow
KEY = CLIPS[0].key


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def written(workspace: Workspace, folder: Path) -> Path:
    export(workspace, CLIPS, "nwb", folder / "a.nwb")
    return folder / "a.nwb"


def test_pynwb_finds_no_fault(posed: Workspace, tmp_path: Path) -> None:
    assert pynwb.validate(path=str(written(posed, tmp_path))) == []


@pytest.mark.parametrize(
    ("fps", "numbers", "rate", "start", "times"),
    [
        (25.0, (100, 101, 102, 103), 25.0, 4.0, None),
        (25.0, (100, 101, 103, 105), None, None, [4.0, 4.04, 4.12, 4.2]),
        (None, (100, 101, 102, 103), None, None, [100, 101, 102, 103]),
    ],
    ids=["a film", "frames missing", "no frame rate"],
)
def test_time_is_that_of_the_source_video(
    fps: float | None,
    numbers: tuple[int, ...],
    rate: float | None,
    start: float | None,
    times: list[float] | None,
    posed: Workspace,
    tmp_path: Path,
) -> None:
    write_manifest(replace(open_frames(posed, KEY), fps=fps, numbers=numbers))
    with pynwb.NWBHDF5IO(str(written(posed, tmp_path)), "r", load_namespaces=True) as io:
        series = io.read().processing["behavior"]["PoseTraining"].source_videos.image_series["Men__10m__1"]
        assert (series.rate, series.starting_time) == (rate, start)
        assert (None if times is None else series.timestamps[:].tolist()) == pytest.approx(times)
        assert list(series.dimension[:]) == [64, 48]


def test_occluded_joints_have_a_place_and_are_not_visible(posed: Workspace, tmp_path: Path) -> None:
    with h5py.File(written(posed, tmp_path), "r") as file:
        training: Any = file["processing/behavior/PoseTraining/training_frames/Men__10m__1__00100"]
        one = training["skeleton_instances/diver0"]
        poses = full_tables()[KEY]
        np.testing.assert_array_equal(one["node_locations"][...], poses.keypoints[0])
        np.testing.assert_array_equal(one["node_visibility"][...], poses.visibility[0] == 2)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: f.pop("processing/behavior/PoseTraining"), "0 PoseTraining in it, expected one"),
        (
            lambda f: f[FRAME].attrs.pop("source_video_frame_index"),
            "does not say which picture of which source video it is",
        ),
        (lambda f: f[FRAME].attrs.modify("source_video_frame_index", np.uint32(9)), "picture 9 of 4"),
    ],
)
def test_what_a_file_does_not_say_is_refused(change: Any, says: str, posed: Workspace, tmp_path: Path) -> None:
    path = written(posed, tmp_path)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(PoseError, match=says):
        take_in(posed, CLIPS, [path], "x")


FRAME = "processing/behavior/PoseTraining/training_frames/Men__10m__1__00100/"
