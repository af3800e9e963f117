"""The three tables of errata, made of findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from pathlib import Path

from finediving_pose.errors import LabelError
from finediving_pose.labels.errata import COLUMNS, TABLES, ErrataTable, Erratum
from finediving_pose.labels.levels import LEVELS
from finediving_pose.labels.read import LabelFiles
from finediving_pose.spreadsheet import write_csv
from finediving_pose.validate.rules import Finding
from finediving_pose.validate.runner import validate_labels

_OMISSIONS, _FAILED_DIVES = "label.index-gap", "label.score-zero"
_NOTES_THAT_COUNT = (_OMISSIONS, "label.restart")


def make_errata(labels: Sequence[LabelFiles]) -> dict[ErrataTable, list[Erratum]]:
    """The tables of what is wrong in label files, by their names.

    Raises
    ------
    LabelError
        Two rules are certain of two values of one field.
    """
    rows: dict[ErrataTable, list[Finding]] = {name: [] for name in TABLES}
    for finding in validate_labels(labels, select=["label", "split"]):
        if finding.key and (finding.severity != "note" or finding.rule in _NOTES_THAT_COUNT):
            rows[_table_of(finding)].append(finding)
    return {name: _merged(found) for name, found in rows.items()}


def write_errata(folder: Path, tables: dict[ErrataTable, list[Erratum]]) -> list[Path]:
    """Write the tables as ``errata_<name>.csv``, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_csv(folder / f"errata_{name}.csv", COLUMNS, (astuple(row) for row in rows))
        for name, rows in tables.items()
    ]


def _table_of(finding: Finding) -> ErrataTable:
    if finding.rule == _OMISSIONS:
        return "omissions"
    return "protocol" if finding.rule.startswith("split.") or finding.rule == _FAILED_DIVES else "labels"


def _merged(findings: Iterable[Finding]) -> list[Erratum]:
    """One row a dive and field: the surest finding, and the names of all rules that have one."""
    by_field: dict[tuple[str, str, int, str], list[Finding]] = {}
    for f in findings:
        assert f.key
        by_field.setdefault((f.source, f.key.video, f.key.index, f.field), []).append(f)
    return [_row(by_field[key]) for key in sorted(by_field)]


def _row(findings: list[Finding]) -> Erratum:
    best = min(findings, key=lambda f: LEVELS.index(f.level))
    other = next((f for f in findings if f.level == best.level == "certain" and f.expected != best.expected), None)
    if other:
        raise LabelError(
            f"{best.place}: {best.field} should be {best.expected} by {best.rule} and {other.expected} by {other.rule};"
            " one of the two rules is too sure"
        )
    assert best.key
    return Erratum(
        dataset=best.source,
        video=best.key.video,
        index=str(best.key.index),
        field=best.field,
        found=best.found,
        expected=best.expected,
        level=best.level,
        evidence=best.evidence or best.message,
        rules=" ".join(sorted({f.rule for f in findings})),
    )
