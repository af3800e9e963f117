"""What the page picks out and draws; that the command writes it is tested with the command."""

from __future__ import annotations

import base64
from typing import cast

import numpy as np
import pytest
import simplejpeg

from baselines.report.comparisons import choose_shown, compare_worst
from baselines.report.page import dives_by_number
from baselines.report.pictures import FRAMES_A_STAGE, TILE, stage_bounds, stage_pictures
from baselines.runs.predictions import Prediction, Vote
from finediving_pose.clip import ClipKey
from finediving_pose.packed.reader import PackedFile
from tests.baselines.made_up import InMemory, clip


def vote(n: int, score: float, *stages: float) -> Vote:
    return Vote(ClipKey("train", n), score, sum(stages), stages, (5, 12))


def prediction(n: int, true: float, votes: tuple[Vote, ...], number: str = "107b") -> Prediction:
    predicted = float(np.mean([v.score for v in votes]))
    mean = float(np.mean([v.exemplar_score for v in votes]))
    return Prediction(
        ClipKey("test", n), number, 3.0, true, predicted, mean, "dive number", (5, 12), (6, 11), 0.7, votes
    )


VOTES = (vote(0, 60, 1, 1, 8), vote(1, 70, 0, -2, -1), vote(2, 65, 0, 0, 5), vote(3, 90, -1, 0, -4))


def test_shown_are_the_votes_that_led_astray_and_the_nearest() -> None:
    """True 66; the votes say 70, 67, 70 and 85."""
    shown = choose_shown(prediction(0, 66.0, VOTES))
    assert [(why, v.exemplar.index) for why, v in shown] == [
        ("led furthest astray", 3), ("next", 0), ("came nearest", 1),
    ]  # fmt: skip
    assert len(choose_shown(prediction(0, 66.0, VOTES[:2]))) == 2


def test_a_dive_says_where_it_differs_and_by_how_much() -> None:
    (c,) = compare_worst(None, [prediction(0, 66.0, VOTES)])
    assert c.dive.stages == pytest.approx((0.0, -0.25, 2.0))
    assert c.names[c.most] == "entry"
    assert c.names[c.most_of(VOTES[1])] == "flight"
    assert c.seen == pytest.approx(1.75)
    assert c.wanted == pytest.approx(66 - 71.25)
    assert c.range == (60, 90)
    assert c.largest == 8
    assert not c.hardly_differs
    (blind,) = compare_worst(None, [prediction(0, 90.0, (vote(0, 60, 1, 1, 1),))])
    assert blind.hardly_differs, "30 points asked for, a point a stage seen"
    assert c.pictures == []


def test_a_stage_that_is_not_dived_is_not_shown() -> None:
    votes = (Vote(ClipKey("train", 0), 60.0, 3.0, (1.0, 2.0, 0.0, 0.0, 0.0), (5, -1, -1, 12)),)
    p = Prediction(ClipKey("t", 0), "107b", 3.0, 60.0, 63.0, 60.0, "dive number", (), (5, -1, -1, 12), 0.5, votes)
    (c,) = compare_worst(None, [p])
    assert [c.names[s] for s in c.stages] == ["take-off", "first flight", "entry"]


@pytest.mark.parametrize(
    ("transitions", "bounds"),
    [
        ((5, 12), [(0, 5), (5, 12), (12, 20)]),
        ((5, -1, -1, 12), [(0, 5), (5, 12), (0, 0), (0, 0), (12, 20)]),
        ((), [(0, 20)]),
    ],
)
def test_stages_are_cut_at_their_transitions(transitions: tuple[int, ...], bounds: list[tuple[int, int]]) -> None:
    assert stage_bounds(transitions, 20) == bounds


class WithFrames(InMemory):
    def frames(self, i: int, positions: np.ndarray) -> np.ndarray:
        return np.stack([np.full((256, 455, 3), 10 * p, np.uint8) for p in positions])


def test_a_stage_is_a_row_of_its_own_frames_in_order() -> None:
    packed = cast(PackedFile, WithFrames([clip(0, image_height=256)]))
    pictures = stage_pictures(packed, 0, (5, -1, 12))
    assert [bool(p) for p in pictures] == [True, True, False, True]
    for uri, first, last in zip((pictures[0], pictures[1], pictures[3]), (0, 5, 12), (5, 12, 20), strict=True):
        picture = simplejpeg.decode_jpeg(base64.b64decode(uri.partition(",")[2]))
        assert picture.shape[0] == TILE
        assert picture.shape[1] > FRAMES_A_STAGE * TILE
        shades = [np.median(picture[:, round((k + 0.5) * picture.shape[1] / FRAMES_A_STAGE)]) / 10 for k in range(3)]
        assert sorted(shades) == shades
        assert first - 0.5 <= shades[0] < shades[-1] <= last


def test_a_row_a_dive_number_the_most_frequent_first() -> None:
    rows = dives_by_number([prediction(0, 66, VOTES, "205b"), prediction(1, 60, VOTES), prediction(2, 80, VOTES)])
    assert [(r.number, r.dives, r.voters, r.words) for r in rows] == [
        ("107b", 2, 4, "forward 3½ somersaults, pike"), ("205b", 1, 4, "back 2½ somersaults, pike"),
    ]  # fmt: skip
    assert rows[0].bias == pytest.approx(73 - 70)
    assert rows[0].mean_error == pytest.approx((13 + 7) / 2)
    assert rows[0].in_order == 0.5, "both predicted alike"
    assert rows[1].in_order is None
