"""Which poses a person is asked to look at, one after the other; made as they are asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import numpy as np

from annotate.review.findings import findings_of_clip, said
from annotate.review.session import Session
from finediving_pose.clip import ClipKey
from finediving_pose.documents import read_table
from finediving_pose.errors import FdposeError, UsageError
from finediving_pose.frames import open_frames
from finediving_pose.journals.entry import Place
from finediving_pose.poses import ClipPoses
from finediving_pose.reviews import ReviewState

KINDS = ("suggested", "findings", "unsure", "all")
AT_ONCE = 200
SECONDS = 0.15
"""An answer has this many items at most, and is given after this time if there is one."""

UNSURE_OF_A_CLIP, APART = 5, 8
"""``unsure`` has this many poses of each clip at most, this many frames apart."""


@dataclass(frozen=True, slots=True)
class Item:
    """A pose to look at, and why."""

    place: Place
    why: str


class Queue:
    """Items in their order. ``suggested`` is the list of ``fdpose suggest``; without ``kind``, it is that list if there
    is one, else all frames.

    Raises UsageError where ``suggested`` is asked for and there is no list.

    Attributes
    ----------
    name : one of :data:`KINDS`
    note : what the person should know of the choice; may be empty
    """

    def __init__(self, session: Session, kind: str | None = None) -> None:
        listed = session.workspace.reports / "suggestions.csv"
        if kind == "suggested" and not listed.is_file():
            raise UsageError(f"--queue suggested: no {listed}; make it with: fdpose suggest 50")
        self.name = kind or ("suggested" if listed.is_file() else "all")
        self.note = (
            "" if kind or listed.is_file() else "all frames; fdpose suggest 50 names those worth correcting first"
        )
        makers = {"suggested": _suggested, "findings": _findings, "unsure": _unsure, "all": _all}
        self._source = makers[self.name](session)
        self._made: list[Item] = []
        self._complete = False
        self._lock = threading.Lock()

    def items(self, start: int) -> tuple[list[Item], bool]:
        """Items from number ``start`` on, as many as are made in a moment, and whether these are the last."""
        until = time.monotonic() + SECONDS
        with self._lock:
            while not self._complete and len(self._made) < start + AT_ONCE:
                if len(self._made) > start and time.monotonic() > until:
                    break
                more = list(islice(self._source, 1))
                self._made += more
                self._complete = not more
            found = self._made[start : start + AT_ONCE]
            return found, self._complete and start + len(found) >= len(self._made)


def _suggested(session: Session) -> Iterator[Item]:
    """Rows of suggestions.csv that are of this session's clips."""
    for row in read_table(session.workspace.reports / "suggestions.csv").rows[1:]:
        name, _, number = row[0].removesuffix(".jpg").rpartition("/")
        with suppress(FdposeError, ValueError):
            key = ClipKey.parse(name)
            if key in session.clips:
                yield Item(Place(key, int(number), 0), row[-1])


def _all(session: Session) -> Iterator[Item]:
    for key in session.clips:
        with suppress(FdposeError):
            persons = _persons(session, key)
            for frame in open_frames(session.workspace, key).numbers:
                yield from (Item(Place(key, frame, person), "") for person in persons)


def _findings(session: Session) -> Iterator[Item]:
    """The frames that findings name, clip by clip."""
    for key in session.clips:
        with suppress(FdposeError):
            frames: dict[int, list[str]] = {}
            for finding in findings_of_clip(session, key):
                if finding.frame is not None:
                    frames.setdefault(finding.frame, []).append(said(finding))
            yield from (Item(Place(key, frame, 0), "; ".join(why)) for frame, why in sorted(frames.items()))


def _unsure(session: Session) -> Iterator[Item]:
    """Poses that the person could not tell, then the least confident ones of every clip."""
    for key in session.history.clips():
        for place, entry in session.history.entries(key).items():
            if entry.state is ReviewState.UNSURE and key in session.clips:
                yield Item(place, entry.note or "marked unsure")
    for key in session.clips:
        with suppress(FdposeError):
            auto = session.machine(key)
            if auto is not None:
                yield from _least_confident(key, auto)


def _least_confident(key: ClipKey, auto: ClipPoses) -> Iterator[Item]:
    known = np.asarray(np.isfinite(auto.keypoints).all(-1))
    sure = np.where(known, auto.confidence, 0).sum(1) / known.sum(1).clip(1)
    taken: list[int] = []
    for row in np.argsort(sure, kind="stable").tolist():
        frame = int(auto.frame[row])
        if known[row].any() and all(abs(frame - f) >= APART for f in taken):
            taken.append(frame)
            yield Item(Place(key, frame, int(auto.person[row])), f"confidence {sure[row]:.2f}")
        if len(taken) == UNSURE_OF_A_CLIP:
            return


def _persons(session: Session, key: ClipKey) -> range:
    auto = session.machine(key)
    two = session.clip(key).synchronised or (auto is not None and bool((auto.person == 1).any()))
    return range(2 if two else 1)
