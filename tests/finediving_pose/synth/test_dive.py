from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.lexicon import ENTRY, SUB_ACTIONS, expected_sub_actions, parse_dive_number
from finediving_pose.synth.body import Build
from finediving_pose.synth.dive import FPS, GRAVITY, Motion, make_motion
from finediving_pose.synth.judge import Faults

DIVES = [
    ("107b", 10), ("205b", 3), ("305b", 3), ("407c", 10), ("5253b", 10), ("5152b", 3), ("5154b", 3), ("5353b", 3),
    ("6243d", 10), ("626c", 10), ("201b", 3), ("405b", 10), ("109c", 10),
]  # fmt: skip
dive = pytest.mark.parametrize(("number", "height"), DIVES)


def motion(number: str, height: float, faults: Faults | None = None, seed: int = 0) -> Motion:
    return make_motion(parse_dive_number(number), height, Build(), faults or Faults(), np.random.default_rng(seed))


def centre(m: Motion, time: np.ndarray) -> np.ndarray:
    from finediving_pose.synth.body import centre_of_mass

    return centre_of_mass(m.points(time))


@dive
def test_the_centre_of_mass_falls_freely(number: str, height: float) -> None:
    m = motion(number, height)
    time = np.linspace(m.take_off + 0.01, m.touch - 0.01, 50)
    acceleration = np.diff(centre(m, time), 2, axis=0) / (time[1] - time[0]) ** 2
    assert np.allclose(acceleration, [0, 0, -GRAVITY], atol=1e-6)


@dive
def test_the_fall_takes_as_long_as_the_height_says(number: str, height: float) -> None:
    m = motion(number, height)
    start, end = centre(m, np.array([m.take_off, m.touch]))[:, 2]
    up = m.velocity[2]
    expected = (up + np.sqrt(up**2 + 2 * GRAVITY * (start - end))) / GRAVITY
    assert m.touch - m.take_off == pytest.approx(expected, rel=0.02)
    assert height + 0.5 < start < height + 1.5
    assert m.points(np.array([m.touch]))[0, :, 2].min() == pytest.approx(0, abs=0.03)


@dive
def test_it_turns_and_twists_as_often_as_its_number_says(number: str, height: float) -> None:
    m, named = motion(number, height), parse_dive_number(number)
    turned = m.somersault[-1] - m.somersault[0]
    sign = 1 if named.direction in ("forward", "back") else -1
    assert turned == pytest.approx(sign * np.pi * named.half_somersaults, abs=1e-6)
    assert abs(m.twist[-1]) == pytest.approx(np.pi * named.half_twists)
    assert m.twist[np.searchsorted(m.grid, m.take_off) - 1] == 0


@dive
def test_it_enters_head_first_or_feet_first_as_its_number_says(number: str, height: float) -> None:
    m, named = motion(number, height), parse_dive_number(number)
    points = m.points(np.array([m.touch]))[0]
    head_first = (named.half_somersaults % 2 == 1) != named.armstand
    assert (points[9, 2] < points[[0, 5], 2].mean()) == head_first


def test_a_jump_enters_feet_first() -> None:
    m = motion("102b", 3)
    points = m.points(np.array([m.touch]))[0]
    assert points[9, 2] > points[0, 2] + 1


@pytest.mark.parametrize(
    ("number", "faces_water", "head_moves_out"),
    [("107b", True, True), ("205b", False, True), ("305b", True, False), ("407c", False, False)],
)
def test_the_groups_face_and_turn_their_own_way(number: str, faces_water: bool, head_moves_out: bool) -> None:
    m = motion(number, 3)
    before, after = m.points(np.array([m.take_off - 0.05, m.take_off + 0.12]))
    toes_ahead = before[[16, 17], 0].mean() - before[[0, 5], 0].mean()
    assert (toes_ahead > 0) == faces_water
    lean = (after[7] - after[6])[0] / np.linalg.norm(after[7] - after[6])
    assert (lean > 0) == head_moves_out


def test_an_armstand_starts_on_the_hands_above_the_platform() -> None:
    points = motion("6243d", 10).points(np.array([0.0]))[0]
    assert points[[18, 19], 2].min() == pytest.approx(10, abs=0.01)
    assert points[[0, 5], 2].min() > 11.5


@dive
def test_nobody_goes_through_the_board(number: str, height: float) -> None:
    m = motion(number, height)
    time = np.linspace(0, m.take_off, 40)
    dip = 0.5 if height < 5 else 0.0
    assert m.points(time)[:, [0, 5, 16, 17], 2].min() > height - dip - 0.03
    after = m.points(np.linspace(m.take_off, m.touch, 60))
    assert after[..., 0][after[..., 2] < height].min() > -0.6


@dive
def test_stages_are_upstreams_and_in_order(number: str, height: float) -> None:
    m = motion(number, height)
    actions, starts = zip(*m.stages, strict=True)
    assert actions == expected_sub_actions(parse_dive_number(number))
    assert all(a in SUB_ACTIONS for a in actions) and actions[-1] == ENTRY
    assert starts[0] == 0 and np.diff([*starts, m.n_frames]).min() >= 3
    assert starts[1] / FPS >= m.take_off and starts[-1] / FPS < m.touch
    assert 60 <= m.n_frames <= 100


def test_a_tucked_dive_spins_faster_in_the_tuck_than_at_the_entry() -> None:
    m = motion("407c", 10)
    rate = np.abs(np.gradient(m.somersault, m.grid))
    middle = rate[np.searchsorted(m.grid, (m.take_off + m.touch) / 2)]
    assert middle > 2 * rate[np.searchsorted(m.grid, m.touch - 0.05)]


@pytest.mark.parametrize(
    ("faults", "look"),
    [
        (Faults(rotation=30), lambda p: p[[0, 5], :3:2].mean(0) - p[7, :3:2]),
        (Faults(knees=40), lambda p: p[1] - p[0]),
        (Faults(split=30), lambda p: p[0] - p[5]),
        (Faults(crooked=40), lambda p: p[7] - p[6]),
    ],
)
def test_a_fault_changes_the_entry(faults: Faults, look) -> None:
    good, bad = (m.points(np.array([m.touch]))[0] for m in (motion("205b", 3), motion("205b", 3, faults)))
    assert np.linalg.norm(look(good) - look(bad)) > 0.08


def test_a_loose_pike_is_open() -> None:
    good, bad = (motion("205b", 3, f) for f in (Faults(), Faults(loose=50)))
    gap = [
        np.linalg.norm(m.points(np.array([m.take_off + 0.6]))[0][8] - m.points(np.array([m.take_off + 0.6]))[0][0])
        for m in (good, bad)
    ]
    assert gap[1] > gap[0] + 0.3
