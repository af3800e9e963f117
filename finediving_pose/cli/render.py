"""``fdpose render``."""

from __future__ import annotations

from pathlib import Path

import click

from finediving_pose.cli.options import check_layer, clip_option, data_option, json_option, say, split_option
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
    every: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Draw poses on frames and write pictures or videos.

    Writes one contact sheet per clip, as PNG; with --video one MP4 at the size and speed of the source video, with
    time, stage and confidence. The diver's right is a solid orange line, the left a dashed blue one. Joints placed by
    hand are large discs.
    """
    from finediving_pose.labels.table import read_clips, select
    from finediving_pose.report.sheets import write_sheets
    from finediving_pose.report.video import write_videos

    if video and every:
        raise UsageError("--every is for contact sheets; a video has every frame")
    check_layer(data, layer)
    chosen = select(read_clips(data), clips, split)
    if video:
        written, failed = write_videos(data, chosen, out, layer=layer)
    else:
        written, failed = write_sheets(data, chosen, out, layer=layer, every=every)
    for error in list(failed.values())[:5]:
        click.echo(f"fdpose: {error}", err=True)
    say(
        {"videos" if video else "pictures": len(written), "clips_left_out": len(failed), "folder": str(out)},
        as_json=as_json,
    )
    ctx.exit(1 if failed and not written else 0)
