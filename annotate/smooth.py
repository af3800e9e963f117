"""Removes jitter from automatic poses and fills short gaps, without flattening the spin.

Every joint is fitted with a polynomial of degree 4 over the five frames before and the five after, weighted
by confidence and distance in time, and again without what the fit disagrees with (iteratively reweighted least
squares; Cleveland, "Robust Locally Weighted Regression", JASA 1979, with Cauchy weights). At 25 frames a
second a diver turns by up to 40 degrees from one frame to the next: a polynomial of lower degree, or a filter
that trusts all neighbours alike, flattens that (docs/experiments/estimator.md has the figures).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from finediving_pose.poses import ClipPoses, JointSource, Visibility

HALF_WINDOW = 5
DEGREE = 4
ITERATIONS = 6
OUTLIER = 0.05
"""Residual, in diver's sizes, at which a frame's weight is halved; a joint moved further is marked interpolated."""

LONGEST_GAP = 3
_RIDGE = 1e-4
_LEAST_CONFIDENCE = 0.02


def smooth(poses: ClipPoses, cuts: Sequence[int] = ()) -> ClipPoses:
    """The poses of a clip with jitter removed and gaps of up to three frames filled.

    Joints that a person placed are never moved. A joint that moved by more than 5 % of the diver's size (the
    median diagonal of the boxes), or that was filled in, gets the source INTERPOLATED; one that was filled in
    is marked occluded and has no confidence of its own (0). Frames must follow each other: a person's rows are
    fitted in runs of consecutive frame numbers, and runs of fewer than three frames stay as they are. ``cuts`` are
    numbers of frames that begin a new shot, and a new run.
    """
    keypoints, source = poses.keypoints.copy(), poses.source.copy()
    visibility = poses.visibility.copy()
    size = diver_size(poses)
    for rows in _runs(poses, cuts):
        fitted, supported = _fit(keypoints[rows], poses.confidence[rows], size)
        known = np.isfinite(keypoints[rows]).all(-1)
        free = supported & (source[rows] != JointSource.MANUAL)
        moved = np.where(known, np.linalg.norm(fitted - np.nan_to_num(keypoints[rows]), axis=-1), np.inf)
        keypoints[rows] = np.where(free[..., None], fitted, keypoints[rows])
        source[rows] = np.where(free & (moved > OUTLIER * size), JointSource.INTERPOLATED, source[rows])
        visibility[rows] = np.where(free & ~known, Visibility.OCCLUDED, visibility[rows])
    return replace(poses, keypoints=keypoints, source=source, visibility=visibility)


def diver_size(poses: ClipPoses) -> float:
    """Median diagonal of the boxes, pixels; of the joints' extent where there are no boxes."""
    with np.errstate(invalid="ignore"):
        sizes = np.hypot(poses.box[:, 2] - poses.box[:, 0], poses.box[:, 3] - poses.box[:, 1])
    if not np.isfinite(sizes).any():
        some = np.asarray(np.isfinite(poses.keypoints).all(-1)).any(1)
        points = poses.keypoints[some]
        sizes = np.linalg.norm(np.nanmax(points, 1) - np.nanmin(points, 1), axis=-1) if some.any() else np.ones(1)
    return float(np.nanmedian(sizes))


def _runs(poses: ClipPoses, cuts: Sequence[int]) -> list[np.ndarray]:
    """Rows of each person in runs of consecutive frames, three at least."""
    runs = []
    for person in np.unique(poses.person):
        rows = np.flatnonzero(poses.person == person)
        frames = poses.frame[rows]
        runs += np.split(rows, np.flatnonzero((np.diff(frames) != 1) | np.isin(frames[1:], cuts)) + 1)
    return [rows for rows in runs if len(rows) >= 3]


def _fit(keypoints: np.ndarray, confidence: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Fitted joints (n, 16, 2), and which of them have what it takes: themselves, or near neighbours on both sides."""
    n = len(keypoints)
    known = np.asarray(np.isfinite(keypoints).all(-1))
    steps = np.arange(-HALF_WINDOW, HALF_WINDOW + 1)
    near = np.arange(n)[:, None] + steps
    inside, near = (near >= 0) & (near < n), near.clip(0, n - 1)
    in_time = (1 - np.abs(steps / (HALF_WINDOW + 1)) ** 3) ** 3
    trust = np.where(known, confidence.clip(_LEAST_CONFIDENCE, 1) ** 2, 0.0)
    first = trust[near] * inside[..., None] * in_time[None, :, None]  # (n, window, 16)
    points = np.nan_to_num(keypoints)[near]  # (n, window, 16, 2)
    powers = np.vander(steps / HALF_WINDOW, DEGREE + 1, increasing=True)  # (window, 5)
    weight, fit = first, points[:, HALF_WINDOW]
    for _ in range(ITERATIONS + 1):
        coefficients = _least_squares(powers, weight, points)  # (n, 16, 5, 2)
        fit = coefficients[:, :, 0]
        curve = np.einsum("wd,njdx->nwjx", powers, coefficients)
        residual = np.linalg.norm(points - curve, axis=-1) / (OUTLIER * size)
        weight = first / (1 + residual**2)
    return fit, known | _between(known)


def _least_squares(powers: np.ndarray, weight: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Weighted fit of every frame and joint; a slight pull of all but the constant towards 0 keeps it solvable."""
    total = weight.sum(1)[..., None, None].clip(1e-12)  # (n, 16, 1, 1)
    pull = _RIDGE * np.eye(powers.shape[1])
    pull[0, 0] = 1e-9
    left = np.einsum("wd,nwj,we->njde", powers, weight, powers) / total + pull
    right = np.einsum("wd,nwj,nwjx->njdx", powers, weight, points) / total
    return np.linalg.solve(left, right)


def _between(known: np.ndarray) -> np.ndarray:
    """Joints that are missing for at most three frames between two where they are known: bool (n, 16)."""
    n = len(known)
    index = np.arange(n)[:, None]
    before = np.maximum.accumulate(np.where(known, index, -n), axis=0)
    after = np.minimum.accumulate(np.where(known, index, 2 * n)[::-1], axis=0)[::-1]
    return ~known & (before >= 0) & (after < n) & (after - before - 1 <= LONGEST_GAP)
