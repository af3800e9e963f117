"""What people say of poses that they looked at: accepted, corrected, rejected or unsure, with a note.

One JSON file an annotator and clip, ``reviews/<annotator>/<video>/<index>.json``, made from the annotator's journal
(:mod:`finediving_pose.journals`). The poses themselves are elsewhere: what a person placed in
``poses/manual/<annotator>``, what a person accepted as it was in ``poses/auto``.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.clip import ClipKey
from finediving_pose.documents import read_json
from finediving_pose.droppings import entries, found
from finediving_pose.errors import FdposeError, PoseError
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.workspace import Workspace, atomic_write, remove_part_files

MOST_LETTERS_OF_A_NOTE = 2000


class ReviewState(StrEnum):
    """What a person says of a pose."""

    ACCEPTED = "accepted"
    """It is right as it is; its joints stay the machine's."""
    CORRECTED = "corrected"
    """It is right now: the person placed joints."""
    REJECTED = "rejected"
    """It is wrong, and was not mended."""
    UNSURE = "unsure"
    """The person could not tell."""


@dataclass(frozen=True, slots=True)
class MachinePose:
    """The machine's pose as a person saw it.

    Attributes
    ----------
    author : the estimator
    joints : 16 positions (x, y) in pixels of the stored frame, None where absent
    """

    author: str
    joints: tuple[tuple[float, float] | None, ...]

    @classmethod
    def parse(cls, value: Any) -> MachinePose:
        """From JSON. Raises ValueError where it is none."""
        author, joints = value["author"], value["joints"]
        if not isinstance(author, str) or not isinstance(joints, list) or len(joints) != N_JOINTS:
            raise ValueError(f"a machine's pose has an author and {N_JOINTS} joints")
        return cls(author, tuple(None if j is None else position(j) for j in joints))

    @property
    def points(self) -> np.ndarray:
        """float (16, 2), pixels, NaN where absent."""
        return np.array([(np.nan, np.nan) if j is None else j for j in self.joints])

    def as_json(self) -> dict[str, Any]:
        return {"author": self.author, "joints": [j and list(j) for j in self.joints]}


@dataclass(frozen=True, slots=True)
class Review:
    """What one person says of one diver in one frame.

    Attributes
    ----------
    annotator : the person
    key, frame, person : the clip, the frame number, and which of its divers
    state : None where there is only a note
    note : the person's words; may be empty
    time : when, ISO 8601 in UTC
    machine : the machine's pose that the person saw; None where there was none
    """

    annotator: str
    key: ClipKey
    frame: int
    person: int
    state: ReviewState | None
    note: str
    time: str
    machine: MachinePose | None = None


def position(value: Any) -> tuple[float, float]:
    """A joint's (x, y) from JSON. Raises ValueError where it is not two finite numbers."""
    if isinstance(value, list) and len(value) == 2 and all(type(v) in (int, float) and math.isfinite(v) for v in value):
        return float(value[0]), float(value[1])
    raise ValueError(f"{value!r} is no position; expected two numbers")


def review_file(workspace: Workspace, annotator: str, key: ClipKey) -> Path:
    """``reviews/<annotator>/<video>/<index>.json``."""
    return workspace.reviews / annotator / key.video / f"{key.index}.json"


def write_reviews(path: Path, reviews: Sequence[Review]) -> None:
    """Write the reviews of one annotator and clip, whole or not at all; no file where there are none."""
    if not reviews:
        path.unlink(missing_ok=True)
        return
    remove_part_files(path)
    rows = [
        {
            "frame": r.frame,
            "person": r.person,
            "state": r.state,
            "note": r.note,
            "time": r.time,
            "machine": r.machine and r.machine.as_json(),
        }
        for r in reviews
    ]
    with atomic_write(path) as part:
        part.write_text(json.dumps(rows, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def reviews_of_clip(workspace: Workspace, key: ClipKey) -> list[Review]:
    """What all annotators say of a clip's poses, by annotator, frame and person.

    Raises PoseError where a file is damaged.
    """
    names = annotators(workspace)
    return [r for name in names for r in read_reviews(review_file(workspace, name, key), name, key)]


def count_reviews(workspace: Workspace) -> dict[str, int]:
    """Number of poses by what people say of them. Files that can't be read are passed over."""
    counts: Counter[str] = Counter()
    for name in annotators(workspace):
        for path in found(workspace.reviews / name, "*/*.json"):
            with suppress(FdposeError, ValueError):
                key = ClipKey(path.parent.name, int(path.stem))
                counts.update(r.state for r in read_reviews(path, name, key) if r.state)
    return {state.value: counts[state] for state in ReviewState if counts[state]}


def annotators(workspace: Workspace) -> list[str]:
    """Names of the people who reviewed something."""
    return [p.name for p in entries(workspace.reviews) if p.is_dir()] if workspace.reviews.is_dir() else []


def read_reviews(path: Path, annotator: str, key: ClipKey) -> list[Review]:
    """Reviews of one file; none where it is missing. Raises PoseError where it is damaged."""
    if not path.is_file():
        return []
    try:
        rows = read_json(path, PoseError)
        return [_review(row, annotator, key) for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise PoseError(
            f"{path}: not a file of reviews ({type(e).__name__}: {e}); delete it, fdpose review makes it again"
        ) from e


def _review(row: Any, annotator: str, key: ClipKey) -> Review:
    frame, person, note, time = row["frame"], row["person"], row["note"], row["time"]
    if type(frame) is not int or person not in (0, 1) or not isinstance(note, str) or not isinstance(time, str):
        raise ValueError("expected frame, person, note and time")
    state = None if row["state"] is None else ReviewState(row["state"])
    machine = None if row["machine"] is None else MachinePose.parse(row["machine"])
    return Review(annotator, key, frame, person, state, note[:MOST_LETTERS_OF_A_NOTE], time, machine)
