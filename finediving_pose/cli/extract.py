"""``fdpose extract``."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finediving_pose.cli.options import (
    clip_option,
    complain,
    data_option,
    errata_option,
    jobs_option,
    json_option,
    say,
    scheduler_option,
    seen_by_workers,
    split_option,
)
from finediving_pose.errors import FdposeError, LexiconError, UsageError
from finediving_pose.workspace import Workspace

if TYPE_CHECKING:
    from finediving_pose.extraction.run import Extraction
    from finediving_pose.labels.read import LabelFiles

_FOLDER = click.Path(path_type=Path)


class _Size(click.ParamType):
    """Height of the stored frames: an even number of pixels, or ``native`` (None)."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value == "native":
            return None
        if not str(value).isdecimal() or int(value) not in range(64, 4321, 2):
            self.fail(f"{value!r} is no height; give an even number of pixels from 64 to 4320, or native", param, ctx)
        return int(value)


dive_number_option: Callable = click.option(
    "--dive-number", metavar="NUMBER", help="Number of the dives that have no labels, e.g. 107b."
)
height_option: Callable = click.option(
    "--height",
    type=click.Choice(["1", "3", "5", "7.5", "10"]),
    help="Height of the board or platform of the dives that have no labels, in metres.",
)


@click.command(epilog="Example: fdpose extract --videos IMG_1234.MOV --dive-number 107b --height 3")
@click.option(
    "--videos",
    type=_FOLDER,
    help="A video, or a folder of videos: <video>.mp4 (or mov, mkv, avi, ts, ...), or one a dive, "
    "<video>__<index>.mp4. Without labels, each video is one dive.",
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
@click.option(
    "--size",
    type=_Size(),
    default="256",
    show_default=True,
    metavar="PIXELS|native",
    help="Height of the frames that are stored from videos.",
)
@dive_number_option
@height_option
@errata_option
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
    size: int | None,
    dive_number: str | None,
    height: str | None,
    apply_errata: Any,
    clips: tuple[str, ...],
    split: str | None,
    jobs: int | None,
    scheduler: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Extract the frames of every dive from videos or frame folders.

    Frames go to frames/<video>/<index>/ and the labels to clips.parquet. A video without labels is one dive, named by
    its file and stored upright. Complete clips are skipped, so the same command continues an interrupted run.
    """
    from finediving_pose.extraction.clips_table import add_clips, extracting
    from finediving_pose.extraction.own_videos import extract_own_videos, labelled_clips
    from finediving_pose.extraction.run import Extraction, extract_frames, extract_videos
    from finediving_pose.labels.source import remember
    from finediving_pose.labels.table import read_clips, select

    if videos and frames:
        raise UsageError("give --videos or --frames, not both; run fdpose extract once for each")
    if not (videos or frames or labels):
        raise UsageError(_no_place(data, clips))
    data = seen_by_workers(data, jobs, scheduler)
    if scheduler:
        videos, frames = videos and videos.absolute(), frames and frames.absolute()
    if apply_errata and not labels:
        raise UsageError("--apply-errata corrects labels when they are read; it needs --labels")
    if not videos and ctx.get_parameter_source("size") is click.core.ParameterSource.COMMANDLINE:
        raise UsageError("--size is for frames out of videos; frames that are given keep their size: leave --size out")
    facts = facts_of_own_videos(dive_number, height)
    files = _read_labels(labels, apply_errata) if labels else None
    read = files.clips if files else None
    with extracting(data, force):
        known = labelled_clips(data, videos) if videos else []
        if facts and (not videos or read or known):
            raise UsageError("--dive-number and --height are for videos without labels; here labels name the dives")
        if labels:
            remember(data, labels)
        if read:
            add_clips(data, read)
        chosen = None
        if read or known or (not videos and (clips or split)):
            named = {c.key for c in read or known or read_clips(data)}
            chosen = [c for c in select(read_clips(data), clips, split) if c.key in named]
            if not chosen:
                raise UsageError("no clip is chosen; list the clips with: fdpose info")
        if videos and chosen is None:
            result = extract_own_videos(
                data, videos, facts, keys=clips, split=split, jobs=jobs, force=force, scheduler=scheduler, size=size
            )
        elif videos:
            result = extract_videos(data, videos, chosen or [], jobs, force, scheduler, size)
        elif frames:
            result = extract_frames(data, frames, chosen, force, jobs, scheduler)
        else:
            result = Extraction()
    _report(ctx, data, result, as_json, n_labelled=len(read or []))


def facts_of_own_videos(dive_number: str | None, height: str | None) -> dict[str, Any]:
    """What is told of dives without labels, by the fields of Clip."""
    from finediving_pose.lexicon import parse_dive_number

    facts: dict[str, Any] = {}
    if dive_number is not None:
        try:
            facts["action_type"] = str(parse_dive_number(dive_number))
        except LexiconError as e:
            raise UsageError(f"--dive-number: {e}") from None
    if height is not None:
        facts["height_m"] = float(height)
    return facts


def _no_place(data: Workspace, clips: tuple[str, ...]) -> str:
    """What to say where neither videos nor frames are given: where they were, if a clip knows that."""
    from finediving_pose.clip import ClipKey
    from finediving_pose.frames import open_frames

    with suppress(FdposeError):
        frames = open_frames(data, ClipKey.parse(clips[0] if clips else ""))
        source, key = Path(frames.source), shlex.quote(str(frames.key))
        if source.exists():
            place = f"--frames {shlex.quote(str(source))}"
            if source.is_file():
                place = f"--videos {shlex.quote(str(source))} --size {frames.height}"
            return f"give the place of {frames.key}, too: fdpose extract {place} --clip {key} --force"
    return "nothing to extract from; give --videos FILE or DIR, or --frames DIR (see --help)"


def _read_labels(labels: Path, apply_errata: Any) -> LabelFiles:
    """The label files; says what was corrected and what is not the release."""
    from finediving_pose.labels.read import read_label_files

    files = read_label_files(labels, errata=apply_errata)
    _tell([f"warning: {path}: not the released file, by its sha256" for path in files.unknown_files()])
    if apply_errata:
        click.echo(f"fdpose: {len(files.corrections)} known errors of the labels corrected", err=True)
    return files


_AT_MOST = 10
"""Most lines of one kind that are printed; ``--json`` has them all."""


def _tell(lines: list[str]) -> None:
    for line in lines[:_AT_MOST]:
        complain(line)
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
