"""``fdpose errata``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from finediving_pose.cli.options import json_option, say
from finediving_pose.errors import UsageError

_FOLDER = click.Path(path_type=Path)


@click.command(
    epilog="Examples: fdpose errata --labels finediving/Annotations --labels mtl_aqa;"
    " fdpose errata --patch finediving finediving-corrected"
)
@click.option(
    "--labels",
    type=_FOLDER,
    multiple=True,
    help="Make the tables again out of these label files and compare them with those of the package.",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="With --labels: write the tables here.")
@click.option(
    "--patch",
    type=(_FOLDER, _FOLDER),
    metavar="IN OUT",
    help="Write corrected copies of the label pickles in the folder IN to the new folder OUT, and print the changes.",
)
@click.option(
    "--level",
    type=click.Choice(["certain", "likely"]),
    default="certain",
    show_default=True,
    help="With --patch: the least certain corrections that are made.",
)
@json_option
@click.pass_context
def errata(
    ctx: click.Context,
    labels: tuple[Path, ...],
    out: Path | None,
    patch: tuple[Path, Path] | None,
    level: Any,
    as_json: bool,
) -> None:
    """Count the known errors of the released labels, check the list, or correct the files.

    Without options, the tables that come with the package are counted by data set and level. docs/errata.md explains
    them.
    """
    if patch and labels:
        raise UsageError("give --labels to check the tables or --patch to correct files, not both")
    if out and not labels:
        raise UsageError("--out is for the tables that --labels makes; give --labels, too")
    if patch:
        _patch(*patch, level, as_json)
        return
    from finediving_pose.labels.errata import TABLES, read_errata

    tables = bundled = {name: read_errata(name) for name in TABLES}
    if labels:
        from finediving_pose.labels.read import read_label_files
        from finediving_pose.validate.errata_tables import make_errata, write_errata

        tables = make_errata([read_label_files(path) for path in labels])
        if out:
            write_errata(out, tables)
    counts = {
        f"{name}, {dataset}, {level}": n
        for name, rows in tables.items()
        for (dataset, level), n in Counter((e.dataset, e.level) for e in rows).items()
    }
    summary: dict[str, Any] = {"rows": sum(map(len, tables.values())), **counts}
    if not labels:
        say(summary, as_json=as_json, next_step="fdpose errata --labels DIR (check them against the label files)")
        return
    differing = [row.clip for name in TABLES for row in set(tables[name]) ^ set(bundled[name])]
    summary["rows_that_differ"] = len(differing)
    say(summary, as_json=as_json, next_step=None if differing else "fdpose errata --patch IN OUT")
    if differing:
        click.echo(f"fdpose: differs from the package's tables in {', '.join(sorted(set(differing))[:5])}", err=True)
        ctx.exit(1)


def _patch(source: Path, target: Path, level: Any, as_json: bool) -> None:
    from finediving_pose.labels.patch import write_patched

    changes = write_patched(source, target, level)
    summary: dict[str, Any] = {"dives": len({c.clip for c in changes}), "values": len(changes), "written": str(target)}
    if as_json:
        say({**summary, "changes": list(map(str, changes))}, as_json=True)
        return
    for change in changes:
        click.echo(str(change))
    say(summary, next_step=f"fdpose extract --labels {target}")
