"""A person at work on a made-up data directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import numpy as np

from annotate.review.session import Done, Session
from finediving_pose.clip import ClipKey
from finediving_pose.journals.entry import Entry, Joint, Place
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import JointSource, Visibility, write_poses
from finediving_pose.reviews import ReviewState
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY, table

FRAMES = (0, 1, 2)
OTHER = ClipKey("meet", 1)


def with_machine(workspace: Workspace, shift: float = 0, author: str = "net") -> Workspace:
    """Automatic poses in all frames of both clips."""
    for key in (KEY, OTHER):
        poses = table(author, JointSource.AUTOMATIC, shift=shift, frames=FRAMES)
        write_poses(workspace.pose_file("auto", key), poses)
    return workspace


@contextmanager
def at_work(workspace: Workspace, annotator: str = "anna") -> Iterator[Session]:
    session = Session(workspace, annotator, read_clips(workspace))
    try:
        yield session
    finally:
        session.close()


def place(frame: int = 0, person: int = 0, key: ClipKey = KEY) -> Place:
    return Place(key, frame, person)


def placed(*joints: int, x: float = 50.0, y: float = 40.0, state: ReviewState | None = ReviewState.CORRECTED) -> Entry:
    """An entry with these joints at one place."""
    return Entry(tuple(Joint(x, y, Visibility.VISIBLE) if j in joints else None for j in range(16)), state)


class Hand:
    """Edits with versions as the page keeps them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def does(self, *entries: tuple[Place, Entry], what: str = "edit") -> Done:
        """One edit that is of the present versions."""
        versions = {p: self.session.history.version(p) for p, _ in entries}
        return self.session.edit(self.id(), what, dict(entries), versions)

    def undoes(self) -> Done:
        return self.session.step(self.id(), "undo")

    def redoes(self) -> Done:
        return self.session.step(self.id(), "redo")

    def id(self) -> str:
        return uuid4().hex


def files(workspace: Workspace) -> dict[str, bytes]:
    """Every file of poses and reviews, locks left out."""
    folders = (workspace.poses / "manual", workspace.reviews)
    paths = [p for folder in folders if folder.is_dir() for p in folder.rglob("*") if p.is_file()]
    return {str(p.relative_to(workspace.root)): p.read_bytes() for p in paths if not p.name.startswith(".")}


def xs(joints: np.ndarray) -> list[float]:
    return [round(float(x), 2) for x in joints[:, 0]]
