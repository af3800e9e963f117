"""``fdpose leakage``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from finediving_pose.cli.options import json_option, say


@click.command(epilog="Example: fdpose leakage --labels finediving/Annotations")
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    required=True,
    help="FineDiving's or MTL-AQA's label files, with the official split.",
)
@json_option
def leakage(labels: Path, as_json: bool) -> None:
    """Measure what a split lets one predict of test dives without a look at them.

    Two tables in Markdown: on the split that the label files have, with 95 % intervals over videos, and the mean of
    five splits by event, with the lowest and highest. docs/leakage.md explains them.
    """
    from baselines.blind.table import as_markdown, blind_rows, blind_rows_by_event
    from finediving_pose.labels.read import read_labels

    clips = read_labels(labels)
    own, by_event = blind_rows(clips), blind_rows_by_event(clips)
    if as_json:
        say({"own_split": [asdict(r) for r in own], "by_event": [asdict(r) for r in by_event]}, as_json=True)
        return
    click.echo(f"The split of the label files\n\n{as_markdown(own)}\n")
    click.echo(f"Split by event, five splits\n\n{as_markdown(by_event)}\n")
