"""What an annotator says of one diver in one frame."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from finediving_pose.boxes import box_of_joints
from finediving_pose.clip import ClipKey
from finediving_pose.poses import ClipPoses, JointSource, Visibility
from finediving_pose.reviews import MOST_LETTERS_OF_A_NOTE, MachinePose, ReviewState
from finediving_pose.skeleton import N_JOINTS

HAND, BETWEEN, MACHINE = "hand", "between", "machine"
"""Who put a joint there: the person, an interpolation between frames of the person's, or the machine, whose left and
right the person exchanged."""
SOURCES = {HAND: JointSource.MANUAL, BETWEEN: JointSource.INTERPOLATED, MACHINE: JointSource.AUTOMATIC}
"""The same, as layers have it."""

FARTHEST = 1e5
"""No joint is farther from the picture's corner than this, pixels."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One diver in one frame of a clip."""

    key: ClipKey
    frame: int
    person: int


@dataclass(frozen=True, slots=True)
class Joint:
    """A joint that a person placed, deleted (absent, without a position), had interpolated, or exchanged.

    Attributes
    ----------
    x, y : pixels of the stored frame; NaN where absent
    visibility : see :class:`~finediving_pose.poses.Visibility`
    by : :data:`HAND`, :data:`BETWEEN` or :data:`MACHINE`
    confidence : 0 to 1, of the machine in its own joint; 1 of all others that are there
    """

    x: float
    y: float
    visibility: Visibility = Visibility.VISIBLE
    by: str = HAND
    confidence: float = 1.0

    def __post_init__(self) -> None:
        known = math.isfinite(self.x) and math.isfinite(self.y) and max(abs(self.x), abs(self.y)) <= FARTHEST
        if known == (self.visibility == Visibility.ABSENT) or self.by not in SOURCES:
            raise ValueError(f"a joint at {self.x}, {self.y} can't be {self.visibility.name.lower()} by {self.by}")
        if not math.isfinite(self.confidence) or (self.by != MACHINE and self.confidence != 1):
            raise ValueError(f"a joint by {self.by} can't have the confidence {self.confidence}")

    @classmethod
    def parse(cls, value: Any) -> Joint:
        """From ``[x, y, visibility, by]``, with the confidence after it where the machine placed the joint; x and y are
        null where it is absent. Raises ValueError where it is no such list.
        """
        x, y, visibility, by, *rest = value
        if len(rest) != (by == MACHINE) or any(type(v) not in (int, float) for v in rest):
            raise ValueError(f"{value!r} is no joint; a confidence belongs to the machine's")
        if not all(v is None or type(v) in (int, float) for v in (x, y)) or type(visibility) is not int:
            raise ValueError(f"{value!r} is no joint; expected x, y, visibility and who placed it")
        x, y = (float("nan") if v is None else float(v) for v in (x, y))
        return cls(x, y, Visibility(visibility), by, *map(float, rest))

    def as_json(self) -> list[Any]:
        here = self.visibility != Visibility.ABSENT
        sure = [self.confidence] if self.by == MACHINE else []
        return [self.x if here else None, self.y if here else None, int(self.visibility), self.by, *sure]


@dataclass(frozen=True, slots=True)
class Entry:
    """What an annotator says of one diver in one frame; empty where nothing.

    Attributes
    ----------
    joints : 16, None where the joint is left to the machine
    state : what the person says of the pose as a whole
    note : in the person's words
    machine : the machine's pose that the person saw, once there is a state
    """

    joints: tuple[Joint | None, ...] = (None,) * N_JOINTS
    state: ReviewState | None = None
    note: str = ""
    machine: MachinePose | None = None

    def __post_init__(self) -> None:
        if len(self.joints) != N_JOINTS or len(self.note) > MOST_LETTERS_OF_A_NOTE:
            raise ValueError(f"an entry has {N_JOINTS} joints and a note of at most {MOST_LETTERS_OF_A_NOTE:,} letters")

    @classmethod
    def parse(cls, value: Any) -> Entry:
        """From JSON. Raises ValueError, KeyError or TypeError where it is no entry."""
        if not isinstance(value["joints"], list) or not isinstance(value["note"], str):
            raise ValueError("an entry has a list of joints and a note")
        state, machine = value["state"], value.get("machine")
        return cls(
            tuple(None if j is None else Joint.parse(j) for j in value["joints"]),
            None if state is None else ReviewState(state),
            value["note"],
            None if machine is None else MachinePose.parse(machine),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "joints": [j and j.as_json() for j in self.joints],
            "state": self.state,
            "note": self.note,
            "machine": self.machine and self.machine.as_json(),
        }

    @property
    def places_joints(self) -> bool:
        """Whether any joint is not where the machine has it."""
        return any(j is not None for j in self.joints)

    def with_machine(self, machine: MachinePose | None) -> Entry:
        return replace(self, machine=machine)


def entry_of_row(poses: ClipPoses, row: int) -> Entry:
    """What a row of the annotator's layer says: joints that were placed, deleted, interpolated, or changed sides."""
    by = {source: name for name, source in SOURCES.items()}

    def joint(j: int) -> Joint | None:
        source = JointSource(int(poses.source[row, j]))
        if source not in by:
            return None
        x, y = (float(v) for v in poses.keypoints[row, j])
        here = math.isfinite(x) and math.isfinite(y)
        visibility = Visibility(int(poses.visibility[row, j]))
        if here == (visibility == Visibility.ABSENT):
            visibility = Visibility.VISIBLE if here else Visibility.ABSENT
        sure = float(poses.confidence[row, j]) if source == JointSource.AUTOMATIC else 1.0
        return Joint(x, y, visibility, by[source], sure)

    return Entry(tuple(joint(j) for j in range(N_JOINTS)))


def row_of_entry(entry: Entry, place: Place, annotator: str, time: str) -> ClipPoses:
    """A pose table of one row: the joints that the annotator placed; the others are absent, and nobody's."""
    sure = np.array([0 if j is None else j.confidence for j in entry.joints], np.float32)
    points = np.array([(np.nan, np.nan) if j is None else (j.x, j.y) for j in entry.joints], np.float32)
    visibility = np.array([0 if j is None else j.visibility for j in entry.joints], np.uint8)
    source = [JointSource.NONE if j is None else SOURCES[j.by] for j in entry.joints]
    return ClipPoses(
        frame=np.array([place.frame]),
        person=np.array([place.person]),
        box=box_of_joints(points[None]),
        keypoints=points[None],
        visibility=visibility[None],
        confidence=np.where(visibility > Visibility.ABSENT, sure, 0)[None],
        source=np.array(source)[None],
        author=[annotator],
        time=[time],
    )
