"""An articulated diver: joint angles to points in space, centre of mass, moment of inertia.

Body frame, metres: x to the diver's front, y to the diver's left, z from feet to head along the body's
mean axis (a flexion at the hips turns trunk and legs about equally, as it does in free flight).
Segment lengths follow Drillis and Contini, segment masses Dempster, as tabled in Winter,
Biomechanics and Motor Control of Human Movement.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finediving_pose.skeleton import N_JOINTS


class Point(IntEnum):
    """Points of the body beyond the 16 joints of the skeleton (which come first, by their own index)."""

    RIGHT_TOE = N_JOINTS
    LEFT_TOE = N_JOINTS + 1
    RIGHT_FINGER = N_JOINTS + 2
    LEFT_FINGER = N_JOINTS + 3
    CHEST = N_JOINTS + 4
    WAIST = N_JOINTS + 5
    FACE = N_JOINTS + 6
    SKULL = N_JOINTS + 7
    BUN = N_JOINTS + 8
    RIGHT_GLUTE = N_JOINTS + 9
    LEFT_GLUTE = N_JOINTS + 10
    RIGHT_THIGH = N_JOINTS + 11
    LEFT_THIGH = N_JOINTS + 12
    RIGHT_CALF = N_JOINTS + 13
    LEFT_CALF = N_JOINTS + 14


N_POINTS = N_JOINTS + len(Point)


class Pose(NamedTuple):
    """Joint angles in radians; 0 everywhere is standing to attention with flat feet.

    ``shoulder`` lifts the arm to the front (pi is overhead), ``abduct`` opens it sideways, ``elbow`` bends it,
    ``across`` turns the forearm sideways; ``toes`` points the foot (pi/2 is a straight instep).
    """

    hip: float = 0.0
    split: float = 0.0
    straddle: float = -0.02
    knee: float = 0.0
    spine: float = 0.0
    neck: float = 0.0
    toes: float = 1.45
    right_shoulder: float = 0.0
    right_abduct: float = 0.08
    right_elbow: float = 0.1
    right_across: float = 0.0
    left_shoulder: float = 0.0
    left_abduct: float = 0.08
    left_elbow: float = 0.1
    left_across: float = 0.0

    def mirrored(self) -> Pose:
        """The same pose with right and left changed."""
        swapped = {
            f"{side}_{name}": getattr(self, f"{other}_{name}")
            for side, other in (("right", "left"), ("left", "right"))
            for name in ("shoulder", "abduct", "elbow", "across")
        }
        return self._replace(split=-self.split, **swapped)

    def arms(self, shoulder: float, abduct: float, elbow: float, across: float) -> Pose:
        """The same pose with both arms so."""
        return self._replace(
            right_shoulder=shoulder, right_abduct=abduct, right_elbow=elbow, right_across=across,
            left_shoulder=shoulder, left_abduct=abduct, left_elbow=elbow, left_across=across,
        )  # fmt: skip


STAND = Pose(toes=0.0)
READY = STAND.arms(3.0, 0.05, 0.0, -0.05)
SWING = Pose(hip=0.35, knee=0.35, spine=0.1, toes=0.15).arms(-0.7, 0.35, 0.1, 0.3)
CROUCH = Pose(hip=1.15, knee=1.35, spine=0.3, neck=-0.3, toes=-0.1).arms(0.6, 0.25, 0.4, 0.1)
JUMP = Pose(spine=-0.05, toes=1.3).arms(2.95, 0.05, 0.05, -0.1)
STRAIGHT = Pose().arms(3.14, -0.16, 0.0, -0.2)
FEET_FIRST = Pose().arms(0.05, 0.0, 0.05, 0.0)
PIKE = Pose(hip=2.45, spine=0.4, neck=0.35).arms(1.75, 0.05, 1.15, -0.5)
TUCK = Pose(hip=2.25, knee=2.35, spine=0.75, neck=0.55, toes=1.3).arms(0.3, 0.16, 1.65, -0.28)
SWAN = Pose(spine=-0.12, neck=-0.15).arms(1.3, 1.35, 0.0, 0.0)
TWIST = Pose(spine=0.02)._replace(
    right_shoulder=2.7, right_abduct=0.25, right_elbow=1.75, right_across=-0.35,
    left_shoulder=0.55, left_abduct=0.15, left_elbow=1.5, left_across=-0.75,
)  # fmt: skip
ARMSTAND = Pose(spine=-0.06, neck=-0.5).arms(3.1, 0.02, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Build:
    """Proportions of a diver: stature in metres; limbs, shoulders, hips and girth as factors of the average."""

    stature: float = 1.68
    limbs: float = 1.0
    shoulders: float = 1.0
    hips: float = 1.0
    girth: float = 1.0

    @property
    def proportions(self) -> tuple[float, ...]:
        """All of it, in order."""
        return self.stature, self.limbs, self.shoulders, self.hips, self.girth


def random_build(rng: np.random.Generator, woman: bool) -> Build:
    """A diver drawn from what finals show: small, lean, broad-shouldered when a man."""
    stature = rng.normal(1.60 if woman else 1.69, 0.055)
    return Build(
        stature=float(np.clip(stature, 1.45, 1.85)),
        limbs=float(rng.normal(1.0, 0.025)),
        shoulders=float(rng.normal(0.93 if woman else 1.06, 0.04)),
        hips=float(rng.normal(1.08 if woman else 0.98, 0.04)),
        girth=float(rng.normal(0.93 if woman else 1.04, 0.06)),
    )


def _direction(angle: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Unit vectors ``angle`` from straight down to the front and ``side`` to the left."""
    c = np.cos(side)
    return np.stack([np.sin(angle) * c, np.sin(side), -np.cos(angle) * c], -1)


