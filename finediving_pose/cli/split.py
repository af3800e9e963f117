"""``fdpose split``."""

from __future__ import annotations

from typing import Any

import click

from finediving_pose.cli.options import data_option, json_option, say
from finediving_pose.workspace import Workspace


@click.command(epilog="Example: fdpose split --by event --test 0.25 --seed 7 --data ./fdpose-data")
@data_option
@click.option(
    "--by",
    type=click.Choice(["event", "competition", "diver"]),
    default="event",
    show_default=True,
    help="What is never on both sides: an event with all its rounds, a whole championship, or a diver within an event.",
)
@click.option("--test", "share", type=float, default=0.25, show_default=True, help="Share of test clips, 0 to 1.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the split.")
@json_option
def split(data: Workspace, by: Any, share: float, seed: int, as_json: bool) -> None:
    """Divide the clips into train and test, by event.

    All rounds of an event are in the same split. In FineDiving's official split, nearly every video has dives in both.
    To restore the official split, read the labels again: fdpose extract --labels DIR. Divers are told apart by their
    place in the start order; where it does not tell, the whole event is kept together.
    """
    from finediving_pose.labels.splits import split_by, units
    from finediving_pose.labels.table import read_clips, write_clips
    from finediving_pose.writing import writing

    with writing("fdpose split", [data.clips_table]):
        clips = split_by(by, read_clips(data), share, seed)
        write_clips(data.clips_table, clips)
    unit = units(clips, by)
    train = {c.action_type for c in clips if c.split == "train"}
    lacking = [c for c in clips if c.split == "test" and c.action_type not in train]
    summary = {
        "train": sum(c.split == "train" for c in clips),
        "test": sum(c.split == "test" for c in clips),
        f"{by}s_to_test_on": sorted({unit[c.key] for c in clips if c.split == "test"}),
        "test_dives_without_exemplar": len(lacking),
    }
    say(summary, as_json=as_json, next_step="fdpose pack")
