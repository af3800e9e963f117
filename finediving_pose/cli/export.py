"""``fdpose export``: poses and frames for other tools."""

from __future__ import annotations

from pathlib import Path

import click

from finediving_pose.cli.options import check_layer, clip_option, data_option, json_option, say, split_option
from finediving_pose.workspace import Workspace

_EPILOG = """\b
Formats (what each keeps and loses: docs/formats.md):
  official     FineDiving-Pose JSON
  hpmcr        HPMCR's training code: frames, label pickles, splashes, pred_comp_N.npz (96 x 16 x 2)
  hpmcr3       the same with confidence (96 x 16 x 3)
  coco         COCO keypoints JSON
  csv          one line a joint: for spreadsheets, pandas and R
  cvat         CVAT for images 1.1: a zip with skeletons, pictures and the label
  labelstudio  Label Studio JSON
  dlc          DeepLabCut project folder
  yolo         Ultralytics YOLO pose folder
  huggingface  Hugging Face datasets: a folder of Parquet files with pictures
  slp, nwb     SLEAP and NWB, through sleap-io

Example: fdpose export coco --out poses.json --layer merged
"""


@click.command(epilog=_EPILOG)
@click.argument("format")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File or folder to write.")
@click.option("--layer", help="auto, merged or manual/NAME.  [default: merged, else auto]")
@click.option(
    "--frames",
    type=click.Path(path_type=Path),
    help="Only these frames: a CSV file with a column image, as fdpose suggest writes it.",
)
@click.option(
    "--force", is_flag=True, help="Replace --out even if fdpose export did not write it, or it was changed since."
)
@clip_option
@split_option
@json_option
@data_option
def export(
    data: Workspace,
    format: str,
    out: Path,
    layer: str | None,
    frames: Path | None,
    force: bool,
    clips: tuple[str, ...],
    split: str | None,
    as_json: bool,
) -> None:
    """Write poses and frames for COCO, CSV, CVAT, Label Studio, DeepLabCut, YOLO, SLEAP, NWB, HPMCR.

    If the export fails, nothing is written.
    """
    from finediving_pose.formats.export import export as run
    from finediving_pose.labels.table import read_clips, select

    check_layer(data, layer)
    summary = run(data, select(read_clips(data), clips, split), format, out, layer=layer, frames=frames, force=force)
    say(summary, as_json=as_json, next_step=f"fdpose import {out} --annotator NAME (after people have corrected it)")
