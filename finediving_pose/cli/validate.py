"""``fdpose validate``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finediving_pose.cli.options import data_option, errata_option, jobs_option, json_option, say
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace

if TYPE_CHECKING:
    from finediving_pose.labels.read import LabelFiles
    from finediving_pose.validate import Finding

ERRORS_SHOWN, OTHERS_SHOWN, CLIPS_SHOWN = 20, 3, 5
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    epilog="Examples: fdpose validate --data ./fdpose-data --report findings.html;"
    " fdpose validate --labels ./Annotations --baseline errata"
)
@data_option
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Check these label files instead of a data directory; several data sets are compared with each other.",
)
@click.option(
    "--select", multiple=True, metavar="PREFIX", help="Run only the rules whose name starts with PREFIX; repeatable."
)
@click.option(
    "--ignore", multiple=True, metavar="PREFIX", help="Skip the rules whose name starts with PREFIX; repeatable."
)
@click.option(
    "--severity",
    type=click.Choice(["error", "warning", "note"]),
    default="warning",
    show_default=True,
    help="Lowest severity that is reported.",
)
@click.option(
    "--baseline",
    metavar="FILE",
    help="CSV file of known findings (from --csv) to leave out; 'errata' leaves out the known errors of the releases.",
)
@errata_option
@click.option(
    "--max-warnings", type=click.IntRange(min=0), help="Exit with 1 also if there are more warnings than this."
)
@click.option("--report", type=_FILE, help="Write an HTML page with plots and pictures to this file.")
@click.option("--csv", "table", type=_FILE, help="Write the findings to this CSV file, one row each.")
@click.option("--list-rules", is_flag=True, help="List the rules and exit.")
@jobs_option
@json_option
@click.pass_context
def validate(
    ctx: click.Context,
    data: Workspace,
    labels: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    severity: Any,
    baseline: str | None,
    apply_errata: Any,
    max_warnings: int | None,
    report: Path | None,
    table: Path | None,
    list_rules: bool,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Check labels, frames, poses and the packed file.

    Checks whichever of them the data directory has.
    The exit code is 1 if there are errors, else 0.
    """
    from finediving_pose import validate as rules
    from finediving_pose.validate.listing import at_least, without_known, write_findings

    if list_rules:
        for r in rules.chosen_rules(select, ignore):
            click.echo(f"{r.name:<26}{r.severity:<9}{r.says}")
        return
    if apply_errata and not labels:
        raise UsageError(
            "--apply-errata needs --labels; a data directory is corrected by fdpose extract --apply-errata"
        )
    files = _label_files(data, labels, apply_errata)
    if labels:
        everything = rules.validate_labels(files, select=select, ignore=ignore)
    else:
        everything = rules.validate(data, select=select, ignore=ignore, labels=files, jobs=jobs)
    found = at_least(everything, severity)
    findings = without_known(found, baseline) if baseline else found
    errors, warnings = (sum(f.severity == s for f in findings) for s in ("error", "warning"))
    summary: dict[str, Any] = {"errors": errors, "warnings": warnings}
    if severity == "note":
        summary["notes"] = len(findings) - errors - warnings
    if baseline:
        summary["known"] = len(found) - len(findings)
    if apply_errata:
        summary["corrected"] = sum(len(f.corrections) for f in files)
    if table:
        summary["csv"] = str(write_findings(table, findings))
    if report:
        summary["report"] = str(_write_page(data, files if labels else [], findings, report))
    if as_json:
        say({**summary, "findings": [{**asdict(f), "key": f.key and str(f.key)} for f in findings]}, as_json=True)
    else:
        _show(findings, _data_given(ctx, data))
        say(summary, next_step=_next(findings, report, labels))
    too_many = max_warnings is not None and warnings > max_warnings
    if too_many and not as_json:
        click.echo(f"fdpose: {warnings:,} warnings, more than --max-warnings {max_warnings}", err=True)
    ctx.exit(1 if errors or too_many else 0)


def _label_files(data: Workspace, labels: Sequence[Path], apply_errata: Any) -> list[LabelFiles]:
    """The label files named, or those that the data directory was made of, where they are still there."""
    from finediving_pose.labels.read import read_label_files
    from finediving_pose.labels.source import recall

    return [read_label_files(path, errata=apply_errata) for path in labels or recall(data)]


def _data_given(ctx: click.Context, data: Workspace) -> str:
    """The data directory as the commands in the output are to name it; nothing where they find it without."""
    given = ctx.get_parameter_source("data") is click.core.ParameterSource.COMMANDLINE
    return str(data.root) if given else ""


def _write_page(data: Workspace, files: Sequence[LabelFiles], findings: Sequence[Finding], target: Path) -> Path:
    from finediving_pose.labels.table import read_clips
    from finediving_pose.report.findings import write_findings_page

    if files:
        return write_findings_page(findings, target, None, [c for f in files for c in f.clips])
    return write_findings_page(findings, target, data, read_clips(data))


def _next(findings: Sequence[Finding], report: Path | None, labels: Sequence[Path]) -> str | None:
    if findings and not report:
        named = "".join(f" --labels {path}" for path in labels)
        return f"fdpose validate{named} --report findings.html (every finding, with pictures)"
    return None if findings or labels else "fdpose pack"


def _said(finding: Finding) -> str:
    """The message, with the level where it is not the usual one, doubtful."""
    return finding.message + ("" if finding.level == "doubtful" else f" ({finding.level})")


def _show(findings: Sequence[Finding], data: str) -> None:
    """Print findings by kind, each with its clips and what to do, then the clips with most kinds."""
    from rich.text import Text

    from finediving_pose.terminal import terminal
    from finediving_pose.validate.kinds import by_clip, by_kind, what_to_do

    console = terminal()
    styles = {"error": "red", "warning": "yellow", "note": "dim"}
    kinds = by_kind(findings)
    for kind in kinds:
        head = Text.assemble((kind.rule.severity, styles[kind.rule.severity]), f"  {kind.rule.name}, {kind.extent}")
        console.print(head, soft_wrap=True, style="bold")
        console.print(f"  {kind.rule.says}", soft_wrap=True, style="dim")
        most = ERRORS_SHOWN if kind.rule.severity == "error" else OTHERS_SHOWN
        places = list(kind.by_place.items())
        for place, found in places[:most]:
            console.print(f"  {place}: {_said(found[0])}", soft_wrap=True)
            for f in found[1:most]:
                console.print(f"    {_said(f)}", soft_wrap=True)
        if len(places) > most:
            console.print(f"  ... and {len(places) - most:,} more", soft_wrap=True)
        console.print()
    clips = by_clip(findings)
    if len(clips) > 1 and len(clips[0][1]) > 1:
        console.print("clips with most kinds", style="bold")
        for place, rules in clips[:CLIPS_SHOWN]:
            console.print(f"  {place}: {', '.join(rules)}", soft_wrap=True)
        console.print()
    if kinds:
        console.print("what to do", style="bold")
    for rules, words in what_to_do(kinds, data):
        console.print(f"  {', '.join(rules)}", soft_wrap=True, style="dim")
        console.print(f"    {words}", soft_wrap=True)
    if kinds:
        console.print()
