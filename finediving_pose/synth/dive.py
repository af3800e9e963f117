"""The motion of a dive, from its number, its height and its faults.

World frame, metres: x away from the board over the water, y across, z up; the water is z = 0 and the end of
the board or platform is x = 0. Seconds count from the first frame of the clip.

On the board the body is placed on its feet (or hands); in the air the centre of mass falls freely and the body
turns at L / I(t), with the angular momentum L chosen so that the total rotation is the dive number's; in the
water it is slowed down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finediving_pose.lexicon import SUB_ACTIONS, DiveNumber, expected_sub_actions
from finediving_pose.synth import body
from finediving_pose.synth.body import Build, Point, Pose
from finediving_pose.synth.judge import Faults

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
    take_off, touch, end : when the board is left, when the water is touched, when the clip ends
    launch, velocity : centre of mass and its velocity at take-off
    facing : rotation about the body's axis at the start, radians
    support : where feet or hands are on the board: times (S,), x (S,), z (S,)
    on_hands : whether the dive starts from a handstand
    stages : sub-action ids and their first frames
    """

    build: Build
    knot_time: np.ndarray
    knot_pose: np.ndarray
    grid: np.ndarray
    somersault: np.ndarray
    twist: np.ndarray
    tilt: np.ndarray
    take_off: float
    touch: float
    end: float
    launch: np.ndarray
    velocity: np.ndarray
    facing: float
    support: np.ndarray
    on_hands: bool
    stages: tuple[tuple[int, int], ...]

    @property
    def n_frames(self) -> int:
        return round(self.end * FPS)

    def points(self, time: np.ndarray) -> np.ndarray:
        """Points of the body (T, N_POINTS, 3) in the world frame at ``time`` (T,) seconds."""
        relative = self._turned(time)
        return relative + self._centre(time, relative)[:, None]

    def pose(self, time: np.ndarray) -> np.ndarray:
        """Joint angles (T, 15) at ``time``."""
        return _eased(time, self.knot_time, self.knot_pose, self.take_off)

    def _turned(self, time: np.ndarray) -> np.ndarray:
        local = body.body_points(self.pose(time), self.build)
        angles = [np.interp(time, self.grid, a) for a in (self.somersault, self.twist, self.tilt)]
        return _turn(local, np.stack(angles, -1), self.facing)

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
    sign = 1.0 if dive.direction in ("forward", "back") else -1.0
    start_angle = np.pi if dive.armstand else 0.0
    lean = 0.12 if dive.direction in ("forward", "back") else 0.04
    head_first = (dive.half_somersaults + dive.armstand) % 2 == 1
    take_off, before, support = _before(dive, height, rng)
    velocity = _launch_velocity(dive, height, rng)

    entry = _spoiled_entry(body.STRAIGHT if head_first else body.FEET_FIRST, faults)
    end_angle = sign * (dive.half_somersaults * np.pi + np.radians(faults.rotation))
    facing = _facing(dive)
    tilt_end = np.radians(faults.crooked) * 0.25 * rng.choice([-1, 1])

    leaning = np.array([[start_angle + sign * lean, 0.0, 0.0]])
    stance = _turn(body.body_points(np.array([before[-1][1]]), build), leaning, facing)
    launch = _held(support, dive.armstand, np.array([take_off]), stance)[0]
    entering = np.array([[start_angle + end_angle, dive.half_twists * np.pi, tilt_end]])
    reach = _turn(body.body_points(np.array([entry]), build), entering, facing)
    drop = launch[2] + reach[0, :, 2].min()
    flight = (velocity[2] + np.sqrt(velocity[2] ** 2 + 2 * GRAVITY * drop)) / GRAVITY
    touch = take_off + flight
    end = round((touch + rng.uniform(0.72, 0.88)) * FPS) / FPS

    knots, stages, twist_span = _flight(dive, before[-1][1], entry, take_off, touch, faults)
    knots = [*before[:-1], *knots, (touch + 0.1, entry), (touch + 0.4, entry._replace(knee=entry.knee + 0.2))]
    knot_time = np.array([t for t, _ in knots])
    knot_pose = np.array([p for _, p in knots])

    grid = np.arange(0, end + 2 * STEP, STEP)
    somersault = _somersault(grid, knot_time, knot_pose, build, take_off, touch, sign * lean, end_angle)
    twist = rng.choice([-1, 1]) * dive.half_twists * np.pi * _ramp(grid, *twist_span)
    tilt = 0.16 * np.sign(twist[-1]) * np.sin(np.pi * np.clip((grid - twist_span[0]) / np.ptp(twist_span), 0, 1))
    tilt = tilt * bool(dive.half_twists) + tilt_end * _ramp(grid, touch - 0.5, touch)
    return Motion(
        build=build, knot_time=knot_time, knot_pose=knot_pose, grid=grid, somersault=start_angle + somersault,
        twist=twist, tilt=tilt, take_off=take_off, touch=touch, end=end, launch=launch, velocity=velocity,
        facing=facing, support=support, on_hands=dive.armstand, stages=stages,
    )  # fmt: skip


