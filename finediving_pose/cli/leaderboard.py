"""``fdpose leaderboard``: all methods in one table, with what their differences are worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finediving_pose.cli.options import complain, data_option, json_option, say
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace

if TYPE_CHECKING:
    from baselines.runs.leaderboard import Leaderboard

_EPILOG = """\b
Examples:
  fdpose leaderboard --data ./fdpose-data
  fdpose leaderboard all-20261128-101500 --report leaderboard.html
  fdpose leaderboard --csv leaderboard.csv --markdown leaderboard.md --latex leaderboard.tex
"""
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(epilog=_EPILOG)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@data_option
@click.option("--report", type=_FILE, help="Write an HTML page to this file.")
@click.option("--csv", type=_FILE, help="Write a CSV file, one row a method.")
@click.option("--markdown", type=_FILE, help="Write a page of Markdown to this file.")
@click.option("--latex", type=_FILE, help="Write LaTeX tables to this file.")
@json_option
def leaderboard(runs: tuple[Path, ...], data: Workspace, report: Path | None, as_json: bool, **files: Any) -> None:
    """Compare all methods that were scored, with spreads and intervals.

    RUNS are runs, studies, what fdpose benchmark all made, and predictions that fdpose evaluate --keep kept: folders,
    or names under runs/ of the data directory. Without RUNS, all that the data directory has.
    """
    from baselines.runs.entries import find_all_entries, find_entries
    from finediving_pose.cli.benchmark import find_run

    found, left_out = find_entries([find_run(data, run) for run in runs]) if runs else find_all_entries(data.runs)
    if not found:
        where = f"{data.runs}: no finished run" if not runs else f"{runs[0]}: nothing finished"
        more = f" ({left_out[0]})" if left_out else "; train some with: fdpose benchmark all"
        raise UsageError(f"{where}{more}")
    from baselines.runs.leaderboard import make_leaderboard

    show_leaderboard(make_leaderboard(found, left_out), report=report, as_json=as_json, **files)


def show_leaderboard(made: Leaderboard, *, report: Path | None, as_json: bool, **files: Path | None) -> None:
    """Print a leaderboard and write it into the files that were asked for."""
    from baselines.blind.floor import with_floors
    from baselines.report.leaderboard_files import WRITERS, values_of
    from baselines.report.leaderboard_page import write_leaderboard_page
    from baselines.report.tables import show_leaderboard as show

    made = with_floors(made)
    written = {name: str(WRITERS[name](path, made)) for name, path in files.items() if path}
    if report:
        written["report"] = str(write_leaderboard_page(report, made))
    if as_json:
        say({**values_of(made), **written}, as_json=True)
        return
    show(made)
    for line in made.left_out:
        complain(f"left out: {line}")
    if written:
        say(written)
