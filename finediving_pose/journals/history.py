"""What a journal adds up to: the entry of every diver and frame, its version, and what can be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from finediving_pose.clip import ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.journals.entry import Entry, Place, entry_of_row
from finediving_pose.journals.operations import Edit, Found, Operation, Step
from finediving_pose.poses import ClipPoses

NOTHING = Entry()


@dataclass(slots=True)
class _Known:
    """What is known of one place.

    Attributes
    ----------
    base : the layer's row before the first edit, None where it had none
    edits : edits that count, the latest last
    version : id of the last operation that changed the place
    at : when that was
    """

    base: ClipPoses | None
    edits: list[Edit] = field(default_factory=list)
    version: str = ""
    at: str = ""


class History:
    """The state after a sequence of operations."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        self._places: dict[Place, _Known] = {}
        self._by_clip: dict[ClipKey, set[Place]] = {}
        self._edits: dict[str, Edit] = {}
        self._done: list[str] = []
        self._undone: list[str] = []
        self._seen: dict[str, Operation] = {}
        for operation in operations:
            self.apply(operation)

    def apply(self, operation: Operation) -> None:
        """Take an operation in. Raises PoseError where it takes back what is not the last thing done."""
        match operation:
            case Found():
                self._find(operation)
            case Edit():
                self._edits[operation.id] = operation
                self._done.append(operation.id)
                self._undone.clear()
                for place in operation.entries:
                    self._known(place).edits.append(operation)
                self._touch(operation.entries, operation)
            case Step():
                self._step(operation)
        self._seen[operation.id] = operation

    def _find(self, found: Found) -> None:
        """A row that another program wrote replaces what was known, and can't be taken back from here."""
        self._places[found.place] = _Known(found.row, version=found.id, at=found.at)
        self._by_clip.setdefault(found.place.key, set()).add(found.place)
        gone = {id for id, edit in self._edits.items() if found.place in edit.entries}
        if gone:
            self._done = [id for id in self._done if id not in gone]
            self._undone = [id for id in self._undone if id not in gone]

    def _step(self, step: Step) -> None:
        source, target = (self._done, self._undone) if step.kind == "undo" else (self._undone, self._done)
        if not source or source[-1] != step.of:
            raise PoseError(f"operation {step.id}: {step.kind} of {step.of}, which is not what comes next")
        target.append(source.pop())
        edit = self._edits[step.of]
        for place in edit.entries:
            edits = self._known(place).edits
            if step.kind == "redo":
                edits.append(edit)
            else:
                edits.pop()
        self._touch(edit.entries, step)

    def _touch(self, places: Iterable[Place], operation: Operation) -> None:
        for place in places:
            known = self._known(place)
            known.version, known.at = operation.id, operation.at

    def _known(self, place: Place) -> _Known:
        if place not in self._places:
            self._places[place] = _Known(None)
            self._by_clip.setdefault(place.key, set()).add(place)
        return self._places[place]

    # -- questions ----------------------------------------------------------------------------------------------------

    def seen(self, id: str) -> Operation | None:
        """The operation with this id, where it was taken in already."""
        return self._seen.get(id)

    def next_step(self, kind: str) -> Edit | None:
        """The edit that an undo, or a redo, would be of."""
        ids = self._done if kind == "undo" else self._undone
        return self._edits[ids[-1]] if ids else None

    def edit_of(self, operation: Operation) -> Edit | None:
        """The edit that an operation makes, takes back or makes again; None for others."""
        return operation if isinstance(operation, Edit) else self._edits.get(getattr(operation, "of", ""))

    @property
    def depth(self) -> tuple[int, int]:
        """How many edits can be taken back, and how many made again."""
        return len(self._done), len(self._undone)

    def knows(self, place: Place) -> bool:
        return place in self._places

    def version(self, place: Place) -> str:
        """Id of the last operation that changed the place, empty where none did."""
        return self._places[place].version if place in self._places else ""

    def changed_at(self, place: Place) -> str:
        """When the place was last changed, ISO 8601 in UTC; empty where it never was."""
        return self._places[place].at if place in self._places else ""

    def entry(self, place: Place) -> Entry:
        """What the person says now."""
        known = self._places.get(place)
        if known is None:
            return NOTHING
        if known.edits:
            return known.edits[-1].entries[place]
        return NOTHING if known.base is None else entry_of_row(known.base, 0)

    def said_at(self, place: Place) -> str:
        """When the person said what :meth:`entry` gives; empty where it is as it was found."""
        known = self._places.get(place)
        return known.edits[-1].at if known and known.edits else ""

    def base(self, place: Place) -> ClipPoses | None:
        """The layer's row, where the place is as it was found."""
        return self._places[place].base

    def clips(self) -> list[ClipKey]:
        """Clips in which anything was done, sorted."""
        return sorted(self._by_clip)

    def places(self, key: ClipKey) -> list[Place]:
        """Places of a clip that the journal knows, sorted."""
        return sorted(self._by_clip.get(key, ()))

    def entries(self, key: ClipKey) -> Mapping[Place, Entry]:
        """What the person says in a clip."""
        return {place: self.entry(place) for place in self.places(key)}
