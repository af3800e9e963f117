"""Which diver of a synchronised pair is which.

Who is 0 and who is 1 is anybody's choice: the machine begins with the diver on the left, a person with the one that
they saw first. Before two tables are merged or compared, one is numbered as the other is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from finediving_pose.poses import ClipPoses

Posed = tuple[int, int]
"""Frame number and person."""

FEWEST_JOINTS = 4
"""A hand pose of fewer joints is a correction: its number comes from the export that was corrected."""


def joints_of(poses: ClipPoses) -> dict[Posed, np.ndarray]:
    """Joints (16, 2) by frame and person."""
    return {(int(f), int(p)): k for f, p, k in zip(poses.frame, poses.person, poses.keypoints, strict=True)}


def number_hands(hands: Sequence[ClipPoses], auto: ClipPoses | None) -> list[ClipPoses]:
    """A clip's hand poses with the divers numbered as the machine numbers them, else as the first of the hands does."""
    if not hands:
        return []
    numbering = joints_of(auto if auto is not None else hands[0])
    return [numbered_like(table, numbering, frame_by_frame=True) for table in hands]


def numbered_like(
    poses: ClipPoses, reference: Mapping[Posed, np.ndarray], *, frame_by_frame: bool = False
) -> ClipPoses:
    """The poses with their two divers the other way round where that brings them nearer to the reference.

    Over the whole clip, so that a machine that confuses the divers half-way does not gain by it; or frame by frame, for
    hands, who may have begun with either diver in every frame. What the reference does not have stays as it is, and
    frame by frame so does a frame with a pose of fewer than :data:`FEWEST_JOINTS` joints.

    Parameters
    ----------
    reference : joints (16, 2), pixels, by frame and person
    """
    there = joints_of(poses)
    frames = sorted({f for f, _ in there} & {f for f, _ in reference})
    gaps = np.array([[_gap(there, reference, f, turned) for turned in (False, True)] for f in frames]).reshape(-1, 2)
    known = np.isfinite(gaps).all(1)
    if frame_by_frame:
        few = {f for (f, _), joints in there.items() if np.isfinite(joints).all(1).sum() < FEWEST_JOINTS}
        known = known & np.array([f not in few for f in frames], bool)
    gaps, frames = gaps[known], np.array(frames, int)[known]
    if frame_by_frame:
        turned = np.isin(poses.frame, frames[gaps[:, 1] < gaps[:, 0]])
    else:
        turned = np.full(len(poses), bool(gaps[:, 1].sum() < gaps[:, 0].sum()))
    return replace(poses, person=np.where(turned, 1 - poses.person, poses.person))


def _gap(there: Mapping[Posed, np.ndarray], wanted: Mapping[Posed, np.ndarray], frame: int, turned: bool) -> float:
    """How far a frame's joints are from the reference's, pixels; NaN where there is nothing to compare."""
    pairs = [(there.get((frame, p)), wanted.get((frame, 1 - p if turned else p))) for p in (0, 1)]
    apart = [np.linalg.norm(a - b, axis=-1) for a, b in pairs if a is not None and b is not None]
    known = [np.nanmedian(a) for a in apart if np.isfinite(a).any()]
    return float(np.mean(known)) if known else np.nan
