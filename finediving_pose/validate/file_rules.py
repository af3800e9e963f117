"""Rules on what the label files hold beside the clips table."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from finediving_pose.clip import ClipKey
from finediving_pose.difficulty import SEASON, difficulty, likely_heights
from finediving_pose.events import season
from finediving_pose.labels.levels import Level
from finediving_pose.labels.read import LabelFiles
from finediving_pose.lexicon import SUB_ACTIONS
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import listed, stage_names

FINE, TRAINING = "fine-grained", "fine-grained for training"
_SHARED_FIELDS = ("action_type", "dive_score", "difficulty")


@rule("label.known-file", severity="warning", scope="labels")
def files_are_the_released_ones(labels: LabelFiles) -> Iterator[Finding]:
    """The label files are those of the release, by their sha256 (``data_manifest/finediving.json``)."""
    for path in labels.unknown_files():
        what = f"{path} is another file than the release's; what the manifest says of the release may not hold"
        yield Finding(None, what, path.name, "another sha256", "the sha256 in finediving.json")


@rule("label.tables-agree", severity="warning", scope="labels")
def tables_say_the_same(labels: LabelFiles) -> Iterator[Finding]:
    """The coarse and the two fine-grained tables have the same dives, with the same labels."""
    coarse, fine = labels.of_kind("coarse"), labels.of_kind(FINE)
    training = labels.of_kind(TRAINING)
    names = {"coarse": coarse, FINE: fine, TRAINING: _as_dicts(training) if training else None}
    present = {name: table for name, table in names.items() if table}
    if len(present) < 2:
        return
    first_name, first = next(iter(present.items()))
    for name, table in list(present.items())[1:]:
        for key in sorted(set(first) ^ set(table)):
            lacking = name if key in first else first_name
            yield Finding(_key(key), f"not in the {lacking} table", "key", "absent", f"in the {lacking} table")
        for key in sorted(set(first) & set(table)):
            for field in _SHARED_FIELDS:
                a, b = first[key][field], table[key][field]
                if str(a).lower() != str(b).lower():
                    what = f"{field} is {a} in the {first_name} table, {b} in the {name} table"
                    level, evidence = (
                        _difficulty_of_table(labels, key, a, b) if field == "difficulty" else ("doubtful", "")
                    )
                    yield Finding(_key(key), what, f"{name}: {field}", str(b), str(a), level=level, evidence=evidence)


@rule("label.transit-frames", severity="warning", scope="labels")
def transits_are_where_the_label_changes(labels: LabelFiles) -> Iterator[Finding]:
    """steps_transit_frames lists the last frame before each change of the frames' label.

    Where both lists are possible, nothing decides between them. Labels that flicker are left to ``label.flicker``.
    """
    for key, fields in _fine(labels):
        changes, transits = _changes(fields), [int(t) for t in fields["steps_transit_frames"]]
        if changes != transits and not _returns(fields):
            what = f"steps_transit_frames {listed(transits)}, but the frames' label changes after {listed(changes)}"
            level, evidence = "doubtful", ""
            if min(transits) < 0 and {t for t in transits if t >= 0} <= set(changes):
                level = "certain"
                evidence = "a negative number is no frame, and the others are frames after which the label changes"
            found, expected = listed(transits, " "), listed(changes, " ")
            yield Finding(
                _key(key), what, f"{FINE}: steps_transit_frames", found, expected, level=level, evidence=evidence
            )


@rule("label.flicker", severity="warning", scope="labels")
def labels_do_not_flicker(labels: LabelFiles) -> Iterator[Finding]:
    """The frames' label changes once per stage, and never goes back to an earlier one for a frame or two."""
    for key, fields in _fine(labels):
        back = _returns(fields)
        if back:
            names = stage_names(k for k, _ in groupby(int(x) for x in fields["frames_labels"]))
            what = f"the frames' label goes back after frame {back[0]}: {names}"
            found = listed(_changes(fields), " ")
            expected = listed(fields["steps_transit_frames"], " ")
            evidence = "steps_transit_frames of the same dive has one change a stage"
            yield Finding(_key(key), what, f"{FINE}: frames_labels", found, expected, level="likely", evidence=evidence)