def body_points(pose: NDArray[np.float64], build: Build) -> NDArray[np.float64]:
    """Points of the body for joint angles.

    Parameters
    ----------
    pose : (T, 15) angles in the order of :class:`Pose`

    Returns
    -------
    (T, N_POINTS, 3) metres in the body frame, origin at the centre of mass.
    """
    a = Pose(*np.asarray(pose, float).T)
    h = build.stature
    out = np.zeros((len(pose), N_POINTS, 3))
    zero = np.zeros(len(pose))
    left = np.array([0.0, 1.0, 0.0])

    lean = 0.45 * np.asarray(a.hip)
    low, high = lean + 0.15 * np.asarray(a.spine), lean + np.asarray(a.spine)
    up = lambda tilt: _direction(np.pi - tilt, zero)  # noqa: E731
    front = lambda tilt: _direction(np.pi / 2 - tilt, zero)  # noqa: E731
    waist = 0.14 * h * up(low)
    thorax = waist + 0.15 * h * up(high)
    neck = thorax + 0.05 * h * up(high + 0.4 * a.neck)
    head_tilt = high + a.neck
    out[:, 7], out[:, 8] = thorax, neck
    out[:, 9] = neck + 0.13 * h * up(head_tilt)
    middle = neck + 0.065 * h * up(head_tilt)
    out[:, Point.FACE] = middle + 0.018 * h * front(head_tilt) - 0.012 * h * up(head_tilt)
    out[:, Point.SKULL] = middle - 0.012 * h * front(head_tilt) + 0.018 * h * up(head_tilt)
    out[:, Point.BUN] = middle - 0.055 * h * front(head_tilt) + 0.05 * h * up(head_tilt)
    out[:, Point.WAIST] = waist
    out[:, Point.CHEST] = waist + 0.10 * h * up(high) + 0.012 * h * front(high)
    _legs(out, a, build, lean, left)
    _arms(out, a, build, high, left, up)
    return out - centre_of_mass(out)[:, None]


def _legs(out: np.ndarray, a: Pose, build: Build, lean: np.ndarray, left: np.ndarray) -> None:
    """Hips, knees, ankles and toes, in place."""
    h, limb = build.stature, build.stature * build.limbs
    thigh_front = np.asarray(a.hip) - lean
    for side, hip, knee, ankle, toe, glute, middle, calf in (
        (-1, 2, 1, 0, Point.RIGHT_TOE, Point.RIGHT_GLUTE, Point.RIGHT_THIGH, Point.RIGHT_CALF),
        (1, 3, 4, 5, Point.LEFT_TOE, Point.LEFT_GLUTE, Point.LEFT_THIGH, Point.LEFT_CALF),
    ):
        thigh = thigh_front - side * np.asarray(a.split)
        shank = thigh - a.knee
        spread = side * np.asarray(a.straddle)
        out[:, hip] = side * 0.048 * h * build.hips * left
        out[:, glute] = 0.55 * out[:, hip] - 0.022 * h * _direction(
            np.pi / 2 - lean + 0.5 * np.asarray(a.hip), 0 * lean
        )
        out[:, knee] = out[:, hip] + 0.243 * limb * _direction(thigh, spread)
        out[:, ankle] = out[:, knee] + 0.243 * limb * _direction(shank, spread)
        out[:, middle] = 0.62 * out[:, hip] + 0.38 * out[:, knee]
        calf_back = 0.013 * h * _direction(shank - np.pi / 2, 0 * shank)
        out[:, calf] = 0.70 * out[:, knee] + 0.30 * out[:, ankle] + calf_back
        out[:, toe] = out[:, ankle] + 0.125 * h * _direction(shank + np.pi / 2 - a.toes, spread)


