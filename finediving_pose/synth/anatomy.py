"""The skin of a diver: rings around the points of a body, joined to tubes.

A ring has ``SIDES`` corners in the plane of two directions of its segment, so a chest is broad from the front and
narrow from the side, feet point to where toes do, and front and back can be painted differently. Face k of a strip
between two rings looks to ``ANGLES[k]``: 0 is the segment's left, a quarter turn its front, three quarters its back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from finediving_pose.synth.body import N_POINTS, Build, Point

SIDES = 16
ANGLES = np.arange(SIDES) * 2 * np.pi / SIDES
_CORNERS = ANGLES - np.pi / SIDES

P = Point
Anchor = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Ring:
    """A cross-section: where (a mixture of points, then metres per stature left, front, along), its half axes."""

    segment: str
    anchor: Anchor
    shift: tuple[float, float, float]
    half: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Tube:
    """Rings of one part of the body. ``levels``: what a painter calls the rings, ascending or descending."""

    name: str
    limb: str
    rings: tuple[Ring, ...]
    levels: tuple[float, ...]


LIMBS = ("trunk", "head", "right leg", "left leg", "right arm", "left arm")


def _trunk(woman: bool) -> Tube:
    """From the crotch to the neck; levels are statures above the hips."""
    bust = 0.010 if woman else 0.0
    table: tuple[tuple[str, Anchor, float, float, float, float], ...] = (
        ("pelvis", {6: 1.0}, -0.060, 0.000, 0.020, 0.022),
        ("pelvis", {6: 1.0}, -0.045, -0.004, 0.068, 0.050),
        ("pelvis", {6: 1.0}, -0.010, -0.008, 0.093, 0.062),
        ("pelvis", {6: 1.0}, 0.030, -0.006, 0.092, 0.060),
        ("pelvis", {6: 0.4, P.WAIST: 0.6}, 0.000, -0.002, 0.081, 0.052),
        ("thorax", {P.WAIST: 1.0}, 0.000, 0.000, 0.076, 0.050),
        ("thorax", {P.WAIST: 1.0}, 0.045, 0.003, 0.084, 0.056 + 0.3 * bust),
        ("thorax", {P.WAIST: 1.0}, 0.085, 0.006 + 0.4 * bust, 0.096, 0.060 + bust),
        ("thorax", {P.WAIST: 1.0}, 0.120, 0.004, 0.101, 0.055),
        ("thorax", {7: 0.6, 12: 0.2, 13: 0.2}, 0.000, 0.000, 0.092, 0.046),
        ("thorax", {7: 0.4, 8: 0.2, 12: 0.2, 13: 0.2}, 0.008, -0.002, 0.064, 0.036),
        ("thorax", {7: 0.45, 8: 0.55}, 0.000, -0.002, 0.034, 0.034),
        ("thorax", {8: 1.0}, 0.020, 0.000, 0.029, 0.031),
    )
    levels = (-0.060, -0.045, -0.010, 0.030, 0.084, 0.140, 0.185, 0.225, 0.260, 0.290, 0.310, 0.325, 0.360)
    rings = tuple(Ring(s, a, (0.0, front, along), (rx, ry)) for s, a, along, front, rx, ry in table)
    return Tube("trunk", "trunk", rings, levels)


def _head() -> Tube:
    """From under the chin to the crown; levels are statures above the neck."""
    table = (
        (0.002, 0.012, 0.004, 0.004),
        (0.010, 0.016, 0.024, 0.026),
        (0.032, 0.007, 0.036, 0.045),
        (0.056, 0.001, 0.041, 0.054),
        (0.076, -0.003, 0.044, 0.055),
        (0.098, -0.005, 0.043, 0.053),
        (0.118, -0.007, 0.032, 0.040),
        (0.131, -0.007, 0.002, 0.002),
    )
    rings = tuple(Ring("head", {8: 1.0}, (0.0, front, up), (rx, ry)) for up, front, rx, ry in table)
    return Tube("head", "head", rings, tuple(row[0] for row in table))


def _ball(name: str, limb: str, segment: str, point: int, radius: float) -> Tube:
    rows = ((-1.0, 0.05), (-0.6, 0.8), (0.0, 1.0), (0.6, 0.8), (1.0, 0.05))
    rings = tuple(Ring(segment, {point: 1.0}, (0.0, 0.0, radius * up), (radius * r, radius * r)) for up, r in rows)
    return Tube(name, limb, rings, tuple(up for up, _ in rows))


def _limb(name: str, limb: str, ends: tuple[int, int], rows: tuple[tuple[float, float, float, float], ...]) -> Tube:
    """A round limb with domed ends: rows of share of the way, shift to the front, and half axes; levels are shares."""
    a, b = ends
    segment = name
    domed = [
        (rows[0][0], -rows[0][2], 0.05, rows[0]),
        (rows[0][0], -0.65 * rows[0][2], 0.75, rows[0]),
        *((row[0], 0.0, 1.0, row) for row in rows),
        (1.0, 0.65 * rows[-1][2], 0.75, rows[-1]),
        (1.0, rows[-1][2], 0.05, rows[-1]),
    ]
    rings = tuple(
        Ring(segment, {a: 1 - share, b: share}, (0.0, row[1], along), (row[2] * size, row[3] * size))
        for share, along, size, row in domed
    )
    return Tube(name, limb, rings, tuple(share + 2 * along for share, along, _, _ in domed))


_THIGH = (
    (0.0, -0.004, 0.047, 0.054),
    (0.25, 0.003, 0.046, 0.050),
    (0.6, 0.004, 0.038, 0.041),
    (1.0, 0.0, 0.029, 0.031),
)
_SHANK = ((0.0, 0.0, 0.028, 0.029), (0.3, -0.011, 0.030, 0.032), (0.65, -0.006, 0.022, 0.024), (1.0, 0.0, 0.017, 0.019))
_FOOT = (
    (-0.22, -0.006, 0.016, 0.016),
    (0.15, 0.0, 0.019, 0.019),
    (0.65, -0.006, 0.024, 0.011),
    (1.0, -0.008, 0.019, 0.007),
)
_UPPER_ARM = ((0.0, 0.0, 0.034, 0.034), (0.3, 0.0, 0.030, 0.030), (0.65, 0.0, 0.026, 0.026), (1.0, 0.0, 0.021, 0.021))
_FOREARM = ((0.0, 0.0, 0.021, 0.021), (0.3, 0.0, 0.0235, 0.0225), (0.75, 0.0, 0.017, 0.016), (1.0, 0.0, 0.0155, 0.0135))
_HAND = ((0.05, 0.0, 0.0135, 0.0155), (0.45, 0.0, 0.009, 0.021), (1.0, 0.0, 0.006, 0.013))


def tubes(woman: bool, bun: bool) -> list[Tube]:
    """All parts of a body, statures."""
    parts = [_trunk(woman), _head()]
    if bun:
        parts.append(_ball("bun", "head", "head", P.BUN, 0.027))
    for side, (hip, knee, ankle, toe, glute, shoulder, elbow, wrist, finger) in _SIDES.items():
        leg, arm = f"{side} leg", f"{side} arm"
        parts += [
            _ball(f"{side} glute", leg, "pelvis", glute, 0.053),
            _limb(f"{side} thigh", leg, (hip, knee), _THIGH),
            _limb(f"{side} shank", leg, (knee, ankle), _SHANK),
            _limb(f"{side} foot", leg, (ankle, toe), _FOOT),
            _limb(f"{side} upper arm", arm, (shoulder, elbow), _UPPER_ARM),
            _limb(f"{side} forearm", arm, (elbow, wrist), _FOREARM),
            _limb(f"{side} hand", arm, (wrist, finger), _HAND),
        ]
    return parts


_SIDES = {
    "right": (2, 1, 0, P.RIGHT_TOE, P.RIGHT_GLUTE, 12, 11, 10, P.RIGHT_FINGER),
    "left": (3, 4, 5, P.LEFT_TOE, P.LEFT_GLUTE, 13, 14, 15, P.LEFT_FINGER),
}

_SEGMENTS = (
    "pelvis", "thorax", "head",
    *(f"{side} {part}" for side in _SIDES for part in ("thigh", "shank", "foot", "upper arm", "forearm", "hand")),
)  # fmt: skip

_UPWARD = np.array([1.0 if segment in ("pelvis", "thorax", "head") else -1.0 for segment in _SEGMENTS])
"""Whether a segment goes from feet to head, or down and away: its directions are left- or right-handed."""


@dataclass(frozen=True, slots=True)
class Skin:
    """The surface of one build, ready to be laid around points of the body.

    Attributes
    ----------
    weights (R, N_POINTS), shifts (R, 3), half (R, 2) : of every ring, metres
    segment : index of every ring's segment (R,)
    strips : the lower and upper ring of every strip of faces (S, 2)
    limb : index of every strip's limb in ``LIMBS`` (S,)
    turned : whether the corners of every strip's faces go the other way round (S,), 1 or -1
    """

    weights: NDArray[np.float64]
    shifts: NDArray[np.float64]
    half: NDArray[np.float64]
    segment: NDArray[np.int64]
    strips: NDArray[np.int64]
    limb: NDArray[np.int64]
    turned: NDArray[np.float64]

    @classmethod
    def of(cls, build: Build, parts: list[Tube]) -> Skin:
        rings = [ring for part in parts for ring in part.rings]
        weights = np.zeros((len(rings), N_POINTS))
        for row, ring in zip(weights, rings, strict=True):
            row[list(ring.anchor)] = list(ring.anchor.values())
        starts = np.cumsum([0, *(len(part.rings) for part in parts)])
        strips = [
            pair for part, s in zip(parts, starts, strict=False) for pair in pairwise(range(s, s + len(part.rings)))
        ]
        limb = [LIMBS.index(part.limb) for part in parts for _ in part.rings[1:]]
        half = np.array([ring.half for ring in rings]) * build.stature * build.girth
        trunk = len(parts[0].rings)
        half[:4, 0] *= build.hips
        half[6 : trunk - 2, 0] *= build.shoulders
        segment = np.array([_SEGMENTS.index(ring.segment) for ring in rings])
        turned = _UPWARD[segment[[low for low, _ in strips]]]
        shifts = np.array([ring.shift for ring in rings]) * build.stature
        return cls(weights, shifts, half, segment, np.array(strips), np.array(limb), turned)

    def corners(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Corners (T, R, SIDES, 3) of the rings around points (T, N_POINTS, 3), in the frame of the points."""
        frames = _frames(points)[:, self.segment]
        centres = self.weights @ points + np.einsum("rk,trkc->trc", self.shifts, frames)
        across = np.cos(_CORNERS)[:, None] * frames[:, :, None, 0] * self.half[:, None, :1]
        forward = np.sin(_CORNERS)[:, None] * frames[:, :, None, 1] * self.half[:, None, 1:]
        return centres[:, :, None] + across + forward


