"""``fdpose validate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from finediving_pose.cli.options import data_option, json_option, say
from finediving_pose.workspace import Workspace

if TYPE_CHECKING:
    from finediving_pose.validate import Finding

ERRORS_SHOWN = 20


@click.command(epilog="Example: fdpose validate --data ./fdpose-data --ignore label.short --report findings.html")
@data_option
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Also write an HTML report here.")
@click.option("--select", multiple=True, metavar="PREFIX", help="Only rules whose name begins so; repeatable.")
@click.option("--ignore", multiple=True, metavar="PREFIX", help="No rules whose name begins so; repeatable.")
@click.option("--list-rules", is_flag=True, help="Show every rule and what it says, and stop.")
@json_option
@click.pass_context
def validate(
    ctx: click.Context,
    data: Workspace,
    report: Path | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    list_rules: bool,
    as_json: bool,
) -> None:
    """Say what is wrong with the data, in words.

    Looks at the labels, the frames and the poses, whichever there are.
    Exits 1 where there is an error, 0 where there are warnings at most.
    """
    from dataclasses import asdict

    from finediving_pose import validate as rules

    if list_rules:
        for r in rules.chosen_rules(select, ignore):
            click.echo(f"{r.name:<26}{r.severity:<9}{r.says}")
        return
    findings = rules.validate(data, select=select, ignore=ignore)
    errors = [f for f in findings if f.severity == "error"]
    summary: dict[str, object] = {"errors": len(errors), "warnings": len(findings) - len(errors)}
    if report:
        from finediving_pose.report.html import write_report

        summary["report"] = str(write_report(data, report, findings=findings))
    if as_json:
        say({**summary, "findings": [{**asdict(f), "key": str(f.key)} for f in findings]}, as_json=True)
    else:
        _show(findings, errors)
        say(summary, next_step="fdpose validate --json" if findings else "fdpose pack")
    ctx.exit(1 if errors else 0)


def _show(findings: list[Finding], errors: list[Finding]) -> None:
    """The table of rules, then the errors in words."""
    from collections import Counter

    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 160
    table = Table("rule", "", "found", "for example", box=None, pad_edge=False)
    for (severity, rule), count in sorted(Counter((f.severity, f.rule) for f in findings).items()):
        first = next(f for f in findings if f.rule == rule)
        style = "red" if severity == "error" else "yellow"
        table.add_row(rule, f"[{style}]{severity}[/]", f"{count:,}", _plain(f"{first.key}: {first.message}"))
    if findings:
        console.print(table)
        console.print()
    for f in errors[:ERRORS_SHOWN]:
        console.print(_plain(f"{f.key}: {f.message} [{f.rule}]"), style="red", soft_wrap=True)
    if len(errors) > ERRORS_SHOWN:
        console.print(f"... and {len(errors) - ERRORS_SHOWN:,} more errors")
    if errors:
        console.print()


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
