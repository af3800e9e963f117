"""``fdpose info``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from finediving_pose.cli.options import data_option, in_words, json_option, say
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace


@click.command(epilog="Example: fdpose info ./fdpose-data/finediving_pose.h5 --picture contents.png")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw the contents of the packed file as a PNG: sizes, dives, frames with poses.",
)
@json_option
@data_option
def info(data: Workspace, file: Path | None, picture: Path | None, as_json: bool) -> None:
    """Show the contents of a data directory or a packed file.

    FILE is a packed file; without it, --data is shown.
    """
    from finediving_pose.inventory import packed_inventory, workspace_inventory

    if picture and not (file or data.packed.is_file()):
        raise UsageError("--picture draws a packed file; name one, or make one with: fdpose pack")
    found = packed_inventory(file) if file else workspace_inventory(data)
    if picture:
        from finediving_pose.report.contents import draw_contents

        found["picture"] = str(draw_contents(file or data.packed, picture))
    if as_json:
        say(found, as_json=True)
        return
    _show(found)
    click.echo(f"\nnext: {_next(data, found) if not file else f'fdpose verify {file}'}")


def _show(found: dict[str, Any]) -> None:
    from rich.table import Table

    from finediving_pose.terminal import terminal

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    console = terminal(width=None if sys.stdout.isatty() else 120)
    for name, value in found.items():
        table.add_row(name.replace("_", " "), in_words(value))
    console.print(table)


def _next(data: Workspace, found: dict[str, Any]) -> str:
    if not found["clips_with_frames"]:
        return f"fdpose extract --videos DIR --data {data.root}"
    if not any(found["clips_with_poses"].values()):
        return f"fdpose annotate --auto --data {data.root}"
    if not found["packed_file"]:
        return f"fdpose pack --data {data.root}"
    return f"fdpose info {found['packed_file']}"
