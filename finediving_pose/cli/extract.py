"""``fdpose extract``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from finediving_pose.cli.options import (
    clip_option,
    data_option,
    jobs_option,
    json_option,
    say,
    scheduler_option,
    split_option,
)
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace

if TYPE_CHECKING:
    from finediving_pose.extraction.run import Extraction
    from finediving_pose.labels.read import LabelFiles

_FOLDER = click.Path(path_type=Path)


@click.command(epilog="Example: fdpose extract --videos ./videos --labels ./Annotations --split train --jobs 4")
@click.option(
    "--videos",
    type=_FOLDER,
    help="Folder of videos: <video>.mp4 (or mov, mkv, avi, ts, ...), or one video per dive, <video>__<index>.mp4.",
)
@click.option(
    "--frames",
    type=_FOLDER,
    help="Folder of JPEG frames: <video>/<frame>.jpg, <video>/<index>/<frame>.jpg, or the frames of one video.",
)
@click.option(
    "--labels",
    type=_FOLDER,
    help="FineDiving or MTL-AQA pickles, or a CSV with video,index,start_frame,end_frame. "
    "Without --videos and --frames, only the clips table is written.",
)
@click.option("--apply-errata", is_flag=True, help="Correct the known errors of the released labels when reading.")
@clip_option
@split_option
@jobs_option
@scheduler_option
@click.option("--force", is_flag=True, help="Extract complete clips again.")
@json_option
@data_option
@click.pass_context
def extract(
    ctx: click.Context,
    data: Workspace,
    videos: Path | None,
    frames: Path | None,
    labels: Path | None,
    apply_errata: bool,
    clips: tuple[str, ...],
    split: str | None,
    jobs: int | None,
    scheduler: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Extract the frames of every dive from videos or frame folders.

    Frames go to frames/<video>/<index>/, 256 pixels high, and the labels to
    clips.parquet. Complete clips are skipped, so the same command continues an interrupted run.
    """
    from finediving_pose.extraction.run import Extraction, add_clips, extract_frames, extract_videos, extracting
    from finediving_pose.labels.source import remember
    from finediving_pose.labels.table import read_clips, select

    if videos and frames:
        raise UsageError("give --videos or --frames, not both; run fdpose extract once for each")
    if not (videos or frames or labels):
        raise UsageError("nothing to extract from; give --videos DIR or --frames DIR, and --labels (see --help)")
    if scheduler and jobs:
        raise UsageError("--jobs sets local processes, --scheduler uses the workers of a cluster; give only one")
    if apply_errata and not labels:
        raise UsageError("--apply-errata corrects labels when they are read; it needs --labels")
    files = _read_labels(labels, apply_errata) if labels else None
    read = files.clips if files else None
    with extracting(data, force):
        if labels:
            remember(data, labels)
        if read:
            add_clips(data, read)
        chosen = None
        if videos or clips or split or read:
            named = {c.key for c in read} if read else None
            chosen = [c for c in select(read_clips(data), clips, split) if named is None or c.key in named]
            if not chosen:
                raise UsageError("no clip is chosen; list the clips with: fdpose info")
        if videos:
            result = extract_videos(data, videos, chosen or [], jobs, force, scheduler)
        elif frames:
            result = extract_frames(data, frames, chosen, force, jobs, scheduler)
        else:
            result = Extraction()
    _report(ctx, data, result, as_json, n_labelled=len(read or []))


def _read_labels(labels: Path, apply_errata: bool) -> LabelFiles:
    """The label files; says what was corrected and what is not the release."""
    from finediving_pose.labels.read import read_label_files

    files = read_label_files(labels, with_errata=apply_errata)
    _tell([f"warning: {path}: not the released file, by its sha256" for path in files.unknown_files()])
    if apply_errata:
        click.echo(f"fdpose: {len(files.corrections)} known errors of the labels corrected", err=True)
    return files


_AT_MOST = 10
"""Most lines of one kind that are printed; ``--json`` has them all."""


def _tell(lines: list[str]) -> None:
    for line in lines[:_AT_MOST]:
        click.echo(f"fdpose: {line}", err=True)
    if len(lines) > _AT_MOST:
        click.echo(f"fdpose: and {len(lines) - _AT_MOST} more like these; --json lists them all", err=True)


def _report(ctx: click.Context, data: Workspace, result: Extraction, as_json: bool, n_labelled: int) -> None:
    _tell([f"warning: {w}" for w in result.warnings])
    _tell(list(dict.fromkeys(str(e) for e in result.failed.values())))
    summary = {"labels_read": n_labelled, **result.summary()}
    if as_json:
        summary |= {"warnings": result.warnings, "failed": {str(k): str(e) for k, e in result.failed.items()}}
    extracted = result.made or result.kept
    step = f"fdpose annotate --auto --data {data.root}" if extracted else f"fdpose info --data {data.root}"
    say(summary, as_json=as_json, next_step=step)
    if result.failed:
        ctx.exit(1)
