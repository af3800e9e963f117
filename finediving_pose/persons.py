"""Which diver of a synchronised pair is which.

Who is 0 and who is 1 is anybody's choice: the machine begins with the diver on the left, a person with the one that
they saw first. Before two tables are merged or compared, one is numbered as the other is. Who corrects the machine's
poses in ``fdpose review`` sees its numbers and takes them over, or exchanges the two on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from finediving_pose.poses import ClipPoses, JointSource
from finediving_pose.reviews import Review
from finediving_pose.skeleton import FLIP, N_JOINTS, SIDELESS

Posed = tuple[int, int]
"""Frame number and person."""

FEWEST_JOINTS = 4
"""A hand pose of fewer joints is a correction: its number comes from the export that was corrected."""


def joints_of(poses: ClipPoses) -> dict[Posed, np.ndarray]:
    """Joints (16, 2) by frame and person."""
    return {(int(f), int(p)): k for f, p, k in zip(poses.frame, poses.person, poses.keypoints, strict=True)}


def number_hands(hands: Sequence[ClipPoses], auto: ClipPoses | None, reviews: Sequence[Review] = ()) -> list[ClipPoses]:
    """A clip's hand poses with the divers numbered as the machine numbers them, else as the first of the hands does.

    Poses that were corrected in ``fdpose review`` keep the number that they have there, as long as the machine numbers
    the divers as it did when the person saw them.

    Parameters
    ----------
    reviews : what people say of the clip's poses
    """
    if not hands:
        return []
    numbering = joints_of(auto if auto is not None else hands[0])
    return [
        numbered_like(table, numbering, frame_by_frame=True, seen={**_exchanged_back(table), **_seen(table, reviews)})
        for table in hands
    ]


def exchanged_divers(poses: ClipPoses) -> np.ndarray:
    """bool (n,): rows of a hand layer that are the machine's pose of the other diver, who were exchanged in review.

    They have the machine's joints in the middle of the body, which are no other's after a change of sides.
    """
    return np.asarray((poses.source[:, list(SIDELESS)] == JointSource.AUTOMATIC).any(1))


def _exchanged_back(poses: ClipPoses) -> dict[Posed, np.ndarray]:
    """Rows in which a person exchanged the machine's left and right, or its divers: joints (16, 2) as it has them."""
    machine = poses.source == JointSource.AUTOMATIC
    joints = np.where(machine[..., None], poses.keypoints[:, list(FLIP)], poses.keypoints)
    of_other = exchanged_divers(poses)
    found: dict[Posed, np.ndarray] = {}
    for row in np.flatnonzero(machine.any(1)).tolist():
        frame, person = int(poses.frame[row]), int(poses.person[row])
        if not of_other[row]:
            found[frame, person] = joints[row]
        elif (other := poses.row(frame, 1 - person)) is not None:
            found[frame, person] = poses.keypoints[other]
    return found


def _seen(poses: ClipPoses, reviews: Sequence[Review]) -> dict[Posed, np.ndarray]:
    """The machine's joints (16, 2) that people saw when they placed the rows in review; NaN where it had none."""
    said = {(r.annotator, r.frame, r.person, r.time): r.machine for r in reviews}
    found = {}
    for row in zip(poses.author, poses.frame.tolist(), poses.person.tolist(), poses.time, strict=True):
        if row in said:
            machine = said[row]
            found[row[1], row[2]] = machine.points if machine else np.full((N_JOINTS, 2), np.nan)
    return found


def numbered_like(
    poses: ClipPoses,
    reference: Mapping[Posed, np.ndarray],
    *,
    frame_by_frame: bool = False,
    seen: Mapping[Posed, np.ndarray] = MappingProxyType({}),
) -> ClipPoses:
    """The poses with their two divers the other way round where that brings them nearer to the reference.

    Over the whole clip, so that a machine that confuses the divers half-way does not gain by it; or frame by frame, for
    hands, who may have begun with either diver in every frame. What the reference does not have stays as it is, and
    frame by frame so does a frame with a pose of fewer than :data:`FEWEST_JOINTS` joints.

    Parameters
    ----------
    reference : joints (16, 2), pixels, by frame and person
    seen : joints that are held against the reference in place of the poses' own
    """
    there = {**joints_of(poses), **seen}
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
