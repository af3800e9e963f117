"""In which frames of a clip a diver is to be seen, and which joints of the diver.

An estimator puts joints into every crop, also where nobody is. Whether somebody is there is told by how sure both
networks are, and by the frames around: a diver comes into the picture and leaves it, and does not flicker. The
constants were chosen for the bundled estimator, on synthetic dives that no figure is of: docs/experiments/estimator.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from finediving_pose.poses import ClipPoses, JointSource, Visibility

EVEN = 0.35
"""A diver is as likely there as not where the networks are as sure as this, see :func:`combine`."""
NEAR = 3
"""A frame is judged together with the two before it or the two after it, whichever are surer: a diver who leaves is
seen a little longer than the networks are sure of the last limbs."""
COMING = 2.0
"""What it takes to have a diver come, or come again: confidence above :data:`EVEN`, summed over frames. About seven
frames in which a diver is clearly visible, after about twelve in which nobody is."""
SAME = 0.05
"""Two divers of a pair whose joints are less than this share of their size apart are one, found twice."""
FAINT = 0.25
"""A joint of less confidence is occluded: nothing of it is to be seen where it was put."""
EDGE = 0.5
"""Pixels by which a joint may lie outside the picture: pixels are counted from their centres."""


def find_presence(sure: NDArray[np.floating], shots: Sequence[slice]) -> NDArray[np.bool_]:
    """Whether the diver is there, frame by frame: the runs of frames with the highest sum of evidence.

    Evidence is the confidence above :data:`EVEN`; every run costs :data:`COMING`. So a hole in a run is bridged and
    a short appearance left out, unless the evidence for it is strong. A cut changes nothing about that: the diver is
    mostly the same, and what is taken for a cut may be a splash. By Viterbi's algorithm.

    Parameters
    ----------
    sure : float (n,), 0 to 1, how sure the networks are, see :func:`combine`
    shots : of the clip, see :func:`annotate.track.shots`; means are taken within one

    Returns
    -------
    bool (n,)
    """
    evidence = np.zeros(len(sure))
    for shot in shots:
        evidence[shot] = _better_side(np.asarray(sure[shot], float)) - EVEN
    return best_runs(evidence)


def combine(joints: NDArray[np.floating], locator: NDArray[np.floating]) -> NDArray[np.floating]:
    """How sure both networks are of a diver, 0 to 1: the geometric mean of their confidences, so that either can deny.

    The estimator of joints has learned from divers only, and may see one in a railing; the locator sees the whole
    frame, and takes the splash for a diver.
    """
    return np.sqrt(joints * locator)


def twice_found(joints: NDArray[np.floating], confidence: NDArray[np.floating], size: float) -> NDArray[np.bool_]:
    """Which of two divers' poses are the other's, found again: bool (n, 2).

    Of the two, in frames that follow each other, it is the diver of whom the estimator is less sure.

    Parameters
    ----------
    joints : (n, 2, 16, 2), pixels, of both divers; confidence : (n, 2), mean over the joints
    size : of a diver, pixels
    """
    apart = np.nan_to_num(np.linalg.norm(joints[:, 0] - joints[:, 1], axis=-1), nan=np.inf).mean(1)
    same = np.flatnonzero(apart < SAME * size)
    found = np.zeros(confidence.shape, bool)
    for run in np.split(same, np.flatnonzero(np.diff(same) != 1) + 1):
        if len(run):
            found[run, confidence[run].sum(0).argmin()] = True
    return found


def mark_visibility(poses: ClipPoses, width: int, height: int) -> ClipPoses:
    """The poses with joints outside the picture absent, and faint ones (:data:`FAINT`) occluded.

    Joints that a person placed stay as they are. A row of which no joint is left has no box.
    """
    free = poses.source != JointSource.MANUAL
    last = np.array([width - 1, height - 1]) + EDGE
    with np.errstate(invalid="ignore"):
        outside = free & np.asarray((poses.keypoints < -EDGE) | (poses.keypoints > last)).any(-1)
    faint = free & (poses.confidence < FAINT) & (poses.visibility != Visibility.ABSENT)
    return without_joints(replace(poses, visibility=np.where(faint, Visibility.OCCLUDED, poses.visibility)), outside)


def without_joints(poses: ClipPoses, gone: NDArray[np.bool_]) -> ClipPoses:
    """The poses with the joints ``gone`` (n, 16) absent; a row of which none is left has no box."""
    left = replace(poses, keypoints=np.where(gone[..., None], np.nan, poses.keypoints))
    nobody = gone.any(1) & ~left.has_diver
    return replace(
        left,
        box=np.where(nobody[:, None], np.nan, poses.box),
        visibility=np.where(gone, Visibility.ABSENT, poses.visibility),
        confidence=np.where(gone, 0, poses.confidence),
        source=np.where(gone, JointSource.NONE, poses.source),
    )


def _better_side(sure: np.ndarray) -> np.ndarray:
    """The mean over :data:`NEAR` frames up to each one or from it on, whichever is higher."""
    before = _trailing_mean(sure)
    return np.maximum(before, _trailing_mean(sure[::-1])[::-1])


def _trailing_mean(values: np.ndarray) -> np.ndarray:
    """The mean of each value and those before it; the first one stands in for those before it."""
    if not len(values):
        return values
    padded = np.concatenate([np.repeat(values[:1], NEAR - 1), values])
    return np.convolve(padded, np.full(NEAR, 1 / NEAR), "valid")


def best_runs(evidence: NDArray[np.floating]) -> NDArray[np.bool_]:
    """The frames of the runs with the highest sum of evidence (n,), less :data:`COMING` for each run: bool (n,)."""
    away, here = 0.0, -np.inf  # best sums that end without and with the diver
    was_here = np.zeros((len(evidence), 2), bool)  # whether the diver was there before, in the best of each
    for i, gain in enumerate(evidence.tolist()):
        was_here[i] = here > away, here >= away - COMING
        away, here = max(away, here), max(here, away - COMING) + gain
    there = np.zeros(len(evidence), bool)
    state = here > away
    for i in range(len(evidence) - 1, -1, -1):
        there[i] = state
        state = bool(was_here[i, int(state)])
    return there
