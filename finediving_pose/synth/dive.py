"""The motion of a dive, from its number, its height and its faults.

World frame, metres: x away from the board over the water, y across, z up; the water is z = 0 and the end of
the board or platform is x = 0. Seconds count from the first frame of the clip.

On the board the body is placed on its feet (or hands); in the air the centre of mass falls freely and the body
turns with the angular momentum that it took off with; in the water it is slowed down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from finediving_pose.lexicon import DiveNumber
from finediving_pose.synth import body, choreography
from finediving_pose.synth.body import Build, Point
from finediving_pose.synth.faults import Faults
from finediving_pose.synth.flight import Turning, free_turning, turn

GRAVITY = 9.81
FPS = 25
STEP = 0.004
"""Seconds between two samples of the rotation."""


@dataclass(frozen=True, slots=True)
class Motion:
    """A dive as functions of time.

    Attributes
    ----------
    build : the diver's proportions
    knot_time, knot_pose : times (K,) and joint angles (K, 15) between which the pose eases
    grid, somersault, twist, tilt : times (G,) and the three rotations there, radians
    momentum : angular momentum per kilogram about the somersault axis in the air, m²/s
    take_off, touch, end : when the board is left, when the water is touched, when the clip ends
    launch, velocity : centre of mass and its velocity at take-off
    facing : rotation about the body's axis at the start, radians
    support : where feet or hands are on the board: times (S,), x (S,), z (S,)
    on_hands : whether the dive starts from a handstand
    stages : sub-action ids and their first frames
    lane : where across the board the diver dives, metres
    """

    build: Build
    knot_time: NDArray[np.float64]
    knot_pose: NDArray[np.float64]
    grid: NDArray[np.float64]
    somersault: NDArray[np.float64]
    twist: NDArray[np.float64]
    tilt: NDArray[np.float64]
    momentum: float
    take_off: float
    touch: float
    end: float
    launch: NDArray[np.float64]
    velocity: NDArray[np.float64]
    facing: float
    support: NDArray[np.float64]
    on_hands: bool
    stages: tuple[tuple[int, int], ...]
    lane: float = 0.0

    @property
    def n_frames(self) -> int:
        return round(self.end * FPS)

    def points(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of the body (T, N_POINTS, 3) in the world frame at ``time`` (T,) seconds."""
        local = body.body_points(self.pose(time), self.build)
        somersault, twist, tilt = (np.interp(time, self.grid, a) for a in (self.somersault, self.twist, self.tilt))
        relative = turn(local, somersault, twist + self.facing, tilt)
        return relative + self._centre(time, relative)[:, None] + np.array([0, self.lane, 0])

    def pose(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Joint angles (T, 15) at ``time``."""
        return _eased(time, self.knot_time, self.knot_pose, self.take_off)

    def later(self, delay: float, lane: float, end: float) -> Motion:
        """The same dive ``delay`` seconds later in another lane, in a clip of ``end`` seconds."""
        return replace(
            self, knot_time=self.knot_time + delay, grid=self.grid + delay, take_off=self.take_off + delay,
            touch=self.touch + delay, support=self.support + np.array([delay, 0, 0]), lane=lane, end=end,
        )  # fmt: skip

    def _centre(self, time: np.ndarray, relative: np.ndarray) -> np.ndarray:
        held = _held(self.support, self.on_hands, time, relative)
        t = np.minimum(time, self.touch) - self.take_off
        air = self.launch + self.velocity * t[:, None]
        air[:, 2] -= 0.5 * GRAVITY * t**2
        fall = self.velocity - np.array([0, 0, GRAVITY * (self.touch - self.take_off)])
        drag = 0.30
        under = drag * (1 - np.exp(-np.maximum(time - self.touch, 0) / drag))
        air += under[:, None] * fall * np.array([0.6, 1, 1])
        return np.where((time < self.take_off)[:, None], held, air)


def make_motion(dive: DiveNumber, height: float, build: Build, faults: Faults, rng: np.random.Generator) -> Motion:
    """Work out the motion of one dive from ``height`` metres (3 or 10).

    The number must be one whose stages :func:`~finediving_pose.lexicon.expected_sub_actions` knows.
    """
    springboard = height < 5
    sign = 1.0 if dive.direction in ("forward", "back") else -1.0
    facing, side = _facing(dive), float(rng.choice([-1, 1]))
    start = (np.pi if dive.armstand else 0.0) + sign * (0.15 if sign > 0 else 0.06)
    turned = sign * (dive.half_somersaults * np.pi + np.radians(faults.rotation))
    end_angle = (np.pi if dive.armstand else 0.0) + turned
    twists = side * (dive.half_twists * np.pi + np.radians(faults.twist)) if dive.half_twists else 0.0

    before = choreography.approach(dive, springboard, rng)
    head_first = (dive.half_somersaults + dive.armstand) % 2 == 1
    entry = choreography.spoiled_entry(body.STRAIGHT if head_first else body.FEET_FIRST, faults)
    support = before.support + np.array([0, 0, height])
    jump = before.knots[-1][1]
    launch = _held(support, dive.armstand, np.zeros(1), _placed(jump, build, start, facing))[0]
    reach = _placed(entry, build, end_angle, facing + twists)
    velocity = _launch_velocity(dive, springboard, rng)
    drop = launch[2] + reach[0, :, 2].min()
    touch = (velocity[2] + np.sqrt(velocity[2] ** 2 + 2 * GRAVITY * drop)) / GRAVITY
    velocity[0] += faults.distance / touch

    mirror = side * sign * np.cos(facing) > 0
    plan = choreography.plan_flight(dive, springboard, jump, entry, touch, faults, mirror, rng)
    knots = [*before.knots[:-1], *plan.knots, *choreography.under_water(touch, entry)]
    knot_time = np.array([t for t, _ in knots])
    knot_pose = np.array([p for _, p in knots])

    air = np.linspace(0, touch, round(touch / STEP) + 1)
    crooked = side * 0.25 * np.radians(faults.crooked) * _ramp(air, touch - 0.4, touch)
    begin, stop = plan.twisting
    tilted = _ramp(air, begin, begin + 0.26) * (1 - _ramp(air, stop - 0.22, stop)) if dive.half_twists else 0 * air
    points = body.body_points(_eased(air, knot_time, knot_pose, 0.0), build)
    free = free_turning(points, air, start, end_angle, twists, tilted, facing, crooked)

    frames, entry_frames = choreography.clip_and_entry(dive, springboard, rng)
    lead, starts = _cut(plan.stages, frames, entry_frames)
    grid, turning = _whole_turning(free, air, start)
    return Motion(
        build=build, knot_time=knot_time + lead, knot_pose=knot_pose, grid=grid + lead,
        somersault=turning.somersault, twist=turning.twist, tilt=turning.tilt, momentum=free.momentum,
        take_off=lead, touch=touch + lead, end=starts[-1] / FPS, launch=launch, velocity=velocity, facing=facing,
        support=support + np.array([lead, 0, 0]), on_hands=dive.armstand,
        stages=tuple((action, first) for (action, _), first in zip(plan.stages, starts, strict=False)),
    )  # fmt: skip


def _cut(stages: list[tuple[int, float]], frames: float, entry_frames: float) -> tuple[float, list[int]]:
    """Where to begin and to end the clip: seconds before the take-off, first frames of the stages and the end."""
    lead = (frames - entry_frames) / FPS - stages[-1][1]
    lead = float(np.clip(lead, choreography.SHORTEST_APPROACH, choreography.LONGEST_APPROACH))
    starts = [0]
    for _, begin in stages[1:]:
        starts.append(max(int(np.ceil((begin + lead) * FPS)), starts[-1] + 3))
    return lead, [*starts, starts[-1] + round(entry_frames)]


def _whole_turning(free: Turning, air: np.ndarray, start: float) -> tuple[np.ndarray, Turning]:
    """The turning in the air with what leads up to it on the board and what is left of it in the water."""
    step = air[1]
    first, last = np.gradient(free.somersault, step)[[0, -1]]
    upright = np.pi * round(start / np.pi)
    ease = float(np.clip(2 * (start - upright) / first, 0.06, 0.6)) if first else 0.3
    before, after = np.arange(-0.6, 0, step), air[-1] + np.arange(step, 1.0, step)
    leaning = upright + (start - upright) * np.clip(1 + before / ease, 0, 1) ** 2
    slowing = 0.05 * last * (1 - np.exp(-(after - air[-1]) / 0.05))
    grid = np.concatenate([before, air, after])
    somersault = np.concatenate([leaning, free.somersault, free.somersault[-1] + slowing])
    around = (len(before), len(after))
    return grid, Turning(
        somersault, np.pad(free.twist, around, mode="edge"), np.pad(free.tilt, around, mode="edge"), free.momentum
    )


def _placed(pose: body.Pose, build: Build, somersault: float, facing: float) -> np.ndarray:
    """Points (1, N_POINTS, 3) of one pose about its centre of mass, turned."""
    one = np.ones(1)
    return turn(body.body_points(np.array([pose]), build), somersault * one, facing * one, 0 * one)


def _facing(dive: DiveNumber) -> float:
    """Turn about the body's axis at the start; upside down, front and back change sides."""
    water = dive.direction in ("forward", "reverse")
    if dive.armstand:
        return np.pi if dive.direction == "back" else 0.0
    return 0.0 if water else np.pi


def _launch_velocity(dive: DiveNumber, springboard: bool, rng: np.random.Generator) -> np.ndarray:
    """Velocity of the centre of mass at take-off, m/s."""
    if dive.armstand:
        up, out = 0.9, 1.15
    elif springboard:
        up, out = {"forward": (5.1, 1.1), "reverse": (5.0, 0.95)}.get(dive.direction, (4.7, 0.95))
    else:
        up, out = {"forward": (3.2, 1.2), "reverse": (3.0, 1.05)}.get(dive.direction, (2.9, 0.9))
    return np.array([out * rng.uniform(0.9, 1.1), 0.0, up * rng.uniform(0.95, 1.05)])


def _held(support: np.ndarray, on_hands: bool, time: np.ndarray, relative: np.ndarray) -> np.ndarray:
    """Centre of mass (T, 3) of a body whose feet or hands are on the board; ``relative`` is about that centre."""
    ends = [Point.RIGHT_FINGER, Point.LEFT_FINGER] if on_hands else [Point.RIGHT_TOE, Point.LEFT_TOE]
    lowest = ends if on_hands else [*ends, 0, 5]
    clear = 0.0 if on_hands else 0.02
    x = np.interp(time, support[:, 0], support[:, 1]) - relative[:, ends, 0].mean(1)
    z = _eased(time, support[:, 0], support[:, 2:], support[-1, 0])[:, 0] - relative[:, lowest, 2].min(1) + clear
    return np.stack([x, np.zeros_like(x), z], -1)


def _ramp(time: np.ndarray, start: float, stop: float) -> np.ndarray:
    """0 before ``start``, 1 after ``stop``, smooth between."""
    x = np.clip((time - start) / (stop - start), 0, 1)
    return x * x * (3 - 2 * x)


def _eased(time: np.ndarray, knot_time: np.ndarray, knots: np.ndarray, push: float) -> np.ndarray:
    """Values (T, D) easing from knot to knot (K, D), but ever faster up to ``push``, where the board is left."""
    i = np.clip(np.searchsorted(knot_time, time, side="right") - 1, 0, len(knot_time) - 2)
    x = np.clip((time - knot_time[i]) / (knot_time[i + 1] - knot_time[i]), 0, 1)[:, None]
    pushing = np.isclose(knot_time[i + 1], push)[:, None]
    return knots[i] + (knots[i + 1] - knots[i]) * x * x * np.where(pushing, 1, 3 - 2 * x)
