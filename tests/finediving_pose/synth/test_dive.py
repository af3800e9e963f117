from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from finediving_pose.lexicon import ENTRY, SUB_ACTIONS, expected_sub_actions, parse_dive_number
from finediving_pose.synth import body
from finediving_pose.synth.body import Build
from finediving_pose.synth.dive import FPS, GRAVITY, Motion, make_motion
from finediving_pose.synth.faults import Faults
from finediving_pose.synth.plan import DIVE_NUMBERS, deal

DIVES = [(n, deal(1, 0, [n])[0].height) for n in DIVE_NUMBERS]
dive = pytest.mark.parametrize(("number", "height"), DIVES)


@cache
def motion(number: str, height: float, faults: Faults = Faults(), seed: int = 0) -> Motion:  # noqa: B008
    return make_motion(parse_dive_number(number), height, Build(), faults, np.random.default_rng(seed))


def centre(m: Motion, time: np.ndarray) -> np.ndarray:
    return body.centre_of_mass(m.points(time))


def momentum(m: Motion) -> np.ndarray:
    """Angular momentum (T, 3) about the centre of mass in the air, of the point masses as they move."""
    step = 0.002
    time = np.arange(m.take_off + 0.005, m.touch - 0.005, step)
    points = m.points(time)
    place = body.particles(points) - body.centre_of_mass(points)[:, None]
    velocity = np.gradient(place, step, axis=0)
    return (np.cross(place, velocity) * body.MASS[:, None]).sum(1)[2:-2]


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
def test_energy_is_kept_in_the_air(number: str, height: float) -> None:
    m = motion(number, height)
    time = np.linspace(m.take_off + 0.01, m.touch - 0.01, 400)
    place = centre(m, time)
    velocity = np.gradient(place, time, axis=0)[1:-1]
    energy = 0.5 * np.square(velocity).sum(1) + GRAVITY * place[1:-1, 2]
    assert np.ptp(energy) < 1e-3 * energy.mean()


@dive
def test_angular_momentum_about_the_somersault_axis_is_kept(number: str, height: float) -> None:
    m = motion(number, height)
    along = momentum(m)[:, 1] / m.momentum
    assert abs(along - 1).mean() < 0.01 and abs(along - 1).max() < 0.12


@dive
def test_a_dive_without_twists_has_no_momentum_about_the_other_axes(number: str, height: float) -> None:
    across = momentum(motion(number, height))[:, ::2] / motion(number, height).momentum
    if not parse_dive_number(number).half_twists:
        assert abs(across).max() < 1e-6
    else:
        assert np.sqrt(np.square(across).sum(1).mean()) < TWISTING


TWISTING = 0.3
"""Of the momentum about the somersault axis, root mean square: a swing of the arms gives only a part of the tilt that
the twists need, and the rest is put in while they swing."""


@dive
def test_a_body_spins_fastest_where_it_is_smallest(number: str, height: float) -> None:
    m = motion(number, height)
    time = np.arange(m.take_off + 0.02, m.touch - 0.02, 0.004)
    inertia = body.moments_of_inertia(body.body_points(m.pose(time), m.build))[:, 1]
    rate = abs(np.gradient(np.interp(time, m.grid, m.somersault), time))
    small, large = inertia <= np.percentile(inertia, 10), inertia >= np.percentile(inertia, 90)
    # A straight dive of half a somersault has one size only.
    assert rate[small].mean() > 1.5 * rate[large].mean() or np.ptp(inertia) < 0.1


@dive
def test_a_body_is_tilted_no_more_than_divers_are(number: str, height: float) -> None:
    m = motion(number, height)
    tilt = np.degrees(abs(m.tilt)).max()
    assert (5 < tilt < 40) if parse_dive_number(number).half_twists else tilt == 0


