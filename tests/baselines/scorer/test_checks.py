"""What shows no whole dive is not scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from baselines.scorer.checks import check_filmed
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.kinematics.measure import DiverMeasures, Facts, measure_divers
from tests.finediving_pose.kinematics.made_up import SIZE, MadeUpDive

CLIP = Clip(ClipKey("film", 0), action_type="205b", height_m=10.0)
STAGES = (25,)


def filmed(begins: float = 0.0, ends: float = 9.0, stages: tuple[int, ...] = ()) -> list[DiverMeasures]:
    """A dive, by what was filmed of it: from and to so many seconds."""
    dive = MadeUpDive(50.0)
    seen = (dive.times >= begins) & (dive.times <= ends)
    diver = dive.diver(keypoints=dive.points[seen], confidence=dive.confidence[seen])
    return measure_divers([diver], dive.times[seen], Facts("205b", 10.0, stages))


def test_a_whole_dive_is_scored() -> None:
    check_filmed(CLIP, filmed())


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [
        (0.0, MadeUpDive(50.0).touch - 0.3, "film/0: the entry was not filmed: the clip ends before it"),
        (MadeUpDive(50.0).take_off + 0.1, 9.0, "film/0: the take-off was not filmed: the clip begins in the air"),
    ],
)
def test_a_dive_whose_end_or_beginning_was_not_filmed_is_refused(begins: float, ends: float, said: str) -> None:
    with pytest.raises(PoseError, match=said):
        check_filmed(CLIP, filmed(begins, ends))


def test_who_leaves_the_picture_before_the_water_is_refused() -> None:
    dive = MadeUpDive(50.0)
    picture = (700, round(700 - SIZE * 0.4))
    lowest = np.full_like(dive.points[..., 1], picture[1] - 1.0)
    points = np.stack([dive.points[..., 0], np.minimum(dive.points[..., 1], lowest)], -1)
    confidence = np.where(dive.points[..., 1] > lowest, 0.1, 0.9)
    diver = dive.diver(keypoints=points, confidence=confidence, picture=picture)
    with pytest.raises(PoseError, match="the entry was not filmed: the diver leaves the picture before it"):
        check_filmed(CLIP, measure_divers([diver], dive.times, Facts("205b", 10.0)))


def test_clips_of_a_data_set_are_scored_as_they_were_cut() -> None:
    in_the_air = filmed(ends=MadeUpDive(50.0).touch - 0.3)
    check_filmed(replace(CLIP, source="mtl_aqa"), in_the_air)
    check_filmed(replace(CLIP, start_frame=100, end_frame=140), in_the_air)


def test_labelled_stages_say_that_the_dive_is_whole() -> None:
    check_filmed(CLIP, filmed(ends=MadeUpDive(50.0).touch - 0.3, stages=STAGES))