def _arms(out: np.ndarray, a: Pose, build: Build, trunk: np.ndarray, left: np.ndarray, up) -> None:
    """Shoulders, elbows, wrists and fingers, in place."""
    h, limb = build.stature, build.stature * build.limbs
    for side, shoulder, elbow, wrist, finger, angles in (
        (-1, 12, 11, 10, Point.RIGHT_FINGER, (a.right_shoulder, a.right_abduct, a.right_elbow, a.right_across)),
        (1, 13, 14, 15, Point.LEFT_FINGER, (a.left_shoulder, a.left_abduct, a.left_elbow, a.left_across)),
    ):
        lift, abduct, bend, across = map(np.asarray, angles)
        raised = np.clip(lift / np.pi, 0, 1)[:, None]
        out[:, shoulder] = out[:, 7] + side * h * build.shoulders * (0.112 - 0.014 * raised) * left
        out[:, shoulder] += h * (0.032 * raised - 0.02) * up(trunk)
        out[:, elbow] = out[:, shoulder] + 0.178 * limb * _direction(lift - trunk, side * abduct)
        forearm = _direction(lift + bend - trunk, side * (abduct + across))
        out[:, wrist] = out[:, elbow] + 0.150 * limb * forearm
        out[:, finger] = out[:, wrist] + 0.085 * h * forearm


_SEGMENTS: tuple[tuple[int, int, float], ...] = (
    (8, 9, 0.081), (12, 11, 0.028), (13, 14, 0.028), (11, 10, 0.016), (14, 15, 0.016),
    (10, Point.RIGHT_FINGER, 0.006), (15, Point.LEFT_FINGER, 0.006), (2, 1, 0.100), (3, 4, 0.100),
    (1, 0, 0.0465), (4, 5, 0.0465), (0, Point.RIGHT_TOE, 0.0145), (5, Point.LEFT_TOE, 0.0145),
)  # fmt: skip
"""Ends of a limb or the head, and its share of the body's mass."""

_TRUNK: tuple[tuple[int, int, int, int, float, float], ...] = (
    (6, Point.WAIST, 2, 3, 1.3, 0.260), (Point.WAIST, 7, 12, 13, 0.8, 0.237),
)  # fmt: skip
"""Halves of the trunk: lower and upper end, right and left edge, half breadth in half edges, share of the mass."""


def _particles() -> tuple[np.ndarray, np.ndarray]:
    """Point masses that stand for the segments: weights of the body's points (M, N_POINTS) and masses (M,).

    A limb is two masses, a rod's radius of gyration to both sides of its middle; half a trunk is four, as its
    resistance to a twist needs breadth.
    """
    reach = 1 / np.sqrt(12)
    rows: list[np.ndarray] = []
    masses: list[float] = []
    for a, b, mass in _SEGMENTS:
        for share in (0.5 - reach, 0.5 + reach):
            row = np.zeros(N_POINTS)
            row[[a, b]] = 1 - share, share
            rows.append(row)
            masses.append(mass / 2)
    for low, high, right, left, breadth, mass in _TRUNK:
        for share in (0.5 - reach, 0.5 + reach):
            for side in (-0.5, 0.5):
                row = np.zeros(N_POINTS)
                row[[low, high]] = 1 - share, share
                row[right] -= side * breadth
                row[left] += side * breadth
                rows.append(row)
                masses.append(mass / 4)
    return np.array(rows), np.array(masses) / sum(masses)


_WEIGHTS, MASS = _particles()
"""``MASS`` (M,): share of the body's mass of each of its point masses."""


def particles(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places (T, M, 3) of the point masses of a body with ``points`` (T, N_POINTS, 3), in the same frame."""
    return _WEIGHTS @ points


def centre_of_mass(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre of mass (T, 3) of points (T, N_POINTS, 3), in their own frame."""
    return (MASS @ _WEIGHTS) @ points


def moments_of_inertia(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moments of inertia per kilogram (T, 3), m², about the frame's x, y, z through the centre of mass."""
    place = particles(points) - centre_of_mass(points)[:, None]
    return MASS @ (np.square(place).sum(-1, keepdims=True) - np.square(place))
