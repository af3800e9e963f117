"""Poses between frames that a person checked.

A diver somersaults: between two frames each joint runs on an arc, not on a line. So the trunk's rotation is taken out
first. Where the machine has poses in between, the person's corrections of it, as the trunk sees them, are interpolated
and added to them. Where it has none, the trunk's middle, direction and length are, then, from the trunk outwards, the
direction and the length of each limb as the trunk sees them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from finediving_pose.skeleton import HEAD, INDEX

Array = NDArray[np.float64]

PELVIS, THORAX = INDEX["pelvis"], INDEX["thorax"]
_OUTWARDS = [
    *((end, f"{side}_{joint}") for side in ("right", "left")
      for end, joint in (("pelvis", "hip"), ("thorax", "shoulder"))),
    *((f"{side}_{a}", f"{side}_{b}") for side in ("right", "left")
      for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))),
    ("thorax", "upper_neck"), ("upper_neck", "head_top"),
]  # fmt: skip
LIMBS = [(INDEX[a], INDEX[b]) for a, b in _OUTWARDS]
"""Pairs of joints from the trunk outwards: the second is placed from the first."""

FREE = np.pi / 2
"""Up to this angle between two known frames, something turned the shorter way."""
SHORT, LONG = 0.25, 0.6
"""A limb that is shorter than this share of its usual length points at the camera, and its direction says nothing."""

MISTAKE = 1.5
"""A correction that is longer, in head lengths, mends a mistake of that frame, and says nothing of the next."""


DENSE = 3
"""Between frames no farther apart the curves are as good as the corrected machine, and their mean is better."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine's poses, (k, 16, 2) in the known frames and (m, 16, 2) in the wanted ones; NaN where absent."""

    known: Array
    wanted: Array


def interpolate(
    known: NDArray[np.integer], poses: Array, wanted: NDArray[np.integer], machine: Machine | None
) -> Array:
    """Joints in ``wanted`` frames, through those of the known ones.

    Parameters
    ----------
    known : (k,) increasing frame numbers
    poses : (k, 16, 2) pixels, NaN where a joint is absent
    wanted : (m,) frame numbers between the first and the last known one
    machine : the machine's poses, None where there are none

    Returns
    -------
    float64 (m, 16, 2), pixels; NaN where neither the machine nor the frames around have the joint
    """
    curves = along_curves(known, poses, wanted)
    if machine is None:
        return curves
    corrected = machine.wanted + corrections(known, poses, wanted, machine)
    after = np.searchsorted(known, wanted)
    dense = (known[after] - known[after - 1] <= DENSE)[:, None, None]
    both = np.where(dense & np.isfinite(curves), (corrected + curves) / 2, corrected)
    return np.where(np.isfinite(both), both, curves)


def corrections(known: NDArray[np.integer], poses: Array, wanted: NDArray[np.integer], machine: Machine) -> Array:
    """What to add to the machine's joints in ``wanted`` frames, (m, 16, 2): the corrections around, as the trunk sees
    them; 0 for a joint that was nowhere corrected, or mistaken everywhere. NaN where the machine lacks the trunk.
    """
    heads = np.linalg.norm(poses[:, HEAD[0]] - poses[:, HEAD[1]], axis=-1)
    head = float(np.median(heads[np.isfinite(heads)])) if np.isfinite(heads).any() else np.inf
    lean, lean_at = (_direction(p[:, THORAX] - p[:, PELVIS]) for p in (machine.known, machine.wanted))
    found = np.zeros_like(machine.wanted)
    for joint in range(poses.shape[1]):
        moved = _rotated(poses[:, joint] - machine.known[:, joint], -lean)
        usable = np.linalg.norm(moved, axis=-1) <= MISTAKE * head
        if usable.any():
            there = [np.interp(wanted, known[usable], moved[usable, c]) for c in (0, 1)]
            found[:, joint] = _rotated(np.stack(there, -1), lean_at)
    return found


