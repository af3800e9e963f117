"""``fdpose render``."""

from __future__ import annotations

from pathlib import Path

import click

from finediving_pose.cli.options import check_layer, clip_option, data_option, json_option, say, split_option
from finediving_pose.workspace import Workspace


@click.command(epilog="Example: fdpose render --clip Men10m_final_r1/4 --layer auto --every 3 --out pictures")
@data_option
@clip_option
@split_option
@click.option("--layer", help="auto, merged or manual/NAME.  [default: merged, else auto]")
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
    every: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Draw poses on frames and write pictures.

    Writes one contact sheet per clip, as PNG. The diver's right is orange, the left blue. Joints placed by hand are
    large discs.
    """
    from finediving_pose.labels.table import read_clips, select
    from finediving_pose.report.sheets import write_sheets

    check_layer(data, layer)
    written, failed = write_sheets(data, select(read_clips(data), clips, split), out, layer=layer, every=every)
    for error in list(failed.values())[:5]:
        click.echo(f"fdpose: {error}", err=True)
    say({"pictures": len(written), "clips_left_out": len(failed), "folder": str(out)}, as_json=as_json)
    ctx.exit(1 if failed and not written else 0)
