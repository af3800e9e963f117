"""``fdpose render``."""

from __future__ import annotations

from pathlib import Path

import click

from finediving_pose.cli.options import check_layer, clip_option, complain, data_option, json_option, say, split_option
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace


@click.command(
    epilog="Examples: fdpose render --clip Men10m_final_r1/4 --every 3 --out pictures;"
    " fdpose render --video --clip Men10m_final_r1/4 --out videos"
)
@data_option
@clip_option
@split_option
@click.option("--layer", help="auto, merged or manual/NAME.  [default: merged, else auto]")
@click.option("--video", is_flag=True, help="Write a video of each clip (MP4) instead of a contact sheet.")
@click.option("--rerun", is_flag=True, help="Write a Rerun recording of each clip (.rrd); needs fdpose[rerun].")
@click.option("--every", type=click.IntRange(min=1), help="Draw every Nth frame.  [default: 12 evenly spaced frames]")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write the pictures to."
)
@json_option
@click.pass_context
def render(
    ctx: click.Context,
    data: Workspace,
    clips: tuple[str, ...],
    split: str | None,
    layer: str | None,
    video: bool,
    rerun: bool,
    every: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Draw poses on frames and write pictures, videos or recordings.

    Writes one contact sheet per clip, as PNG; with --video one MP4 at the width and speed of the source video, with
    time, stage and confidence; with --rerun one recording for the Rerun viewer. The diver's right is a solid orange
    line, the left a dashed blue one. Joints placed by hand are large discs.
    """
    from finediving_pose.labels.table import read_clips, select

    if video and rerun:
        raise UsageError("--video and --rerun are two things; run fdpose render once for each")
    if (video or rerun) and every:
        raise UsageError("--every is for contact sheets; a video or a recording has every frame")
    check_layer(data, layer)
    chosen = select(read_clips(data), clips, split)
    if video:
        from finediving_pose.report.video import write_videos

        written, failed = write_videos(data, chosen, out, layer=layer)
    elif rerun:
        from finediving_pose.report.recording import write_recordings

        written, failed = write_recordings(data, chosen, out, layer=layer)
    else:
        from finediving_pose.report.sheets import write_sheets

        written, failed = write_sheets(data, chosen, out, layer=layer, every=every)
    for error in list(failed.values())[:5]:
        complain(str(error))
    kind = "videos" if video else "recordings" if rerun else "pictures"
    say({kind: len(written), "clips_left_out": len(failed), "folder": str(out)}, as_json=as_json)
    ctx.exit(1 if failed and not written else 0)
