"""``fdpose import``: poses that were annotated with other tools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from finediving_pose.cli.options import clip_option, data_option, json_option, say, split_option
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace

_EPILOG = """\b
Examples:
  fdpose import corrected.json --annotator anna
  fdpose import dlc labeled-data/*/CollectedData_anna.csv --annotator anna

Formats: official, hpmcr, coco, cvat, labelstudio, dlc, yolo, slp, nwb, mpii (docs/formats.md).
"""


@click.command(name="import", epilog=_EPILOG)
@click.argument("words", nargs=-1, required=True, metavar="[FORMAT] FILE...")
@click.option("--annotator", default="hand", show_default=True, help="Name of the annotator.")
@click.option("--all", "everything", is_flag=True, help="Also take in joints that nobody changed since the export.")
@clip_option
@split_option
@json_option
@data_option
def import_(
    data: Workspace,
    words: tuple[str, ...],
    annotator: str,
    everything: bool,
    clips: tuple[str, ...],
    split: str | None,
    as_json: bool,
) -> None:
    """Read poses that were annotated with other tools.

    They become hand poses of --annotator. Of poses that fdpose exported, only the joints that somebody changed are
    taken in; with --all every joint, if somebody checked all of them. Without FORMAT, the format of each file or folder
    is recognised from its contents. If any entry has no frame here, nothing is written.
    """
    from finediving_pose.formats.registry import readers

    # "fdpose import yolo" after "fdpose export yolo --out yolo" means the folder.
    only_a_file = len(words) == 1 and Path(words[0]).exists()
    format = words[0] if words[0] in readers() and not only_a_file else None
    files = [Path(word) for word in words[bool(format) :]]
    if not files:
        raise UsageError(f"give the files after the format: fdpose import {format} FILE...")
    if format is None and len(words) > 1 and not files[0].exists() and not files[0].suffix and files[1].exists():
        raise UsageError(f"{words[0]!r} is neither an import format nor a file; formats are {', '.join(readers())}")
    import_files(data, clips, split, files, annotator, format, everything=everything, as_json=as_json)


def import_files(
    data: Workspace,
    clips: tuple[str, ...],
    split: str | None,
    files: Sequence[Path],
    annotator: str,
    format: str | None,
    *,
    everything: bool,
    as_json: bool,
) -> None:
    """Take the files in and say on standard error what came in, from whom, and what was left out."""
    from finediving_pose.formats.intake import take_in
    from finediving_pose.labels.table import read_clips, select
    from finediving_pose.progress import tell

    table = read_clips(data)
    only = {c.key for c in select(table, clips, split)}
    intake = take_in(data, table, files, annotator, format, everything=everything, only=only)
    for line in (*intake.told, intake.sentence()):
        tell(line)
    say(intake.as_dict(), as_json=as_json, next_step="fdpose merge")
