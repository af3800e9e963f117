"""``fdpose verify``."""

from __future__ import annotations

from pathlib import Path

import click

from finediving_pose.cli.options import (
    data_option,
    jobs_option,
    json_option,
    refuse_jobs_with_scheduler,
    say,
    scheduler_option,
)
from finediving_pose.workspace import Workspace


@click.command(epilog="Example: fdpose verify ./fdpose-data/finediving_pose.h5")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@jobs_option
@scheduler_option
@json_option
@data_option
@click.pass_context
def verify(
    ctx: click.Context, data: Workspace, file: Path | None, jobs: int | None, scheduler: str | None, as_json: bool
) -> None:
    """Check a packed file against its digests.

    FILE defaults to the packed file of --data. The exit code is 1 if any byte has
    changed since packing; the clip or the part of the file is named.
    """
    from finediving_pose.packed.structure import OFFSETS
    from finediving_pose.packed.verify import verify_packed

    refuse_jobs_with_scheduler(jobs, scheduler)
    path = file or data.packed
    found = verify_packed(path.absolute() if scheduler else path, jobs, scheduler)
    for clip, what in found.damaged.items():
        click.echo(f"fdpose: {path}: {clip}: {what} are not what was packed", err=True)
    for part in found.parts:
        clips = "clips that lie behind a wrong offset are named above" if part in OFFSETS else "belongs to no clip"
        click.echo(f"fdpose: {path}: {part}: not what was packed ({clips})", err=True)
    summary = {
        "path": str(path),
        "clips": found.n_clips,
        "frames": found.n_frames,
        "damaged": found.damaged if as_json else len(found.damaged),
        "damaged_parts": found.parts,
        "digest": found.digest,
    }
    step = f"fdpose {'pack' if not found.whole else 'benchmark hpmcr'} --data {data.root}"
    say(summary, as_json=as_json, next_step=step)
    if not found.whole:
        ctx.exit(1)
