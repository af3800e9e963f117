"""``fdpose split``."""

from __future__ import annotations

import click

from finediving_pose.cli.options import data_option, json_option, say
from finediving_pose.workspace import Workspace


@click.command(epilog="Example: fdpose split --test 0.25 --seed 7 --data ./fdpose-data")
@data_option
@click.option("--test", "share", type=float, default=0.25, show_default=True, help="Share of the clips to test on.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, another split.")
@json_option
def split(data: Workspace, share: float, seed: int, as_json: bool) -> None:
    """Deal the clips into train and test so that no competition is on both sides.

    FineDiving's official split has dives of nearly every video on both sides. This one keeps all rounds
    of a competition together. Read the labels again (fdpose extract --labels) for the official split.
    """
    from finediving_pose.labels.splits import competition, split_by_competition
    from finediving_pose.labels.table import read_clips, write_clips

    clips = split_by_competition(read_clips(data), share, seed)
    write_clips(data.clips_table, clips)
    train = {c.action_type for c in clips if c.split == "train"}
    lacking = [c for c in clips if c.split == "test" and c.action_type not in train]
    summary = {
        "train": sum(c.split == "train" for c in clips),
        "test": sum(c.split == "test" for c in clips),
        "competitions_to_test_on": sorted({competition(c.key.video) for c in clips if c.split == "test"}),
        "test_dives_without_exemplar": len(lacking),
    }
    say(summary, as_json=as_json, next_step="fdpose pack")
