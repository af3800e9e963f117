"""The layer ``manual/<annotator>`` and the reviews of a clip, made from the journal.

Rows that the journal does not know stay as they are. Rows that another program wrote later than the journal's last
word on them are taken into the journal (:func:`outside_changes`); all others are the journal's.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Lock

import numpy as np

from finediving_pose.clip import ClipKey
from finediving_pose.journals.entry import Place, row_of_entry
from finediving_pose.journals.history import History
from finediving_pose.poses import COLUMNS, ClipPoses, concatenate, read_poses, take_rows, write_poses
from finediving_pose.reviews import Review, read_reviews, review_file, write_reviews
from finediving_pose.workspace import Workspace, remove_part_files
from finediving_pose.writing import writing

PATIENCE = 60
"""Seconds that writing waits for a command that reads the layer."""


def read_layer(workspace: Workspace, annotator: str, key: ClipKey) -> ClipPoses | None:
    """The annotator's poses of a clip as they are on the disk; None where there are none."""
    path = workspace.pose_file(f"manual/{annotator}", key)
    return read_poses(path) if path.is_file() else None


def row_at(poses: ClipPoses | None, place: Place) -> ClipPoses | None:
    """A table of one row, None where the table has none for this place."""
    row = None if poses is None else poses.row(place.frame, place.person)
    return None if poses is None or row is None else take_rows(poses, np.array([row]))


def outside_changes(
    layer: ClipPoses | None, history: History, annotator: str, key: ClipKey
) -> list[tuple[Place, ClipPoses]]:
    """Rows that another program wrote after the journal's last word on them."""
    found = []
    for place in history.places(key):
        row = row_at(layer, place)
        if (
            row is not None
            and row.time[0] > history.changed_at(place)
            and not same(row, _row(history, place, annotator))
        ):
            found.append((place, row))
    return found


def write_layer(workspace: Workspace, annotator: str, key: ClipKey, history: History, lock: Lock) -> None:
    """Write what the journal says of a clip: poses and reviews. Files that would be the same are left alone.

    ``lock``: held by whoever changes ``history``; not held here while other commands are waited for.
    Raises FdposeError where they can't be written, BusyError where another command uses the layer.
    """
    path = workspace.pose_file(f"manual/{annotator}", key)
    with writing("fdpose review", [workspace.poses / "manual" / annotator], patience=PATIENCE):
        old = read_layer(workspace, annotator, key)
        with lock:
            new, reviews = layer_poses(old, history, annotator, key), reviews_of(history, annotator, key)
        if len(new) and (old is None or not same(old, new)):
            remove_part_files(path)
            write_poses(path, new)
        elif not len(new) and old is not None:
            path.unlink()
        _remove_empty(path.parent, workspace.poses)
    file = review_file(workspace, annotator, key)
    if reviews != read_reviews(file, annotator, key):
        write_reviews(file, reviews)
    _remove_empty(file.parent, workspace.root)


def layer_poses(old: ClipPoses | None, history: History, annotator: str, key: ClipKey) -> ClipPoses:
    """The annotator's poses of a clip: what the journal knows, and the other rows of ``old``."""
    outside = {place for place, _ in outside_changes(old, history, annotator, key)}
    known = [place for place in history.places(key) if place not in outside]
    places = {(p.frame, p.person) for p in known}
    kept: list[ClipPoses] = []
    if old is not None:
        pairs = zip(old.frame.tolist(), old.person.tolist(), strict=True)
        kept = [take_rows(old, np.flatnonzero([pair not in places for pair in pairs]))]
    rows = [row for place in known if (row := _row(history, place, annotator)) is not None]
    return concatenate([*kept, *rows]) if kept or rows else _no_poses()


def _row(history: History, place: Place, annotator: str) -> ClipPoses | None:
    said_at = history.said_at(place)
    if not said_at:
        return history.base(place)
    entry = history.entry(place)
    return row_of_entry(entry, place, annotator, said_at) if entry.places_joints else None


def reviews_of(history: History, annotator: str, key: ClipKey) -> list[Review]:
    """What the annotator says of the poses of a clip."""
    return [
        Review(
            annotator, key, place.frame, place.person, entry.state, entry.note, history.said_at(place), entry.machine
        )
        for place, entry in history.entries(key).items()
        if entry.state or entry.note
    ]


def same(one: ClipPoses | None, two: ClipPoses | None) -> bool:
    """Whether two tables hold the same."""
    if one is None or two is None:
        return one is two
    return len(one) == len(two) and all(
        np.array_equal(np.asarray(getattr(one, c)), np.asarray(getattr(two, c)), equal_nan=c not in ("author", "time"))
        for c in COLUMNS
    )


def _no_poses() -> ClipPoses:
    empty = np.zeros(0)
    joints = np.zeros((0, 16))
    return ClipPoses(empty, empty, np.zeros((0, 4)), np.zeros((0, 16, 2)), joints, joints, joints, [], [])


def _remove_empty(folder: Path, until: Path) -> None:
    """Remove folders that hold nothing any more, up to but without ``until``."""
    while folder != until:
        with suppress(OSError):
            folder.rmdir()
        folder = folder.parent
