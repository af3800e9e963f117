"""What SLEAP's files mean: which instances count, and which picture is meant."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.formats.intake import Intake, take_in
from finediving_pose.frames import open_frames, write_manifest
from finediving_pose.poses import ClipPoses, Visibility, read_poses
from finediving_pose.skeleton import JOINTS
from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import CLIPS
from tests.finediving_pose.packed.made_up import add_clip

sio: Any = pytest.importorskip("sleap_io")
KEY = CLIPS[0].key
POINTS = np.stack([np.arange(16) + 5.0, np.arange(16) * 2 + 4.0], axis=1)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


SKELETON = sio.Skeleton(list(JOINTS))
TRACK = sio.Track("track_0")


def person(shift: float = 0, **more: Any) -> Any:
    return sio.Instance.from_numpy(POINTS + shift, skeleton=SKELETON, **more)


def guess(shift: float = 0, **more: Any) -> Any:
    points = np.full(16, 0.5)
    return sio.PredictedInstance.from_numpy(POINTS + shift, skeleton=SKELETON, point_scores=points, score=0.5, **more)


def nobody(**more: Any) -> Any:
    return sio.Instance.from_numpy(np.full((16, 2), np.nan), skeleton=SKELETON, **more)


def saved(path: Path, video: Any, instances: Sequence[Any], number: int = 1, **how: Any) -> Path:
    frame = sio.LabeledFrame(video, number, list(instances))
    skeleton = instances[0].skeleton
    sio.save_slp(sio.Labels([frame], videos=[video], skeletons=[skeleton]), str(path), verbose=False, **how)
    return path


def pictures(workspace: Workspace, key: ClipKey = KEY) -> Any:
    frames = open_frames(workspace, key)
    return sio.Video.from_filename([str(frames.path(n)) for n in frames.numbers])


def take(workspace: Workspace, folder: Path, *instances: Any, **more: Any) -> Intake:
    return take_in(workspace, CLIPS, [saved(folder / "a.slp", pictures(workspace), instances)], "x", **more)


def came(workspace: Workspace, key: ClipKey = KEY) -> ClipPoses:
    return read_poses(workspace.pose_file("manual/x", key))


PREDICTED = guess(track=TRACK)


@pytest.mark.parametrize(
    "instances",
    [
        (guess(track=TRACK), person(9, track=TRACK)),
        (PREDICTED, person(9, from_predicted=PREDICTED)),
        (guess(), person(9)),
        (person(9, track=TRACK), nobody(), guess(track=TRACK)),
    ],
    ids=["one track", "linked", "neither", "and an empty one"],
)
def test_a_persons_instance_counts_and_the_prediction_does_not(
    instances: Sequence[Any], posed: Workspace, tmp_path: Path
) -> None:
    take(posed, tmp_path, *instances)
    assert (came(posed).frame.tolist(), came(posed).person.tolist()) == ([101], [0])
    np.testing.assert_array_equal(came(posed).keypoints[0], POINTS + 9)


def test_an_empty_instance_hides_nothing(posed: Workspace, tmp_path: Path) -> None:
    instances = (guess(track=TRACK), nobody(track=TRACK))
    with pytest.raises(PoseError, match=r"predicted poses that nobody touched \(1\)"):
        take(posed, tmp_path, *instances)
    take(posed, tmp_path, *instances, everything=True)
    assert came(posed).confidence[0].tolist() == [0.5] * 16


def test_predictions_of_spectators_are_left_out_where_two_divers_are_corrected(
    posed: Workspace, tmp_path: Path
) -> None:
    done = take(posed, tmp_path, guess(2), guess(4), person(), person(20))
    assert done.left_out == {"predictions in frames with more than two instances": 2}
    assert came(posed).person.tolist() == [0, 1]


def test_a_place_that_is_not_visible_is_occluded(posed: Workspace, tmp_path: Path) -> None:
    hidden = person()
    hidden.points["visible"][3] = False
    take(posed, tmp_path, hidden)
    assert came(posed).visibility[0, 3] == Visibility.OCCLUDED


def test_another_skeleton_is_named(posed: Workspace, tmp_path: Path) -> None:
    skeleton = sio.Skeleton(["nose"])
    other = sio.Instance.from_numpy(np.ones((1, 2)), skeleton=skeleton)
    with pytest.raises(PoseError, match="node 'nose' is none of the joints right_ankle, "):
        take(posed, tmp_path, other)


def test_a_package_says_where_its_pictures_came_from(posed: Workspace, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pkg.slp", pictures(posed), [person()], embed="user")
    take_in(posed, CLIPS, [path], "x")
    assert came(posed).frame.tolist() == [101]


@pytest.fixture
def competition(workspace: Workspace) -> Workspace:
    """Two clips of one video of 128 x 96, stored at half its size."""
    for index, numbers in ((1, range(4)), (2, range(10, 14))):
        key = ClipKey("Worlds", index)
        add_clip(workspace, Clip(key, n_frames=4, start_frame=numbers[0], end_frame=numbers[-1]), list(numbers))
        write_manifest(replace(open_frames(workspace, key), source="/films/Worlds.mp4"))
    return workspace


def film(name: str = "C:\\dives\\Worlds.mp4", shape: tuple[int, ...] | None = (30, 96, 128, 3)) -> Any:
    metadata = {"shape": shape, "type": "MediaVideo"} if shape else {}
    return sio.Video(filename=name, open_backend=False, backend_metadata=metadata)


@pytest.mark.parametrize("embedded", [False, True], ids=["project", "package"])
def test_a_frame_of_the_competitions_video_is_that_of_its_clip(
    embedded: bool, competition: Workspace, tmp_path: Path
) -> None:
    """By its number from 0; the joints are scaled to the stored frames."""
    clips = [Clip(ClipKey("Worlds", i)) for i in (1, 2)]
    video = film()
    if embedded:
        video = sio.Video(
            "a.pkg.slp", open_backend=False, source_video=video, backend_metadata={"shape": (1, 96, 128, 3)}
        )
    take_in(competition, clips, [saved(tmp_path / "a.slp", video, [person()], 12)], "x")
    back = came(competition, clips[1].key)
    assert back.frame.tolist() == [12]
    np.testing.assert_allclose(back.keypoints[0], (POINTS + 0.5) / 2 - 0.5)


@pytest.mark.parametrize(
    ("video", "number", "says"),
    [
        (film(), 7, "no clip holds frame 7 of Worlds.mp4; there is Worlds/1: 0 to 3, Worlds/2: 10 to 13"),
        (film("/other/Cup.mp4"), 0, "there is no clip of the video Cup.mp4; extract its dives first"),
        (film(shape=None), 12, "the size of the video .* is not in the file"),
        (sio.Video("a.slp", open_backend=False), 0, "the package does not say where its pictures came from"),
    ],
)
def test_what_a_video_does_not_say_is_refused(
    video: Any, number: int, says: str, competition: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = saved(Path("a.slp"), video, [person()], number)
    with pytest.raises(PoseError, match=f"a.slp: labeled frame 0: {says}"):
        take_in(competition, [Clip(ClipKey("Worlds", i)) for i in (1, 2)], [path], "x")
