"""One diver over all frames of a clip: where the joints are, and which of them may be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from finediving_pose.kinematics.readings import Reason
from finediving_pose.poses import ClipPoses, JointSource, Visibility
from finediving_pose.skeleton import INDEX, N_JOINTS

EDGE = 0.15
"""Trunk lengths from the edge of the picture within which a joint is at the edge. Estimators pile up there what is
beyond: of the joints that are put so near to an edge, most are outside the picture (16 development dives)."""

LEAST_CONFIDENCE = 0.3
"""A joint of a lower confidence is not measured. In frames without a diver the mean confidence of the bundled
estimator's joints lies below this, in those with one above it."""


@dataclass(frozen=True, slots=True)
class Diver:
    """The joints of one diver over n frames.

    Attributes
    ----------
    keypoints : float64 (n, 16, 2), pixels, NaN where absent
    confidence : float64 (n, 16), 0 where absent
    reason : uint8 (n, 16), why a joint may not be measured, see :class:`Reason`
    by_hand : bool (n, 16), placed by a person, who knows the diver's left from right
    trunk : median length of the trunk over the dive, pixels; NaN where it is never seen
    picture : width and height of the frames, pixels; None where not known, and then nothing is at an edge
    """

    keypoints: NDArray[np.float64]
    confidence: NDArray[np.float64]
    reason: NDArray[np.uint8]
    by_hand: NDArray[np.bool_]
    trunk: float
    picture: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.keypoints)

    def points(self, *joints: int) -> NDArray[np.float64]:
        """Mean (n, 2) of some joints, pixels; with one joint, that joint."""
        return self.keypoints[:, list(joints)].mean(1)

    def is_at_edge(self, points: NDArray[np.float64], near: float = EDGE) -> NDArray[np.bool_]:
        """(...) whether points (..., 2) are within ``near`` trunk lengths of an edge of the picture, or beyond it; not
        where NaN."""
        if self.picture is None:
            return np.zeros(points.shape[:-1], bool)
        margin = near * np.nan_to_num(self.trunk)
        return np.any((points < margin) | (points > np.array(self.picture) - 1 - margin), axis=-1)

    def reason_of(self, joints: Sequence[int]) -> NDArray[np.uint8]:
        """(n,) why a measure that needs all these joints has no number."""
        needed = self.reason[:, list(joints)]
        worst = np.where(needed == Reason.MEASURED, np.uint8(255), needed).min(1)
        return np.where(worst == 255, np.uint8(Reason.MEASURED), worst).astype(np.uint8)


def diver_of_arrays(
    keypoints: ArrayLike,
    confidence: ArrayLike | None = None,
    visibility: ArrayLike | None = None,
    source: ArrayLike | None = None,
    picture: tuple[int, int] | None = None,
) -> Diver:
    """A diver from arrays, a row a frame.

    Parameters
    ----------
    keypoints : (n, 16, 2) pixels, x right, y down; NaN where absent
    confidence : (n, 16), 0 to 1; 1 for every joint that is there where not given
    visibility : (n, 16), see :class:`~finediving_pose.poses.Visibility`; visible where not given
    source : (n, 16), see :class:`~finediving_pose.poses.JointSource`; automatic where not given
    picture : width and height of the frames, pixels; where known, what machines place at an edge is not measured

    Raises
    ------
    ValueError
        An array has another shape.
    """
    keypoints = np.array(keypoints, float)
    if keypoints.ndim != 3 or keypoints.shape[1:] != (N_JOINTS, 2):
        raise ValueError(f"keypoints have shape {keypoints.shape}, expected (n, {N_JOINTS}, 2)")
    there = np.isfinite(keypoints).all(-1)
    given = {"confidence": (confidence, 1.0), "visibility": (visibility, Visibility.VISIBLE)}
    given["source"] = (source, JointSource.AUTOMATIC)
    arrays = {k: np.full(there.shape, default) if v is None else np.array(v) for k, (v, default) in given.items()}
    for name, value in arrays.items():
        if value.shape != there.shape:
            raise ValueError(f"{name} has shape {value.shape}, expected {there.shape}")
    there &= (arrays["visibility"] != Visibility.ABSENT) & (arrays["source"] != JointSource.NONE)
    reason = np.full(there.shape, Reason.MEASURED, np.uint8)
    by_hand = there & (arrays["source"] == JointSource.MANUAL)
    reason[(arrays["confidence"] < LEAST_CONFIDENCE) & ~by_hand] = Reason.UNSURE
    reason[arrays["source"] == JointSource.INTERPOLATED] = Reason.INTERPOLATED
    reason[arrays["visibility"] == Visibility.OCCLUDED] = Reason.HIDDEN
    reason[~there] = Reason.NO_JOINT
    reason[~there.any(1)] = Reason.NO_POSE
    diver = Diver(
        keypoints=np.where(there[..., None], keypoints, np.nan),
        confidence=np.where(there, arrays["confidence"], 0.0).astype(float),
        reason=reason,
        by_hand=by_hand,
        trunk=_trunk_length(keypoints, reason),
        picture=picture,
    )
    cut = diver.is_at_edge(diver.keypoints) & (reason == Reason.MEASURED) & ~by_hand
    return replace(diver, reason=np.where(cut, np.uint8(Reason.AT_EDGE), reason))


def _trunk_length(keypoints: NDArray[np.float64], reason: NDArray[np.uint8]) -> float:
    """Median length, pixels, over the frames that show the trunk; NaN where none does."""
    ends = [INDEX["pelvis"], INDEX["thorax"]]
    seen = (reason[:, ends] == Reason.MEASURED).all(1)
    lengths = np.linalg.norm(keypoints[seen, ends[0]] - keypoints[seen, ends[1]], axis=-1)
    return float(np.median(lengths)) if len(lengths) else float("nan")


def diver_of_poses(
    poses: ClipPoses, frames: Sequence[int], person: int, picture: tuple[int, int] | None = None
) -> Diver:
    """One person of a pose table over the clip's frames (their numbers, increasing); frames without a row have no pose.

    Rows of frames that are not among ``frames`` are left out.
    """
    place = {frame: i for i, frame in enumerate(frames)}
    rows = [r for r in np.flatnonzero(poses.person == person) if int(poses.frame[r]) in place]
    at = [place[int(poses.frame[r])] for r in rows]
    shape = (len(place), N_JOINTS)
    columns = {
        "keypoints": np.full((*shape, 2), np.nan),
        "confidence": np.zeros(shape),
        "visibility": np.full(shape, Visibility.ABSENT),
        "source": np.full(shape, JointSource.NONE),
    }
    for name, array in columns.items():
        array[at] = getattr(poses, name)[rows]
    return diver_of_arrays(**columns, picture=picture)
