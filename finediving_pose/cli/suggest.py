"""``fdpose suggest``: which frames to annotate next."""

from __future__ import annotations

from pathlib import Path

import click

from finediving_pose.cli.options import (
    clip_option,
    complain,
    data_option,
    device_option,
    json_option,
    one_device,
    say,
    split_option,
)
from finediving_pose.workspace import Workspace


@click.command(epilog="Example: fdpose suggest 50 --data ./fdpose-data")
@click.argument("n", type=click.IntRange(min=1))
@data_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for suggestions.csv and suggestions.png.  [default: reports/ of --data]",
)
@device_option
@clip_option
@split_option
@json_option
def suggest(
    data: Workspace, n: int, out: Path | None, device: str, clips: tuple[str, ...], split: str | None, as_json: bool
) -> None:
    """List the frames that are most useful to annotate next.

    Half of the N frames are from the dives that the estimator is least sure of, half are drawn at random from the
    other dives. Frames that are annotated by hand or reviewed are left out.
    """
    from annotate.suggest import NEAR_FRAMES
    from annotate.suggest import suggest as choose
    from annotate.suggestion import write_sheet, write_suggestions
    from finediving_pose.journals.catch_up import catch_up
    from finediving_pose.labels.table import read_clips, select
    from finediving_pose.writing import writing

    table, pictures = (((out or data.reports) / f"suggestions.{kind}") for kind in ("csv", "png"))
    catch_up(data, "fdpose suggest")
    layers = [data.poses / layer for layer in ("auto", *data.manual_layers())]
    with writing("fdpose suggest", [table], [data.frames, *layers]):
        found = choose(data, select(read_clips(data), clips, split), n, one_device(device))
        summary = {
            "suggested": len(found),
            "clips": len({s.key for s in found}),
            "first": [f"{s.key}/{s.frame:05d}.jpg ({s.why})" for s in found[:3]],
            "csv": str(write_suggestions(table, found)),
            "pictures": str(write_sheet(pictures, data, found)),
        }
    if len(found) < n:
        complain(
            f"{len(found):,} of {n:,} frames: all others are within {NEAR_FRAMES} frames of one of these, annotated or"
            " reviewed, without a pose, or after the entry"
        )
    next_step = "fdpose review (or another tool: fdpose export, then fdpose import)"
    say(summary, as_json=as_json, next_step=next_step)