def _facing(dive: DiveNumber) -> float:
    """Turn about the body's axis at the start; upside down, front and back change sides."""
    water = dive.direction in ("forward", "reverse")
    if dive.armstand:
        return np.pi if dive.direction == "back" else 0.0
    return 0.0 if water else np.pi


def _launch_velocity(dive: DiveNumber, height: float, rng: np.random.Generator) -> np.ndarray:
    """Velocity of the centre of mass at take-off, m/s."""
    if dive.armstand:
        up, out = 0.9, 0.75
    elif height < 5:
        up, out = {"forward": (5.1, 1.1), "reverse": (5.0, 0.95)}.get(dive.direction, (4.7, 0.95))
    else:
        up, out = {"forward": (3.2, 1.2), "reverse": (3.0, 1.05)}.get(dive.direction, (2.9, 0.9))
    return np.array([out * rng.uniform(0.9, 1.1), 0.0, up * rng.uniform(0.95, 1.05)])


def _before(
    dive: DiveNumber, height: float, rng: np.random.Generator
) -> tuple[float, list[tuple[float, Pose]], np.ndarray]:
    """Approach, stance and take-off: their length, pose knots (the last is the take-off), and the support's path."""
    springboard = height < 5
    dip, push = (0.42, 0.32) if springboard else (0.0, 0.24)
    if dive.armstand:
        length = rng.uniform(0.75, 1.05)
        knots = [
            (0.0, body.ARMSTAND),
            (length - 0.35, body.ARMSTAND),
            (length, body.ARMSTAND._replace(hip=0.25, spine=0.1)),
        ]
        return length, knots, np.array([[0.0, -0.10, height], [length, -0.10, height]])
    if dive.direction in ("forward", "reverse"):
        length = rng.uniform(0.95, 1.15)
        stride = body.STAND._replace(split=0.35, knee=0.25, hip=0.15).arms(0.2, 0.2, 0.2, 0)
        hurdle = body.STAND._replace(hip=0.5, knee=0.8, toes=1.2).arms(2.6, 0.25, 0.1, 0.0)
        press, land = length - push, length - push - 0.2
        crouch = body.CROUCH if not springboard else body.CROUCH.arms(0.3, 0.3, 0.3, 0.1)
        knots = [
            (0.0, stride), (land - 0.42, stride._replace(split=-0.3)), (land - 0.2, hurdle),
            (land, body.SWING._replace(hip=0.6, knee=0.6)), (press, crouch), (length, body.JUMP),
        ]  # fmt: skip
        walk = [(0.0, -1.25, 0.0), (land - 0.40, -0.75, 0.0), (land - 0.2, -0.35, 0.24), (land, -0.07, 0.0)]
        path = [*walk, (press, -0.05, -dip), (length, -0.05, 0.0)]
    else:
        length = rng.uniform(0.85, 1.1)
        press = length - push
        knots = [
            (0.0, body.READY._replace(toes=0.5)), (press - 0.45, body.READY._replace(toes=0.5)),
            (press - 0.15, body.SWING), (press, body.CROUCH), (length, body.JUMP),
        ]  # fmt: skip
        path = [(0.0, -0.06, 0.0), (press - 0.25, -0.06, 0.02), (press, -0.06, -0.8 * dip), (length, -0.05, 0.0)]
    return length, knots, np.array([(t, x, height + z) for t, x, z in path])


def _spoiled(pose: Pose, faults: Faults) -> Pose:
    """A position in the air with the diver's faults in it."""
    loose, knees, split = (np.radians(v) for v in (faults.loose, faults.knees, faults.split))
    if pose is body.TUCK:
        return pose._replace(
            hip=pose.hip - 0.9 * loose, knee=pose.knee - 0.8 * loose, straddle=0.02 + 0.7 * split, split=0.25 * split,
            spine=pose.spine - 0.4 * loose,
        )  # fmt: skip
    if pose is body.PIKE:
        return pose._replace(hip=pose.hip - loose, knee=knees, straddle=0.3 * split, split=0.45 * split)
    return pose._replace(knee=0.8 * knees, straddle=0.3 * split, split=0.6 * split)