@dive
def test_it_turns_and_twists_as_often_as_its_number_says(number: str, height: float) -> None:
    m, named = motion(number, height), parse_dive_number(number)
    turned = np.interp(m.touch, m.grid, m.somersault) - np.pi * named.armstand
    sign = 1 if named.direction in ("forward", "back") else -1
    assert turned == pytest.approx(sign * np.pi * named.half_somersaults, abs=1e-6)
    assert m.somersault[0] == pytest.approx(np.pi * named.armstand)
    assert abs(m.twist[-1]) == pytest.approx(np.pi * named.half_twists)
    assert m.twist[np.searchsorted(m.grid, m.take_off) - 1] == 0


@dive
def test_it_enters_head_first_or_feet_first_as_its_number_says(number: str, height: float) -> None:
    m, named = motion(number, height), parse_dive_number(number)
    points = m.points(np.array([m.touch]))[0]
    head_first = (named.half_somersaults % 2 == 1) != named.armstand
    assert (points[9, 2] < points[[0, 5], 2].mean()) == head_first


@dive
def test_it_shows_the_position_of_its_number(number: str, height: float) -> None:
    m, named = motion(number, height), parse_dive_number(number)
    pose = m.pose(np.arange(m.take_off, m.touch - 0.1, 0.01))
    hip, knee = pose[:, 0], pose[:, 3]
    if named.position == "straight":
        assert hip.max() < 0.3 and knee.max() < 0.3
    else:
        assert hip.max() > 2.0 and (knee.max() > 2) == (named.position == "tuck")
    if named.half_twists:
        arms = abs(pose[:, 7] - pose[:, 11])
        assert arms.max() > 1.5 and hip[arms.argmax()] < 0.4


def test_a_flying_dive_is_straight_before_its_position() -> None:
    pose = [motion(n, 3).pose(np.array([motion(n, 3).take_off + 0.3]))[0] for n in ("103b", "113b")]
    assert pose[0][0] > 1.5 and pose[1][0] < 0.2


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


@pytest.mark.parametrize(
    ("number", "faces_water", "hips_move_out"), [("612b", False, True), ("626c", True, True), ("636c", False, False)]
)
def test_armstands_stand_on_the_hands_and_fall_their_own_way(
    number: str, faces_water: bool, hips_move_out: bool
) -> None:
    m = motion(number, 10)
    still, falling = m.points(np.array([0.0, m.take_off + 0.3]))
    assert still[[18, 19], 2].min() == pytest.approx(10, abs=0.01)
    assert still[[0, 5], 2].min() > 11.5
    front = np.cross(still[13] - still[12], still[7] - still[6])
    assert (front[0] > 0) == faces_water
    assert (falling[6, 0] > falling[7, 0]) == hips_move_out


@dive
def test_stages_of_the_motion_are_those_of_the_number(number: str, height: float) -> None:
    assert expected_sub_actions(parse_dive_number(number)) == tuple(a for a, _ in motion(number, height).stages)


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
    assert starts[1] / FPS >= m.take_off and starts[-1] / FPS < m.touch < m.end


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
        (Faults(twist=40), lambda p: p[12] - p[13]),
        (Faults(distance=1), lambda p: p[7]),
    ],
)
def test_a_fault_changes_the_entry(faults: Faults, look) -> None:
    good, bad = (m.points(np.array([m.touch]))[0] for m in (motion("5253b", 10), motion("5253b", 10, faults)))
    assert np.linalg.norm(look(good) - look(bad)) > 0.08


def test_who_comes_out_late_is_still_closed_before_the_entry() -> None:
    good, bad = (motion("407c", 10, f) for f in (Faults(), Faults(late=0.14)))
    hip = [m.pose(np.array([m.touch - 0.2]))[0, 0] for m in (good, bad)]
    assert hip[1] > hip[0] + 0.5


def test_a_loose_pike_is_open() -> None:
    good, bad = (motion("205b", 3, f) for f in (Faults(), Faults(loose=50)))
    gap = [
        np.linalg.norm(m.points(np.array([m.take_off + 0.6]))[0][8] - m.points(np.array([m.take_off + 0.6]))[0][0])
        for m in (good, bad)
    ]
    assert gap[1] > gap[0] + 0.3
