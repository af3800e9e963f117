"""The operations of a journal, one line of JSON each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from finediving_pose.clip import ClipKey
from finediving_pose.journals.entry import Entry, Place
from finediving_pose.poses import ClipPoses
from finediving_pose.skeleton import N_JOINTS

LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Found:
    """A row of the annotator's layer as it was before the journal knew of it: imported, or from another program.

    ``row``: a table of one row, None where the layer had none. What the journal knew of the place before is replaced.
    """

    id: str
    at: str
    place: Place
    row: ClipPoses | None


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person did at once: new entries for one or more divers and frames of a clip.

    ``what``: in a few words, such as ``move left wrist``.
    """

    id: str
    at: str
    what: str
    entries: Mapping[Place, Entry]


@dataclass(frozen=True, slots=True)
class Step:
    """An edit is taken back (undo) or made again (redo)."""

    id: str
    at: str
    kind: Literal["undo", "redo"]
    of: str


Operation = Found | Edit | Step


def line_of(operation: Operation) -> str:
    """The operation as a line of JSON, without the line's end."""
    match operation:
        case Found():
            row = None if operation.row is None else _row_as_json(operation.row)
            rest = {"op": "found", **_place_as_json(operation.place), "row": row}
        case Edit():
            entries = [{**_place_as_json(p), **e.as_json()} for p, e in operation.entries.items()]
            rest = {"op": "edit", "what": operation.what, "entries": entries}
        case Step():
            rest = {"op": operation.kind, "of": operation.of}
    values = {"id": operation.id, "at": operation.at, **rest}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def parse_line(text: str | bytes) -> Operation:
    """Read a line. Raises ValueError where it is no operation."""
    try:
        value = json.loads(text)
        id, at, kind = value["id"], value["at"], value["op"]
        if not (isinstance(id, str) and 0 < len(id) <= LONGEST_ID and isinstance(at, str)):
            raise ValueError("an operation has an id and a time")
        match kind:
            case "found":
                return Found(id, at, parse_place(value), None if value["row"] is None else _parse_row(value["row"]))
            case "edit":
                return Edit(id, at, str(value["what"]), {parse_place(e): Entry.parse(e) for e in value["entries"]})
            case "undo" | "redo":
                return Step(id, at, kind, str(value["of"]))
        raise ValueError(f"there is no operation {kind!r}")
    except RecursionError:
        raise ValueError("nested too deep") from None
    except Exception as e:
        raise ValueError(f"{type(e).__name__}: {e}") from e


def parse_place(value: Mapping[str, Any]) -> Place:
    """From JSON. Raises ValueError, KeyError or LabelError where it is none."""
    frame, person = value["frame"], value["person"]
    if type(frame) is not int or frame < 0 or type(person) is not int or person not in (0, 1):
        raise ValueError(f"frame {frame!r}, person {person!r}: expected a frame number, and 0 or 1")
    return Place(ClipKey.parse(value["clip"]), frame, person)


def _place_as_json(place: Place) -> dict[str, Any]:
    return {"clip": str(place.key), "frame": place.frame, "person": place.person}


_COLUMNS = {"box": (4,), "keypoints": (N_JOINTS, 2), "visibility": (N_JOINTS,), "confidence": (N_JOINTS,),
            "source": (N_JOINTS,)}  # fmt: skip


def _row_as_json(row: ClipPoses) -> dict[str, Any]:
    """Every value as it is: float32 as float64 loses nothing. NaN is null."""
    arrays = {name: getattr(row, name)[0].astype(float).reshape(-1) for name in _COLUMNS}
    cells = {name: [None if np.isnan(v) else v for v in values.tolist()] for name, values in arrays.items()}
    return {
        "frame": int(row.frame[0]),
        "person": int(row.person[0]),
        **cells,
        "author": row.author[0],
        "time": row.time[0],
    }


def _parse_row(value: Mapping[str, Any]) -> ClipPoses:
    arrays = {name: np.array(value[name], float).reshape(1, *shape) for name, shape in _COLUMNS.items()}
    author, time = value["author"], value["time"]
    if not isinstance(author, str) or not isinstance(time, str):
        raise ValueError("a row has an author and a time")
    return ClipPoses(
        frame=np.array([value["frame"]]), person=np.array([value["person"]]), **arrays, author=[author], time=[time]
    )
