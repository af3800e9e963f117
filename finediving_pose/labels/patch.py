"""Corrected copies of the released label pickles, with every key and type as it was.

The corrections are those of ``data_manifest/errata_labels.csv``. They hold for the released files only, which are known
by their sha256.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np

from finediving_pose.errors import LabelError, UsageError
from finediving_pose.labels import finediving, mtl_aqa
from finediving_pose.labels.errata import Erratum, Upto, corrections, from_text, parsed_field, read_errata
from finediving_pose.labels.read import LabelFiles, read_label_files
from finediving_pose.lexicon import SUB_ACTIONS
from finediving_pose.workspace import atomic_write

_TRAINING_FIELDS = ("action_type", "dive_score", "difficulty", "steps_transit_frames", "frames_labels")
_MTL_AQA_NAMES = {"action_type": "dive_number", "dive_score": "final_score"}


@dataclass(frozen=True, slots=True)
class Change:
    """One value of one file, before and after, as text."""

    path: Path
    clip: str
    field: str
    before: str
    after: str
    erratum: Erratum

    def __str__(self) -> str:
        return f"{self.path}  {self.clip}  {self.field}  {self.before} -> {self.after}  ({self.erratum.level})"


def write_patched(source: Path, target: Path, upto: Upto = "certain") -> list[Change]:
    """Write corrected copies of the label pickles in a folder, and say what changed.

    Parameters
    ----------
    source : folder of FineDiving's or MTL-AQA's pickles, or a folder of both data sets' folders; files lie in
        ``target`` as they lie there
    target : a folder that does not exist yet, or is empty
    upto : ``certain`` makes certain corrections only, ``likely`` the likely ones, too

    Raises
    ------
    LabelError
        There are no label files, or one of them is another file than the release's, by its sha256.
    UsageError
        ``source`` is no folder, or ``target`` holds something.
    """
    if not source.is_dir():
        raise UsageError(f"{source}: no such folder; name the folder that the released label files lie in")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target}: is there already; name a new folder for the corrected files")
    read = _read_all(source)
    for files in read:
        if files.dataset == "ranges" or files.unknown_files():
            path = (files.unknown_files() or [files.folder])[0]
            raise LabelError(
                f"{path}: not a released file, by its sha256; the errata hold for the released files only"
                " (data_manifest/finediving.json): download it again"
            )
    changes: list[Change] = []
    for files in read:
        protocols = {path: path.read_bytes()[1] for path in files.contents}
        changed = list(_patch(files, source, upto))
        changes += changed
        touched = {change.path for change in changed}
        for path, content in files.contents.items():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            was = path.relative_to(source) not in touched
            data = path.read_bytes() if was else pickle.dumps(content, protocols[path])
            with atomic_write(place) as part:
                part.write_bytes(data)
    return changes


def _read_all(source: Path) -> list[LabelFiles]:
    """The label files of a folder, or of each of its folders that has some."""
    try:
        return [read_label_files(source)]
    except LabelError:
        folders = [f for f in sorted(source.iterdir()) if f.is_dir()] if source.is_dir() else []
        found = [f for f in folders if any(f.rglob("*.pkl"))]
        if not found:
            raise
        return [read_label_files(f) for f in found]


def _patch(files: LabelFiles, source: Path, upto: Upto) -> Iterator[Change]:
    """Change the contents of the files, and yield what changed."""
    reader = mtl_aqa if files.dataset == "mtl_aqa" else finediving
    rows = [e for e in corrections(read_errata("labels"), upto) if e.dataset == files.dataset]
    stages = {str(c.key): c.stage_starts for c in files.clips}
    for path, content in files.contents.items():
        kind = reader.kind(content)
        if kind == "split":
            continue
        keys = {f"{k[0]:02d}/{k[1]}" if isinstance(k[0], int) else f"{k[0]}/{k[1]}": k for k in content}
        for erratum in rows:
            if erratum.clip in keys:
                dive = _Dive(kind or "", content, keys[erratum.clip], stages[erratum.clip])
                for field, before, after in dive.correct(erratum):
                    yield Change(path.relative_to(source), erratum.clip, field, _text(before), _text(after), erratum)


@dataclass(frozen=True, slots=True)
class _Dive:
    """One dive in one of the files: what it holds, by the names that the files or the clips table give it."""

    kind: str
    content: dict[Any, Any]
    key: Any
    stage_starts: Sequence[int]

    def correct(self, erratum: Erratum) -> Iterator[tuple[str, Any, Any]]:
        """Make a correction, where this file has the field: (field, before, after) of every value that changes."""
        name, position = parsed_field(erratum.field)
        if not name:
            yield from self._correct_own(erratum)
        elif name == "sub_actions":
            yield from self._correct_stages(erratum, position)
        elif self._has(name):
            now = self._get(name)
            if position is None and isinstance(now, (list, np.ndarray)):
                yield from self._correct_list(name, erratum)
            elif position is None:
                yield from self._change(name, now, _like(now, erratum.expected))
            else:
                after = now.copy()
                after[position] = _like(now[position], erratum.expected)
                yield from self._change(name, now, after)

    def _correct_list(self, name: str, erratum: Erratum) -> Iterator[tuple[str, Any, Any]]:
        """All values of a list; none where words are expected and no values."""
        now = self._get(name)
        try:
            right = from_text(name, erratum.expected, tuple(now))
        except ValueError:
            return
        after = now.copy()
        for i, value in enumerate(right):
            after[i] = value
        yield from self._change(name, now, after)

    def _correct_own(self, erratum: Erratum) -> Iterator[tuple[str, Any, Any]]:
        """Fields that only some label files hold, written as ``<table>: <field>``."""
        table, _, field = erratum.field.partition(": ")
        if field == "steps_transit_frames" and self._has(field):  # in both fine-grained tables
            now = self._get(field)
            yield from self._change(field, now, np.array(erratum.expected.split(), dtype=now.dtype))
        elif field == "frames_labels" and self._has(field):
            now = self._get(field)
            yield from self._change(field, now, _one_label_a_stage(now, [int(t) for t in erratum.expected.split()]))
        elif table == self.kind and field.startswith("sub-action_types["):
            now = self._get("sub-action_types")
            number = int(field.partition("[")[2].rstrip("]"))
            yield from self._change(
                "sub-action_types", now, {k: erratum.expected if k == number else v for k, v in now.items()}
            )
        elif table == self.kind and self._has(field):
            yield from self._change(field, self._get(field), _like(self._get(field), erratum.expected))

    def _correct_stages(self, erratum: Erratum, position: int | None) -> Iterator[tuple[str, Any, Any]]:
        """The label of every frame of a stage, and the table of names."""
        if not self._has("frames_labels"):
            return
        now = self._get("frames_labels")
        starts = [0, *self.stage_starts]
        wanted = erratum.expected.split(" > ") if position is None else [erratum.expected]
        ids = {name: i for i, name in SUB_ACTIONS.items()}
        after = now.copy()
        for stage, name in enumerate(wanted, start=position or 0):
            end = starts[stage + 1] if stage + 1 < len(starts) else len(after)
            after[starts[stage] : end] = ids[name]
        yield from self._change("frames_labels", now, after)
        if self._has("sub-action_types"):
            yield from self._rename(after)

    def _rename(self, labels: np.ndarray) -> Iterator[tuple[str, Any, Any]]:
        """Make the table of names that of the frames' labels, in their order; kept names keep key and value."""
        now = self._get("sub-action_types")
        kept = {int(k): (k, v) for k, v in now.items()}
        like = cast(Callable[[int], Any], type(next(iter(now))))
        order = list(dict.fromkeys(int(x) for x in labels))
        after = dict(kept.get(i, (like(i), SUB_ACTIONS[i])) for i in order)
        yield from self._change("sub-action_types", now, after)

    def _has(self, name: str) -> bool:
        fields = self.content[self.key]
        return self._name(name) in (_TRAINING_FIELDS if isinstance(fields, list) else fields)

    def _get(self, name: str) -> Any:
        return self.content[self.key][self._place(name)]

    def _place(self, name: str) -> Any:
        fields = self.content[self.key]
        return _TRAINING_FIELDS.index(name) if isinstance(fields, list) else self._name(name)

    def _name(self, name: str) -> str:
        return _MTL_AQA_NAMES.get(name, name) if self.kind == "annotations" else name

    def _change(self, name: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
        if _text(before) != _text(after):
            self.content[self.key][self._place(name)] = after
            yield self._name(name), before, after


def _like(now: Any, text: str) -> Any:
    """The value that a text names, of the type of another, and in its case."""
    return type(now)(text.upper() if isinstance(now, str) and now.isupper() else text)


def _one_label_a_stage(labels: np.ndarray, transits: Sequence[int]) -> np.ndarray:
    """Labels of frames with one label a stage, the one that most frames of the stage have. int64 (n,)"""
    after, bounds = labels.copy(), [0, *(t + 1 for t in transits), len(labels)]
    for a, b in pairwise(bounds):
        values, counts = np.unique(labels[a:b], return_counts=True)
        after[a:b] = values[counts.argmax()]
    return after


def _text(value: Any) -> str:
    """A value in the diff: stages of frames as their ids with the number of frames."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "i" and len(value) > 8:
        cuts = [0, *(np.flatnonzero(np.diff(value)) + 1).tolist(), len(value)]
        return " ".join(f"{value[a]}x{b - a}" for a, b in pairwise(cuts))
    if isinstance(value, (list, np.ndarray)):
        return " ".join(f"{x:g}" for x in value)
    if isinstance(value, dict):
        return ", ".join(f"{int(k)} {v}" for k, v in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
