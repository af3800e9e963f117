"""``fdpose kinematics``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from finediving_pose.cli.options import (
    check_layer,
    clip_option,
    complain,
    data_option,
    jobs_option,
    json_option,
    say,
    scheduler_option,
    seen_by_workers,
    split_option,
)
from finediving_pose.workspace import Workspace

_SHOWN = 5


@click.command(epilog="Example: fdpose kinematics --clip Men10m_final_r1/4 --out measured")
@data_option
@clip_option
@split_option
@click.option("--layer", help="auto, merged or manual/NAME.  [default: merged, else auto]")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the tables and plots.  [default: reports/kinematics of --data]",
)
@click.option("--plots/--no-plots", default=True, show_default=True, help="Draw a plot of every dive.")
@jobs_option
@scheduler_option
@json_option
@click.pass_context
def kinematics(
    ctx: click.Context,
    data: Workspace,
    clips: tuple[str, ...],
    split: str | None,
    layer: str | None,
    out: Path | None,
    plots: bool,
    jobs: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Measure dives: angles, somersaults, flight, entry, each with an error bar.

    Writes dives.csv (one row a diver), frames_csv/<video>/<index>.csv (one row a frame), both also as Parquet,
    and plots. Where something can't be measured, there is a reason and no number (docs/kinematics.md).
    """
    from finediving_pose.errors import UsageError
    from finediving_pose.kinematics.run import measure_clips
    from finediving_pose.labels.table import read_clips, select

    check_layer(data, layer)
    chosen = select(read_clips(data), clips, split)
    if not chosen:
        raise UsageError("no clip is chosen; list the clips with: fdpose info")
    folder = out or data.reports / "kinematics"
    if scheduler:
        folder = folder.absolute()
    how = {"layer": layer, "plots": plots, "jobs": jobs, "scheduler": scheduler}
    done = measure_clips(seen_by_workers(data, jobs, scheduler), chosen, folder, **how)
    for error in list(done.failed.values())[:_SHOWN]:
        complain(str(error))
    if len(done.failed) > _SHOWN:
        click.echo(f"fdpose: and {len(done.failed) - _SHOWN} more like these; --json lists them all", err=True)
    if as_json:
        say(done.as_dict(), as_json=True)
    else:
        _show(done)
    ctx.exit(1 if done.failed and not done.rows else 0)


def _show(done: Any) -> None:
    from finediving_pose.kinematics.words import summary_lines

    for line in summary_lines(done.rows):
        click.echo(line)
    summary = {
        "clips_measured": done.clips - done.without_diver,
        **({"clips_without_a_diver": done.without_diver} if done.without_diver else {}),
        "clips_left_out": len(done.failed),
        "tables": str(done.folder / "dives.csv"),
    }
    click.echo()
    say(summary)
