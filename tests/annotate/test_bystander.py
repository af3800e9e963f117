"""Who stands still after a fall, by made-up steps, and by filmed squares that a camera follows."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from annotate.bystander import LONG, stands_after_fall, steps_of
from annotate.pipeline import Found, poses_of_clips
from finediving_pose.clip import ClipKey
from finediving_pose.frames import FrameFolder, frame_name
from tests.annotate.made_up import panorama
from tests.annotate.test_pipeline import HEIGHT, SIDE, WIDTH, Middles, Squares

WAIT, OFFICIAL = 20, 25


def still(frames: int) -> np.ndarray:
    """Steps of somebody who stands, and of whom the box trembles: (frames, 2), in sizes."""
    return np.random.default_rng(frames).normal(0, 0.01, (frames, 2))


def fall(frames: int = 16, height: float = 3.0) -> np.ndarray:
    """Steps of a fall from rest, so many sizes high."""
    way = height * np.linspace(0, 1, frames + 1) ** 2
    return np.stack([np.full(frames, 0.03), np.diff(way)], axis=1)


def jump(right: float, down: float) -> np.ndarray:
    return np.array([[right, down]])


def standing(*parts: np.ndarray) -> list[int]:
    """The frames in which somebody stands after the fall, in one shot."""
    steps = np.concatenate(parts)
    return np.flatnonzero(stands_after_fall(steps, [slice(0, len(steps))])).tolist()


def standing_in_shots(*shots: list[np.ndarray]) -> list[list[int]]:
    """The same in several shots, counted from the start of each."""
    steps = [np.concatenate(parts) for parts in shots]
    ends = np.cumsum([0, *map(len, steps)]).tolist()
    there = stands_after_fall(np.concatenate(steps), [slice(a, b) for a, b in pairwise(ends)])
    return [np.flatnonzero(there[a:b]).tolist() for a, b in pairwise(ends)]


def test_an_official_who_is_found_after_the_dive_stands_there_to_the_end() -> None:
    steps = still(WAIT), fall(), jump(0.9, -0.4), still(OFFICIAL)
    found, n = standing(*steps), sum(map(len, steps))
    assert found == list(range(found[0], n))
    assert WAIT + 16 < found[0] <= WAIT + 16 + 5, "not the frames in which feet go under, and soon after"


def test_an_official_and_the_reflection_in_turns_stand_as_well() -> None:
    found = standing(still(WAIT), fall(), jump(0.9, -0.4), still(9), jump(0, 0.6), still(9), jump(0, -0.6), still(9))
    assert len(found) >= 25


def test_a_diver_stands_before_the_flight_for_as_long_as_they_like() -> None:
    assert standing(still(200), fall()) == []
    assert standing(still(50)) == []


def test_a_hurdle_is_no_fall() -> None:
    """Up and down by less than oneself, then still at the end of the board."""
    assert standing(still(WAIT), -fall(8, 0.6)[::-1], fall(8, 0.6), still(30)) == []


def test_a_jump_down_is_no_fall() -> None:
    """Somebody in the stands was found first, then the diver on the board."""
    assert standing(still(WAIT), jump(1, 4), still(60)) == []


def test_who_moves_after_the_fall_may_be_the_diver_who_comes_up() -> None:
    swim = np.tile([0.15, 0.0], (40, 1))
    assert standing(still(WAIT), fall(), swim) == []


def test_a_short_rest_after_the_fall_is_the_last_that_is_seen_of_the_feet() -> None:
    assert standing(still(WAIT), fall(), still(LONG - 1)) == []


def test_the_next_diver_in_the_same_shot_waits_and_is_there() -> None:
    first = WAIT + 16 + 1 + 60 + 16
    found = standing(still(WAIT), fall(), jump(0.2, -3), still(60), fall(), jump(0.9, 0), still(OFFICIAL))
    assert found and found[0] > first


def test_an_official_in_a_shot_after_the_dive_s_stands_there_from_its_first_frame_on() -> None:
    dive, official = standing_in_shots([still(WAIT), fall()], [jump(9, 9), still(OFFICIAL)])
    assert dive == [] and official == list(range(OFFICIAL + 1))


def test_before_the_dive_somebody_stands_in_a_shot_of_their_own_and_before_it_is_shown_again() -> None:
    close = [jump(9, 9), still(OFFICIAL)]
    dive = [jump(9, 9), still(WAIT), fall()]
    assert standing_in_shots(close, dive, dive) == [[], [], []]


def test_a_video_of_more_frames_a_second_is_the_same_but_for_more_frames() -> None:
    found = standing(still(2 * WAIT) / 2, fall(32), jump(0.9, -0.4), still(2 * OFFICIAL) / 2)
    assert found[-1] - found[0] + 1 == len(found) >= 2 * OFFICIAL - 8


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_a_shot_may_be_as_short_as_it_likes(frames: int) -> None:
    assert standing(np.zeros((frames, 2))) == []


def test_whom_the_camera_follows_moves_against_the_background() -> None:
    """The box stays in the middle of the picture, while the background goes up by 12 pixels."""
    boxes = np.tile([100.0, 100.0, 160.0, 180.0], (5, 1))  # a diagonal of 100
    steps = steps_of(boxes, np.tile([2.0, -12.0], (5, 1)))
    np.testing.assert_allclose(steps[1:], np.tile([-0.02, 0.12], (4, 1)))


def film(folder: Path, official: bool) -> FrameFolder:
    """A white square waits, falls while the camera follows, and is gone; another stands beside, if asked for.

    The diver is there in the first 32 of 60 frames.
    """
    folder.mkdir()
    wide = panorama(HEIGHT + 900, WIDTH) // 3
    fall = np.cumsum(np.linspace(1, 30, 20)).astype(int)
    top = np.concatenate([np.zeros(12, int), fall, np.full(28, fall[-1])])
    for i, camera in enumerate(top.tolist()):
        picture = np.repeat(wide[camera : camera + HEIGHT, :, :1], 3, axis=2)
        if i < 32:
            picture[60 : 60 + SIDE, 140 : 140 + SIDE] = 255
        elif official:
            picture[90 : 90 + SIDE, 240 : 240 + SIDE] = 255
        (folder / frame_name(i)).write_bytes(simplejpeg.encode_jpeg(picture, 95, colorspace="RGB"))
    numbers = tuple(range(len(top)))
    return FrameFolder(ClipKey(folder.name, 0), folder, numbers, WIDTH, HEIGHT, "squares", (), 25.0, "")


@pytest.mark.slow
@pytest.mark.parametrize("official", [True, False])
def test_an_official_beside_the_pool_has_no_pose(tmp_path: Path, official: bool) -> None:
    folder = film(tmp_path / "clip", official)
    found = poses_of_clips([folder], Squares(), Middles())[folder.key]
    assert isinstance(found, Found)
    there = found.poses.has_diver
    assert there[:31].all()
    assert not there[38:].any()
    if official:
        everywhere = poses_of_clips([folder], Squares(), Middles(), presence=False)[folder.key]
        assert isinstance(everywhere, Found) and everywhere.poses.has_diver[40:].all(), "it is found, and left out"
