"""``fdpose pack``."""

from __future__ import annotations

from pathlib import Path

import click

from finediving_pose.cli.options import clip_option, data_option, json_option, say, split_option
from finediving_pose.workspace import Workspace


@click.command(epilog="Example: fdpose pack --cache --data ./fdpose-data")
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: finediving_pose.h5 in --data]")
@click.option("--cache", is_flag=True, help="Also store frames at training size: 5 x the space, 50 x the speed.")
@clip_option
@split_option
@json_option
@data_option
def pack(
    data: Workspace, out: Path | None, cache: bool, clips: tuple[str, ...], split: str | None, as_json: bool
) -> None:
    """Write labels, frames and poses into one HDF5 file.

    The poses are the merged ones where there are any, else the automatic ones.
    An old file is replaced only when the new one is complete. A dataset card
    (FILE.card.md) and a Croissant description (FILE.croissant.json) are written beside it.
    """
    from finediving_pose.labels.table import read_clips, select
    from finediving_pose.packed.writer import write_packed

    chosen = select(read_clips(data), clips, split)
    summary = write_packed(data, target=out, clips=chosen, cache=cache)
    say(summary, as_json=as_json, next_step=f"fdpose verify {summary['path']}")
