"""Rules on what the label files hold beside the clips table, and on two data sets that share dives."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.difficulty import admissible
from finediving_pose.labels.read import LabelFiles
from finediving_pose.lexicon import SUB_ACTIONS
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.score_rules import gives_score
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
                    yield Finding(_key(key), what, f"{name}: {field}", str(b), str(a))


@rule("label.transit-frames", severity="warning", scope="labels")
def transits_are_where_the_label_changes(labels: LabelFiles) -> Iterator[Finding]:
    """steps_transit_frames lists the last frame before each change of the frames' label."""
    for key, fields in _fine(labels):
        changes, transits = _changes(fields), [int(t) for t in fields["steps_transit_frames"]]
        if changes != transits:
            what = f"steps_transit_frames {listed(transits)}, but the frames' label changes after {listed(changes)}"
            certain = not _returns(fields)
            found, expected = listed(transits, " "), listed(changes, " ")
            yield Finding(_key(key), what, f"{FINE}: steps_transit_frames", found, expected, certain=certain)


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
            yield Finding(_key(key), what, f"{FINE}: frames_labels", found, expected)


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
                what = f"sub-action {int(i)} is called {name!r} here and {usual!r} in {names[int(i)][usual]} dives"
                yield Finding(_key(key), what, f"{FINE}: sub-action_types[{int(i)}]", name, usual, certain=True)


@rule("label.name-table", severity="warning", scope="labels")
def name_table_is_that_of_the_frames(labels: LabelFiles) -> Iterator[Finding]:
    """A dive's table of names lists exactly the sub-actions that its frames are labelled with."""
    for key, fields in _fine(labels):
        table = {int(i) for i in fields.get("sub-action_types", {})}
        used = {int(i) for i in np.unique(fields["frames_labels"])}
        if table and table != used:
            what = f"the table names {_ids(table)}, the frames have {_ids(used)}"
            yield Finding(_key(key), what, f"{FINE}: sub-action_types", _ids(table), _ids(used))


@rule("label.datasets-agree", severity="warning", scope="datasets")
def data_sets_say_the_same(datasets: list[LabelFiles]) -> Iterator[Finding]:
    """A dive that is in FineDiving and in MTL-AQA has the same number, difficulty, awards and score in both.

    Checked when both data sets are validated together. If the other labels confirm only one
    of two values, the finding names the data set with the other value. Otherwise it names FineDiving.
    """
    by_name = {d.dataset: {c.key: c for c in d.clips} for d in datasets}
    ours, theirs = by_name.get("finediving", {}), by_name.get("mtl_aqa", {})
    for key in sorted(set(ours) & set(theirs)):
        for field in ("action_type", "difficulty", "dive_score", "judge_scores"):
            if getattr(ours[key], field) != getattr(theirs[key], field):
                yield _disagreement(ours[key], theirs[key], field)


def _disagreement(ours: Clip, theirs: Clip, field: str) -> Finding:
    a, b = getattr(ours, field), getattr(theirs, field)
    right = {_holds(ours, field), not _holds(theirs, field)}
    decided = len(right) == 1
    wrong, value, other, name = (theirs, b, a, "FineDiving") if decided and right.pop() else (ours, a, b, "MTL-AQA")
    why = f", which {'the difficulty' if field == 'action_type' else 'the score'} speaks for" if decided else ""
    what = f"{field} is {_text(value)}, in {name} {_text(other)}{why}"
    return Finding(
        wrong.key, what, field, _text(value), _text(other), certain=decided and field != "judge_scores",
        source=wrong.source,
    )  # fmt: skip


def _holds(clip: Clip, field: str) -> bool:
    """Whether the clip's other labels confirm the field."""
    if field == "action_type":
        return clip.difficulty in admissible(clip.action_type or "", clip.height_m, clip.synchronised)
    return clip.difficulty is not None and gives_score(clip, clip.difficulty)


def _text(value: Any) -> str:
    return listed(value, " ") if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)


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
