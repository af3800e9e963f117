"""``fdpose merge``: one layer of poses from automatic and hand poses."""

from __future__ import annotations

import click

from finediving_pose.cli.options import (
    clip_option,
    data_option,
    jobs_option,
    json_option,
    say,
    scheduler_option,
    seen_by_workers,
    split_option,
)
from finediving_pose.workspace import Workspace


@click.command(epilog="Example: fdpose merge --data ./fdpose-data")
@data_option
@clip_option
@split_option
@click.option(
    "--conflict",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    metavar="PIXELS",
    help="Two annotators disagree about a joint if they place it further apart than this.",
)
@jobs_option
@scheduler_option
@json_option
def merge(
    data: Workspace,
    clips: tuple[str, ...],
    split: str | None,
    conflict: float,
    jobs: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Merge hand poses and automatic poses, joint by joint.

    Hand poses replace automatic ones. Every joint keeps its source and author.
    """
    from annotate.merge import merge_clips
    from finediving_pose.labels.table import read_clips, select

    data = seen_by_workers(data, jobs, scheduler)
    summary = merge_clips(data, select(read_clips(data), clips, split), conflict, jobs, scheduler)
    say(summary.as_dict(), as_json=as_json, next_step="fdpose validate")
