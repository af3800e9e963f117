"""One person at work on a data directory: edits in, journal and layer out. Safe to call from several threads."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from annotate.review.layer_writer import LayerWriter
from annotate.review.machine import machine_pose
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import BusyError, FdposeError, PoseError
from finediving_pose.journals.entry import HAND, Entry, Place, entry_of_row
from finediving_pose.journals.history import History
from finediving_pose.journals.journal import Journal, journal_file, read_journal
from finediving_pose.journals.layer import layer_poses, outside_changes, read_layer, reviews_of, row_at
from finediving_pose.journals.operations import Edit, Found, Operation, Step
from finediving_pose.persons import FEWEST_JOINTS
from finediving_pose.poses import ClipPoses, read_poses
from finediving_pose.reviews import Review
from finediving_pose.workspace import Workspace
from finediving_pose.writing import writing


@dataclass(frozen=True, slots=True)
class Done:
    """What an operation did: the new entry and version of every place that it changed.

    ``places`` is empty where there was nothing to take back or to make again.
    """

    what: str
    places: tuple[tuple[Place, Entry, str], ...]
    depth: tuple[int, int]


class ConflictError(FdposeError):
    """An edit is of a version that is no longer the latest: somebody else, or another window, changed the pose."""

    def __init__(self, now: Sequence[tuple[Place, Entry, str]]) -> None:
        super().__init__("the pose was changed in another window meanwhile; both versions are shown")
        self.now = now


class ReadOnlyError(FdposeError):
    """Nothing can be written into the data directory, so that poses can only be looked at."""


class Session:
    """A person at work. Raises BusyError where the same person's journal is open in another process.

    Attributes
    ----------
    read_only : why nothing can be written; empty where it can
    """

    def __init__(self, workspace: Workspace, annotator: str, clips: Sequence[Clip]) -> None:
        self.workspace, self.annotator = workspace, annotator
        self.clips = {c.key: c for c in clips}
        self._lock = threading.Lock()
        self._open = ExitStack()
        self._journal: Journal | None = None
        self.read_only = ""
        path = journal_file(workspace, annotator)
        try:
            self._open.enter_context(writing("fdpose review", [path]))
        except BusyError:
            raise
        except FdposeError as e:
            self.read_only = str(e)
        operations, length = read_journal(path)
        self.history = History(operations)
        if not self.read_only:
            self._start(path, length)

    def _start(self, path: Path, length: int) -> None:
        try:
            self._journal = Journal(path, length)
        except FdposeError as e:
            self.read_only = str(e)
            return
        self._writer = LayerWriter(self.workspace, self.annotator, self._journal, self.history, self._lock)
        self._open.callback(self._journal.close)
        self._open.callback(self._writer.close)
        self._writer.mark(*self.history.clips())  # a kill may have come between a line and the layer

    def close(self) -> None:
        """Write the layer to the end and let go of the journal."""
        self._open.close()

    def flush(self) -> None:
        """Wait until the layer says what the journal says."""
        if self._journal is not None:
            self._writer.flush()

    @property
    def problem(self) -> str:
        """Why the layer can't be written at the moment; empty where it can."""
        return self._writer.problem if self._journal is not None else ""

    # -- questions ----------------------------------------------------------------------------------------------------

    def clip(self, key: ClipKey) -> Clip:
        """A clip of this session. Raises PoseError where it has no such clip."""
        try:
            return self.clips[key]
        except KeyError:
            raise PoseError(f"{key}: no clip of this session; it was started for {len(self.clips):,} clips") from None

    def machine(self, key: ClipKey) -> ClipPoses | None:
        """The automatic poses of a clip, None where there are none."""
        path = self.workspace.pose_file("auto", key)
        return read_poses(path) if path.is_file() else None

    def entries(self, key: ClipKey) -> dict[Place, tuple[Entry, str]]:
        """What the person says in a clip, with the version of each place; rows of the layer that were imported, too."""
        with self._lock:
            layer = read_layer(self.workspace, self.annotator, key)
            self._adopt(key, layer)
            found = {p: (e, self.history.version(p)) for p, e in self.history.entries(key).items()}
        if layer is not None:
            for frame, person in zip(layer.frame.tolist(), layer.person.tolist(), strict=True):
                place = Place(key, frame, person)
                if place not in found:
                    found[place] = (self._as_found(layer, place), "")
        return found

    def hands(self, key: ClipKey) -> ClipPoses | None:
        """The layer of a clip as the journal has it now, written or not; None where it is empty."""
        with self._lock:
            old = read_layer(self.workspace, self.annotator, key)
            poses = layer_poses(old, self.history, self.annotator, key)
        return poses if len(poses) else None

    def reviews(self, key: ClipKey) -> list[Review]:
        """What the person says of the poses of a clip."""
        with self._lock:
            return reviews_of(self.history, self.annotator, key)

    def teachable(self) -> int:
        """Number of poses with as many joints by the person as fine-tuning asks for."""
        with self._lock:
            clips = self.history.clips()
            entries = [e for key in clips for e in self.history.entries(key).values()]
        by_hand = [sum(j is not None and j.by == HAND and j.visibility > 0 for j in e.joints) for e in entries]
        return sum(n >= FEWEST_JOINTS for n in by_hand)

    # -- work ---------------------------------------------------------------------------------------------------------

    def edit(self, id: str, what: str, entries: Mapping[Place, Entry], versions: Mapping[Place, str]) -> Done:
        """Take an edit in; it is on the disk when this comes back. The same ``id`` again changes nothing.

        ``versions``: of each place, the version that the person saw.

        Raises
        ------
        ConflictError
            A place has another version.
        ReadOnlyError, JournalFullError
            Nothing can be written.
        PoseError
            A place is in no frame of this session.
        """
        with self._lock:
            if self.history.seen(id):
                return self._done(what, entries)
            journal = self._writable()
            for key in {place.key for place in entries}:
                self._adopt(key, read_layer(self.workspace, self.annotator, key))
            stale = [place for place in entries if self.history.version(place) != versions.get(place, "")]
            if stale:
                raise ConflictError([self._now(place) for place in stale])
            now = _now()
            found = self._first_seen(entries, now)
            with_machine = self._with_machine(entries)
            operations: list[Operation] = [*found, Edit(id, now, what, with_machine)]
            self._append(journal, operations)
            return self._done(what, entries)

    def step(self, id: str, kind: str) -> Done:
        """Take the last edit back (``undo``), or make the last one that was taken back again (``redo``).

        Raises ReadOnlyError or JournalFullError as :meth:`edit` does.
        """
        with self._lock:
            known = self.history.seen(id)
            if isinstance(known, Step):
                return self._done(known.kind, ())
            journal = self._writable()
            edit = self.history.next_step(kind)
            if edit is None:
                return self._done(kind, ())
            step = Step(id, _now(), "undo" if kind == "undo" else "redo", edit.id)
            self._append(journal, [step])
            return self._done(edit.what, edit.entries)

    def _append(self, journal: Journal, operations: Sequence[Operation]) -> None:
        journal.append(operations)
        changed: set[ClipKey] = set()
        for operation in operations:
            self.history.apply(operation)
            edit = self.history.edit_of(operation)
            changed |= {p.key for p in edit.entries} if edit else set()
        self._writer.mark(*changed)

    def _first_seen(self, places: Mapping[Place, Entry], now: str) -> list[Found]:
        """The rows of the layer at places that the journal does not know yet."""
        new = [p for p in places if not self.history.knows(p)]
        layers = {key: read_layer(self.workspace, self.annotator, key) for key in {p.key for p in new}}
        rows = {p: row for p in new if (row := row_at(layers[p.key], p)) is not None}
        return [Found(uuid4().hex, now, place, row) for place, row in rows.items()]

    def _adopt(self, key: ClipKey, layer: ClipPoses | None) -> None:
        """Take rows into the journal that were imported since its last word on them."""
        if self._journal is None:
            return
        now = _now()
        rows = outside_changes(layer, self.history, self.annotator, key)
        if rows:
            self._append(self._journal, [Found(uuid4().hex, now, place, row) for place, row in rows])

    def _with_machine(self, entries: Mapping[Place, Entry]) -> dict[Place, Entry]:
        """With the machine's poses that the person saw, where a state says something of them."""
        tables = {key: self.machine(key) for key in {p.key for p in entries}}
        return {
            place: entry.with_machine(machine_pose(tables[place.key], place) if entry.state else None)
            for place, entry in entries.items()
        }

    def _as_found(self, layer: ClipPoses, place: Place) -> Entry:
        row = layer.row(place.frame, place.person)
        assert row is not None
        return entry_of_row(layer, row)

    def _writable(self) -> Journal:
        if self._journal is None:
            raise ReadOnlyError(self.read_only)
        return self._journal

    def _now(self, place: Place) -> tuple[Place, Entry, str]:
        return place, self.history.entry(place), self.history.version(place)

    def _done(self, what: str, places: Sequence[Place] | Mapping[Place, Entry]) -> Done:
        return Done(what, tuple(self._now(place) for place in places), self.history.depth)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