@rule("label.one-name", severity="warning", scope="labels")
def one_id_has_one_name(labels: LabelFiles) -> Iterator[Finding]:
    """A sub-action id has one name, the same in every dive's table of names."""
    names: dict[int, Counter[str]] = defaultdict(Counter)
    for _, fields in _fine(labels):
        names_of = fields.get("sub-action_types", {})
        for i, name in names_of.items():
            names[int(i)][name] += 1
    for key, fields in _fine(labels):
        for i, name in fields.get("sub-action_types", {}).items():
            usual = names[int(i)].most_common(1)[0][0]
            if name != usual:
                often = f"{usual!r} in {names[int(i)][usual]} dives"
                what = f"sub-action {int(i)} is called {name!r} here and {often}"
                evidence = f"id {int(i)} is {often} of the same file; this one is a {fields['action_type']}"
                at = f"{FINE}: sub-action_types[{int(i)}]"
                yield Finding(_key(key), what, at, name, usual, level="certain", evidence=evidence)


@rule("label.name-table", severity="warning", scope="labels")
def name_table_is_that_of_the_frames(labels: LabelFiles) -> Iterator[Finding]:
    """A dive's table of names lists exactly the sub-actions that its frames are labelled with."""
    for key, fields in _fine(labels):
        table = {int(i) for i in fields.get("sub-action_types", {})}
        used = {int(i) for i in np.unique(fields["frames_labels"])}
        if table and table != used:
            what = f"the table names {_ids(table)}, the frames have {_ids(used)}"
            yield Finding(_key(key), what, f"{FINE}: sub-action_types", _ids(table), _ids(used))


def _difficulty_of_table(labels: LabelFiles, key: Any, right: float, wrong: float) -> tuple[Level, str]:
    """How sure it is that the first of two tables has the right difficulty."""
    clip = next(c for c in labels.clips if c.key == _key(key))
    height = likely_heights([c for c in labels.clips if c.key.video == clip.key.video])[clip.key]
    given = difficulty(clip.action_type or "", height, season(clip) or SEASON) if height else None
    if given and given.is_published and given.value == right != wrong:
        return "certain", f"{clip.action_type} from {height:g} m has {right:g} ({given.words()})"
    return "doubtful", ""


def _fine(labels: LabelFiles) -> list[tuple[Any, dict[str, Any]]]:
    """Dives with labels of every frame, by key."""
    if labels.dataset != "finediving":
        return []
    table = labels.of_kind(FINE) or _as_dicts(labels.of_kind(TRAINING) or {})
    return sorted(table.items())


def _as_dicts(training: dict[Any, Any]) -> dict[Any, dict[str, Any]]:
    names = (*_SHARED_FIELDS, "steps_transit_frames", "frames_labels")
    return {key: dict(zip(names, values, strict=True)) for key, values in training.items()}


def _changes(fields: dict[str, Any]) -> list[int]:
    """Last frame before every change of label."""
    return [int(i) for i in np.flatnonzero(np.diff(np.asarray(fields["frames_labels"])))]


def _returns(fields: dict[str, Any]) -> list[int]:
    """Frames after which a label comes back, one more change than the dive has stages."""
    changes = _changes(fields)
    return changes[len(fields["steps_transit_frames"]) :] if len(changes) > len(fields["steps_transit_frames"]) else []


def _ids(ids: set[int]) -> str:
    return ", ".join(f"{i} {SUB_ACTIONS.get(i, '?')}" for i in sorted(ids))


def _key(key: Any) -> ClipKey:
    return ClipKey(key[0], int(key[1]))
