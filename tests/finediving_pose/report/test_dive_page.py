"""Which frames stand for a dive on its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finediving_pose.errors import FdposeError
from finediving_pose.poses import ClipPoses, JointSource, Visibility
from finediving_pose.report.dive_page import confidences, in_flight, well_seen
from finediving_pose.report.video import frame_of_video
from tests.media import painted_number, write_video


def poses_of(sure: list[float], persons: int = 1) -> ClipPoses:
    """A pose a frame and person, all joints as sure; the second person is half as sure as the first."""
    frame, person = np.repeat(np.arange(len(sure)), persons), np.tile(np.arange(persons), len(sure))
    n = len(frame)
    return ClipPoses(
        frame=frame, person=person, box=np.tile([0.0, 0.0, 9.0, 9.0], (n, 1)), keypoints=np.full((n, 16, 2), 5.0),
        visibility=np.full((n, 16), Visibility.VISIBLE), source=np.full((n, 16), JointSource.AUTOMATIC),
        confidence=(np.array(sure)[frame] / (1 + person))[:, None] * np.ones(16), author=["x"] * n,
        time=["2026-01-01T00:00:00+00:00"] * n,
    )  # fmt: skip


def test_frames_in_which_the_skeleton_is_guessed_are_not_shown():
    ghosts = [0.2, 0.3, 0.9, 0.8, 0.7, 0.5, 0.25]
    assert well_seen(confidences(poses_of(ghosts))) == [2, 3, 4, 5]


def test_of_a_diver_who_is_nowhere_seen_well_the_best_frames_are_shown():
    assert well_seen(confidences(poses_of([0.3, 0.2, 0.1]))) == [0, 1]


def test_of_two_divers_the_surer_one_counts():
    assert confidences(poses_of([0.8, 0.6], persons=2)) == pytest.approx({0: 0.8, 1: 0.6})


def test_a_frame_of_a_video_is_the_one_that_is_asked_for(tmp_path: Path):
    video = write_video(tmp_path / "a.mp4", 6)
    assert painted_number(frame_of_video(video, 4)) == 4
    with pytest.raises(FdposeError, match=r"a\.mp4: expected more than 6 frames, found 6; delete it"):
        frame_of_video(video, 6)


@pytest.mark.parametrize(
    ("flight", "chosen"), [((10, 30), [15, 20, 25]), ((10, None), [20, 25, 30]), ((None, None), [10, 15, 20, 25, 30])]
)
def test_the_picture_of_the_video_is_one_of_the_flight(flight: tuple[int | None, int | None], chosen: list[int]):
    assert in_flight(range(0, 45, 5), flight) == chosen