def _spoiled_entry(pose: Pose, faults: Faults) -> Pose:
    """The entry with the diver's faults in it."""
    crooked, knees, split = (np.radians(v) for v in (faults.crooked, faults.knees, faults.split))
    return pose._replace(
        hip=0.9 * crooked, spine=-0.3 * crooked, knee=0.6 * knees, straddle=pose.straddle + 0.25 * split,
        split=0.35 * split, toes=pose.toes - 0.4 * knees,
    )  # fmt: skip


def _flight(
    dive: DiveNumber, jump: Pose, entry: Pose, take_off: float, touch: float, faults: Faults
) -> tuple[list[tuple[float, Pose]], tuple[tuple[int, int], ...], tuple[float, float]]:
    """Pose knots in the air, the stages with their first frames, and when the twist begins and ends."""
    first, *middle, last = expected_sub_actions(dive)
    opening = touch - 0.36
    twisting = [i for i in middle if "Twist" in SUB_ACTIONS[i]]
    twist_time = min(0.20 + 0.125 * dive.half_twists, 0.6 * (opening - take_off)) if twisting else 0.0
    rest = opening - take_off - twist_time
    share = {1: (1.0,), 2: (0.0, 1.0), 3: (0.52, 0.0, 0.48)}[len(middle)]
    lengths = [twist_time if i in twisting else part * rest for i, part in zip(middle, share, strict=True)]
    knots: list[tuple[float, Pose]] = [(take_off, jump)]
    stages = [(first, 0)]
    twist_span = (take_off, take_off + 1.0)
    begin = take_off
    for action, length in zip(middle, lengths, strict=True):
        name = SUB_ACTIONS[action]
        pose = body.TWIST if action in twisting else body.TUCK if "Tuck" in name else body.PIKE
        held = _spoiled(pose, faults)
        ease = min(0.26 if begin == take_off else 0.2, 0.6 * length)
        knots += [(begin + ease, held), (begin + length, held)]
        stages.append((action, int(np.ceil((begin + 0.4 * ease) * FPS))))
        if action in twisting:
            twist_span = (begin + 0.2 * ease, begin + length + 0.5 * 0.2)
        begin += length
    knots.append((touch - 0.08, entry))
    stages.append((last, int(np.ceil((opening + 0.1) * FPS))))
    return knots, tuple(stages), twist_span


def _somersault(
    grid: np.ndarray, knot_time: np.ndarray, knot_pose: np.ndarray, build: Build,
    take_off: float, touch: float, lean: float, end_angle: float,
) -> np.ndarray:  # fmt: skip
    """Somersault angle on ``grid``: leaning on the board, then L / I(t) until the touch, then nearly still."""
    points = body.body_points(_eased(grid, knot_time, knot_pose, take_off), build)
    rate = 1 / body.moment_of_inertia(points, build)
    rate *= (grid >= take_off) & (grid < touch)
    turned = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2)])
    angle = lean * np.clip((grid - take_off + 0.35) / 0.35, 0, 1) ** 2 + (end_angle - lean) * turned / turned[-1]
    return angle


def _held(support: np.ndarray, on_hands: bool, time: np.ndarray, relative: np.ndarray) -> np.ndarray:
    """Centre of mass (T, 3) of a body whose feet or hands are on the board; ``relative`` is about that centre."""
    ends = [Point.RIGHT_FINGER, Point.LEFT_FINGER] if on_hands else [Point.RIGHT_TOE, Point.LEFT_TOE]
    lowest = ends if on_hands else [*ends, 0, 5]
    clear = 0.0 if on_hands else 0.02
    x = np.interp(time, support[:, 0], support[:, 1]) - relative[:, ends, 0].mean(1)
    z = _eased(time, support[:, 0], support[:, 2:], support[-1, 0])[:, 0] - relative[:, lowest, 2].min(1) + clear
    return np.stack([x, np.zeros_like(x), z], -1)


def _turn(points: np.ndarray, angles: np.ndarray, facing: float) -> np.ndarray:
    """Turn points (T, P, 3) by angles (T, 3): somersault about the world's y, twist about the body, tilt about x."""
    from scipy.spatial.transform import Rotation

    somersault, twist, tilt = angles.T
    turn = Rotation.from_euler("zyx", np.stack([twist + facing, somersault, tilt], -1)).as_matrix()
    return np.einsum("tij,tpj->tpi", turn, points)


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
