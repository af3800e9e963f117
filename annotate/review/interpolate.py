"""Poses between frames that a person checked.

A diver somersaults: between two frames each joint runs on an arc, not on a line. So the trunk's rotation is taken out
first: place and angle of the trunk, and the joints as the trunk sees them, are interpolated each on their own, and put
together again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finediving_pose.skeleton import FLIP, INDEX

PELVIS, THORAX = INDEX["pelvis"], INDEX["thorax"]
_FLIP = np.array(FLIP)


def interpolate(
    known: NDArray[np.integer], poses: NDArray[np.floating], wanted: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Joints in ``wanted`` frames, by curves through the known ones that are as smooth as those are dense.

    Parameters
    ----------
    known : (k,) increasing frame numbers, at least 2
    poses : (k, 16, 2) pixels, NaN where a joint is absent
    wanted : (m,) frame numbers between the first and the last known one

    Returns
    -------
    float64 (m, 16, 2); NaN where the frame before or after has no such joint, or neither knows the trunk
    """
    frames, poses = np.asarray(known, float), np.asarray(poses, float)
    middle = (poses[:, PELVIS] + poses[:, THORAX]) / 2
    angle = trunk_angles(frames, poses)
    whole = np.isfinite(angle)
    if whole.sum() < 2:
        return np.full((len(wanted), *poses.shape[1:]), np.nan)
    frames, poses, middle, angle = frames[whole], poses[whole], middle[whole], angle[whole]
    seen_from_trunk = turned(poses - middle[:, None], -angle)
    at = np.asarray(wanted, float)
    place = curve(frames, np.column_stack([middle, angle]), at)
    joints = np.stack([curve(frames, seen_from_trunk[:, j], at) for j in range(poses.shape[1])], 1)
    return turned(joints, place[:, 2]) + place[:, None, :2]


def linear(
    known: NDArray[np.integer], poses: NDArray[np.floating], wanted: NDArray[np.integer]
) -> NDArray[np.float64]:
    """As :func:`interpolate`, each joint on a straight line: what it is measured against."""
    flat = np.asarray(poses, float).reshape(len(known), -1)
    return np.stack([np.interp(wanted, known, flat[:, c]) for c in range(flat.shape[1])], 1).reshape(
        len(wanted), *poses.shape[1:]
    )


def trunk_angles(frames: NDArray[np.floating], poses: NDArray[np.floating]) -> NDArray[np.float64]:
    """Direction of the trunk from pelvis to thorax, radians (k,), without jumps; NaN where it is not known.

    Between two frames the trunk may turn by more than half a turn: of the angles that the second frame allows, the one
    nearest to going on as before is taken, unless a shorter way is no more than a sixth of a turn.
    """
    up = poses[:, THORAX] - poses[:, PELVIS]
    angle = np.arctan2(up[:, 1], up[:, 0])
    rows = np.flatnonzero(np.isfinite(angle))
    rate = 0.0
    for before, row in zip(rows, rows[1:], strict=False):
        gap = frames[row] - frames[before]
        shortest = (angle[row] - angle[before] + np.pi) % (2 * np.pi) - np.pi
        ways = shortest + 2 * np.pi * np.array([0, -1, 1])
        way = ways[np.abs(ways - rate * gap).argmin()] if abs(shortest) > FREE else shortest
        angle[row] = angle[before] + way
        rate = way / gap
    return angle


FREE = np.pi / 3


def turned(points: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, k, 2) turned about the origin, each row by its angle."""
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return np.stack([c * points[..., 0] - s * points[..., 1], s * points[..., 0] + c * points[..., 1]], -1)


def curve(frames: NDArray[np.float64], values: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values (m, c) on a curve through (k, c) of them; NaN where the value before or after is."""
    from scipy.interpolate import CubicSpline

    known = np.isfinite(values).all(1)
    gaps = np.isin(np.searchsorted(frames, at), np.flatnonzero(~known)) | np.isin(
        np.searchsorted(frames, at) - 1, np.flatnonzero(~known)
    )
    if known.sum() < 2:
        return np.full((len(at), values.shape[1]), np.nan)
    result = CubicSpline(frames[known], values[known])(at)
    result[gaps] = np.nan
    return result
