"""Findings as rows of a CSV file, and known findings left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from finediving_pose.documents import read_table
from finediving_pose.errors import UsageError
from finediving_pose.labels.errata import known_identities
from finediving_pose.spreadsheet import unescaped, write_csv
from finediving_pose.validate.rules import SEVERITIES, Finding, Severity

BUNDLED = "errata"
"""What ``--baseline`` calls the tables that come with the package."""


@dataclass(frozen=True, slots=True)
class ListedFinding:
    """A finding as a row of a list, every value as text; the fields are those of Finding."""

    dataset: str
    video: str
    index: str
    rule: str
    severity: str
    field: str
    found: str
    expected: str
    level: str
    evidence: str
    message: str

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes it the same finding again, whatever its wording."""
        return (self.dataset, self.video, self.index, self.rule, self.field, self.found)


COLUMNS = tuple(f.name for f in fields(ListedFinding))


def as_row(finding: Finding) -> ListedFinding:
    """The finding as a row of a list."""
    return ListedFinding(
        dataset=finding.source,
        video=finding.key.video if finding.key else "",
        index=str(finding.key.index) if finding.key else "",
        rule=finding.rule,
        severity=finding.severity,
        field=f"{finding.layer}: {finding.field}" if finding.layer else finding.field,
        found=finding.found,
        expected=finding.expected,
        level=finding.level,
        evidence=finding.evidence,
        message=finding.message,
    )


def write_findings(path: Path, findings: Iterable[Finding]) -> Path:
    """Write findings as CSV, whole or not at all."""
    return write_csv(path, COLUMNS, (astuple(as_row(x)) for x in findings))


def read_findings(path: Path) -> list[ListedFinding]:
    """Rows of a list of findings.

    Raises
    ------
    UsageError
        The file is missing or no such list.
    """
    try:
        table = read_table(path, UsageError)
    except UsageError as e:
        said = str(e).removeprefix(f"{path}: ")
        raise UsageError(
            f"{path}: can't be read as a list of findings ({said}); make one with: fdpose validate --csv"
        ) from None
    columns, *rows = table.rows or [[]]
    needed = ("dataset", "video", "index", "rule", "field", "found")
    missing = [c for c in needed if c not in columns]
    if missing:
        raise UsageError(
            f"{path}: no column {missing[0]!r}; expected what fdpose validate --csv writes: {','.join(COLUMNS)}"
        )
    given = (dict(zip(columns, map(unescaped, cells), strict=False)) for cells in rows)
    return [ListedFinding(**{c: row.get(c, "") for c in COLUMNS}) for row in given]


def without_known(findings: Sequence[Finding], baseline: str) -> list[Finding]:
    """The findings that a list of known ones does not have.

    Parameters
    ----------
    baseline : path of a CSV file that ``fdpose validate --csv`` wrote, or ``errata`` for the bundled tables

    Raises
    ------
    UsageError
        The file is missing or no such list.
    """
    path = Path(baseline)
    bundled = baseline == BUNDLED and not path.exists()
    known = known_identities() if bundled else {row.identity for row in read_findings(path)}
    return [f for f in findings if as_row(f).identity not in known]


def at_least(findings: Iterable[Finding], severity: Severity) -> list[Finding]:
    """The findings of a severity or a graver one."""
    kept = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return [f for f in findings if f.severity in kept]
