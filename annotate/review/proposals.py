"""Entries that the person may take over at once: poses between checked frames, sides changed to the end of a run.

A proposal is only computed here; the page sends it back as an edit like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.review.interpolate import Machine, interpolate
from annotate.review.session import Session
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import open_frames
from finediving_pose.journals.entry import BETWEEN, MACHINE, Entry, Joint
from finediving_pose.poses import Visibility
from finediving_pose.reviews import ReviewState
from finediving_pose.skeleton import FLIP, N_JOINTS, SIDELESS
from finediving_pose.validate.layer_poses import LayerPoses
from finediving_pose.validate.pose_motion_rules import swapped_rows

CHECKED = (ReviewState.ACCEPTED, ReviewState.CORRECTED)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Joints by frame, and why there are none, or no more of them."""

    joints: Mapping[int, tuple[Joint | None, ...]]
    why: str = ""

    def as_json(self, person: int) -> dict[str, Any]:
        """As entries that nothing is said of."""
        entries = [
            {"frame": frame, "person": person, "joints": [j and j.as_json() for j in joints], "state": None}
            for frame, joints in sorted(self.joints.items())
        ]
        return {"entries": entries, "why": self.why}


class Poses:
    """The poses of one diver in a clip as the person sees them: own joints over the machine's."""

    def __init__(self, session: Session, key: ClipKey, person: int) -> None:
        self.key, self.person = key, person
        self.frames = open_frames(session.workspace, key).numbers
        self.entries: dict[int, Entry] = {
            p.frame: e for p, (e, _) in session.entries(key).items() if p.person == person
        }
        self.machine = session.machine(key)

    def own(self, frame: int) -> tuple[Joint | None, ...]:
        """The 16 joints of the person's entry; None where left to the machine."""
        return self.entries[frame].joints if frame in self.entries else (None,) * N_JOINTS

    def joints(self, frame: int) -> list[Joint | None]:
        """16 joints that are there; None where absent."""
        there = [j if j is not None else m for j, m in zip(self.own(frame), self.of_machine(frame), strict=True)]
        return [None if j is None or j.visibility == Visibility.ABSENT else j for j in there]

    def points(self, frame: int) -> NDArray[np.float64]:
        """float64 (16, 2), NaN where absent."""
        return np.array([(np.nan, np.nan) if j is None else (j.x, j.y) for j in self.joints(frame)])

    def machine_points(self, frames: Sequence[int]) -> NDArray[np.float64]:
        """The machine's joints, float64 (n, 16, 2), NaN where absent."""
        joints = [self.of_machine(f) for f in frames]
        return np.array([[(np.nan, np.nan) if j is None else (j.x, j.y) for j in row] for row in joints])

    def is_checked(self, frame: int) -> bool:
        return frame in self.entries and self.entries[frame].state in CHECKED

    def is_known(self, frame: int) -> bool:
        """Whether the person said something of the pose, or placed joints; changed sides alone say nothing."""
        said = frame in self.entries and self.entries[frame].state is not None
        return said or any(j is not None and j.by != MACHINE for j in self.own(frame))

    def of_machine(self, frame: int) -> list[Joint | None]:
        """The machine's 16 joints; None where absent."""
        row = None if self.machine is None else self.machine.row(frame, self.person)
        if self.machine is None or row is None:
            return [None] * N_JOINTS
        here = np.isfinite(self.machine.keypoints[row]).all(-1)
        points = np.round(self.machine.keypoints[row].astype(float), 2).tolist()  # as the page has them
        sure = np.round(self.machine.confidence[row].astype(float), 3).tolist()
        seen = [Visibility(int(v) or Visibility.VISIBLE) for v in self.machine.visibility[row]]
        return [
            Joint(points[j][0], points[j][1], seen[j], MACHINE, sure[j]) if here[j] else None for j in range(N_JOINTS)
        ]


def between(poses: Poses, frame: int | None) -> Proposal:
    """Poses between checked frames: in the gap that ``frame`` is in, or in all gaps of the clip."""
    checked = [f for f in poses.frames if poses.is_checked(f) and any(poses.joints(f))]
    gaps = [(a, b) for a, b in pairwise(checked) if b > a + 1]
    if frame is not None:
        gaps = [(a, b) for a, b in gaps if a <= frame <= b][:1]
    wanted = [f for a, b in gaps for f in poses.frames if a < f < b]
    if not wanted:
        return Proposal({}, "no frames between two that you accepted or corrected; check one before and one after")
    machine = Machine(poses.machine_points(checked), poses.machine_points(wanted)) if poses.machine else None
    found = interpolate(np.array(checked), np.stack([poses.points(f) for f in checked]), np.array(wanted), machine)
    made = {f: _between(points) for f, points in zip(wanted, found, strict=True) if np.isfinite(points).any()}
    return Proposal(made, "" if made else "the trunk is not known in the checked frames around")


def _between(points: NDArray[np.float64]) -> tuple[Joint | None, ...]:
    rounded = np.round(points, 2).tolist()
    return tuple(Joint(x, y, by=BETWEEN) if np.isfinite([x, y]).all() else None for x, y in rounded)


def sides(poses: Poses, frame: int) -> Proposal:
    """Left and right changed from ``frame`` to the end of its run.

    Each joint keeps who placed it: the machine's stay the machine's. A run ends before a frame without a pose, before
    one that the person said something of or placed joints in, and where the machine itself changes sides back.
    """
    if not any(poses.joints(frame)):
        return Proposal({}, "there is no pose to change")
    ends = _changes(poses)
    made = {frame: _flipped(poses, frame)}
    for f in poses.frames[poses.frames.index(frame) + 1 :]:
        if not any(poses.joints(f)) or f in ends:
            break
        if poses.is_known(f):
            return Proposal(made, f"it ends before frame {f}, of which you said something")
        made[f] = _flipped(poses, f)
    return Proposal(made)


def _flipped(poses: Poses, frame: int) -> tuple[Joint | None, ...]:
    """The entry's joints after left and right changed places; None again where the machine has the joint just there."""
    own, seen, machine = poses.own(frame), poses.joints(frame), poses.of_machine(frame)
    nowhere = Joint(float("nan"), float("nan"), Visibility.ABSENT, MACHINE)

    def joint(j: int) -> Joint | None:
        if j in SIDELESS:
            return own[j]
        other = own[FLIP[j]] or seen[FLIP[j]] or nowhere
        there = machine[j] or nowhere
        return None if other.by == MACHINE and other.as_json()[:3] == there.as_json()[:3] else other

    return tuple(joint(j) for j in range(N_JOINTS))


def _changes(poses: Poses) -> set[int]:
    """Frames in which the machine's left and right change places."""
    table = poses.machine
    if table is None:
        return set()
    rows = swapped_rows(LayerPoses(Clip(poses.key), "auto", table))
    return {int(table.frame[r]) for r in rows if table.person[r] == poses.person}
