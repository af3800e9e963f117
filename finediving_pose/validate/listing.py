"""Findings as rows of a CSV file, and known findings left out.

The rows are those of ``data_manifest/errata.csv`` (:class:`~finediving_pose.labels.errata.Erratum`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from pathlib import Path

from finediving_pose.labels.errata import BUNDLED, COLUMNS, Erratum, read_errata
from finediving_pose.spreadsheet import write_csv
from finediving_pose.validate.rules import SEVERITIES, Finding, Severity


def as_row(finding: Finding) -> Erratum:
    """The finding as a row of the list."""
    return Erratum(
        dataset=finding.source,
        video=finding.key.video if finding.key else "",
        index=str(finding.key.index) if finding.key else "",
        rule=finding.rule,
        severity=finding.severity,
        field=f"{finding.layer}: {finding.field}" if finding.layer else finding.field,
        found=finding.found,
        expected=finding.expected,
        certain="yes" if finding.certain else "no",
        message=finding.message,
    )


def write_findings(path: Path, findings: Iterable[Finding]) -> Path:
    """Write findings as CSV, whole or not at all."""
    return write_csv(path, COLUMNS, (astuple(as_row(x)) for x in findings))


def without_known(findings: Sequence[Finding], baseline: str) -> list[Finding]:
    """The findings that a list of known ones does not have.

    Parameters
    ----------
    baseline : path of a CSV file that ``fdpose validate --csv`` wrote, or ``errata`` for the bundled list

    Raises
    ------
    UsageError
        The file is missing or no such list.
    """
    path = Path(baseline)
    known = {e.identity for e in read_errata(None if baseline == BUNDLED and not path.exists() else path)}
    return [f for f in findings if as_row(f).identity not in known]


def at_least(findings: Iterable[Finding], severity: Severity) -> list[Finding]:
    """The findings of a severity or a graver one."""
    kept = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return [f for f in findings if f.severity in kept]
