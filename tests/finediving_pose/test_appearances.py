"""From when to when a diver is to be seen, by the poses."""

from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.appearances import Appearance, appearances
from finediving_pose.poses import ClipPoses
from tests.finediving_pose.formats.made_up import table


def poses(frames: list[int], absent: tuple[int, ...] = ()) -> ClipPoses:
    visibility = np.full((len(frames), 16), 2, np.uint8)
    visibility[[i for i, frame in enumerate(frames) if frame in absent]] = 0
    return table(frames, [0] * len(frames), np.ones((len(frames), 16, 2)), visibility)


NUMBERS = list(range(100, 200))
TIMES = np.arange(100) / 25


@pytest.mark.parametrize(
    ("frames", "absent", "found"),
    [
        ([], (), []),
        (list(range(110, 150)), tuple(range(110, 150)), []),
        (list(range(110, 150)), (), [Appearance(110, 149, 0.4, 1.96)]),
        ([*range(110, 130), *range(141, 150)], (), [Appearance(110, 149, 0.4, 1.96)]),
        ([*range(110, 130), *range(143, 160)], (), [Appearance(110, 129, 0.4, 1.16), Appearance(143, 159, 1.72, 2.36)]),
        ([*range(110, 130), *range(170, 174)], (), [Appearance(110, 129, 0.4, 1.16)]),
    ],
    ids=["no rows", "no joints", "one", "a hole of half a second", "two", "a flicker"],
)
def test_appearances_are_parted_by_half_a_second(
    frames: list[int], absent: tuple[int, ...], found: list[Appearance]
) -> None:
    assert appearances(poses(frames, absent), NUMBERS, TIMES) == found


def test_without_a_frame_rate_every_run_of_frames_is_one() -> None:
    found = appearances(poses([110, 111, 113]), NUMBERS, np.full(100, np.nan))
    assert [(a.first, a.last) for a in found] == [(110, 111), (113, 113)]


def test_the_times_are_the_clips_own() -> None:
    times = np.cumsum(np.where(np.arange(100) < 20, 0.04, 0.1))
    (found,) = appearances(poses(list(range(110, 130))), NUMBERS, times)
    assert (found.begins, found.ends) == (times[10], times[29])