def along_curves(known: NDArray[np.integer], poses: Array, wanted: NDArray[np.integer]) -> Array:
    """As :func:`interpolate`, without the machine; NaN where the frame before or after lacks a joint, or the trunk."""
    frames, at = np.asarray(known, float), np.asarray(wanted, float)
    up = poses[:, THORAX] - poses[:, PELVIS]
    lean = unwrapped(frames, _direction(up))
    trunk = curve(
        frames, np.column_stack([(poses[:, THORAX] + poses[:, PELVIS]) / 2, lean, np.linalg.norm(up, axis=-1)]), at
    )
    found = np.full((len(at), *poses.shape[1:]), np.nan)
    half = trunk[:, 3:] / 2 * _pointing(trunk[:, 2])
    found[:, THORAX], found[:, PELVIS] = trunk[:, :2] + half, trunk[:, :2] - half
    for start, end in LIMBS:
        found[:, end] = found[:, start] + _limb(frames, poses[:, end] - poses[:, start], lean, at, trunk[:, 2])
    return found


def _limb(frames: Array, limb: Array, lean: Array, at: Array, lean_at: Array) -> Array:
    """A limb (k, 2) in the frames ``at``, (m, 2): by direction and length where it is long, else by its two ends."""
    length = np.linalg.norm(limb, axis=-1)
    if not np.isfinite(length).any():
        return np.full((len(at), 2), np.nan)
    swing = unwrapped(frames, _direction(limb) - lean)
    by_angle = curve(frames, np.column_stack([swing, length]), at)
    turned = by_angle[:, 1:].clip(0) * _pointing(by_angle[:, 0] + lean_at)
    straight = curve(frames, _rotated(limb, -lean), at)
    after = np.searchsorted(frames, at).clip(1, len(frames) - 1)
    shortest = np.fmin(length[after], length[after - 1]) / max(float(np.nanpercentile(length, 90)), 1e-6)
    share = ((shortest - SHORT) / (LONG - SHORT)).clip(0, 1)[:, None]
    return np.where(share > 0, share * turned, 0) + (1 - share) * _rotated(straight, lean_at)


def linear(known: NDArray[np.integer], poses: Array, wanted: NDArray[np.integer]) -> Array:
    """As :func:`interpolate`, each joint on a straight line: what it is measured against."""
    flat = np.asarray(poses, float).reshape(len(known), -1)
    columns = [np.interp(wanted, known, flat[:, c]) for c in range(flat.shape[1])]
    return np.stack(columns, 1).reshape(len(wanted), *poses.shape[1:])


def unwrapped(frames: Array, angle: Array) -> Array:
    """Angles (k,) without jumps, radians; NaN stays.

    Of the angles that a frame allows, the one nearest to going on as before is taken, or the shortest way where that
    is no more than :data:`FREE`.
    """
    angle = angle.copy()
    rows = np.flatnonzero(np.isfinite(angle))
    rate = 0.0
    for before, row in pairwise(rows.tolist()):
        gap = frames[row] - frames[before]
        way = (angle[row] - angle[before] + np.pi) % (2 * np.pi) - np.pi
        if abs(way) > FREE:
            ways = way + 2 * np.pi * np.array([0, -1, 1])
            way = ways[np.abs(ways - rate * gap).argmin()]
        angle[row] = angle[before] + way
        rate = way / gap
    return angle


def curve(frames: Array, values: Array, at: Array) -> Array:
    """Values (m, c) on a cubic spline through (k, c) of them; NaN where those before or after are not known."""
    from scipy.interpolate import CubicSpline

    known = np.asarray(np.isfinite(values).all(1))
    if known.sum() < 2:
        return np.full((len(at), values.shape[1]), np.nan)
    found = CubicSpline(frames[known], values[known])(at)
    after = np.searchsorted(frames, at).clip(1, len(frames) - 1)
    found[~known[after] | ~known[after - 1]] = np.nan
    return found


def _direction(v: Array) -> Array:
    return np.arctan2(v[:, 1], v[:, 0])


def _pointing(angle: Array) -> Array:
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def _rotated(v: Array, angle: Array) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * v[:, 0] - s * v[:, 1], s * v[:, 0] + c * v[:, 1]], -1)