def _frames(p: np.ndarray) -> np.ndarray:
    """Directions left, front, along (T, segments, 3, 3) of every segment of points (T, N_POINTS, 3)."""
    hips, shoulders = p[:, 3] - p[:, 2], p[:, 13] - p[:, 12]
    chest = np.cross(shoulders, p[:, 7] - p[:, P.WAIST])
    left = [hips, shoulders, np.cross(p[:, 9] - p[:, 8], p[:, P.FACE] - p[:, P.SKULL])]
    along = [p[:, P.WAIST] - p[:, 6], p[:, 7] - p[:, P.WAIST], p[:, 9] - p[:, 8]]
    for outwards, chain in zip((-1.0, 1.0), _SIDES.values(), strict=True):
        hip, knee, ankle, toe, _, shoulder, elbow, wrist, finger = chain
        # Arms are lifted to the front, to the side or to between: their left leans backwards, not to lie along them.
        beside = _unit(shoulders) - 0.6 * outwards * _unit(chest)
        for a, b in ((hip, knee), (knee, ankle), (ankle, toe), (shoulder, elbow), (elbow, wrist), (wrist, finger)):
            left.append(hips if a in (hip, knee, ankle) else beside)
            along.append(p[:, b] - p[:, a])
    axis = _unit(np.stack(along, 1))
    forward = _unit(np.cross(np.stack(left, 1), axis)) * _UPWARD[:, None]
    return np.stack([np.cross(axis, forward) * _UPWARD[:, None], forward, axis], 2)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
