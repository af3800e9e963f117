"""``fdpose split``."""

from __future__ import annotations

import click

from finediving_pose.cli.options import data_option, json_option, say
from finediving_pose.workspace import Workspace


@click.command(epilog="Example: fdpose split --test 0.25 --seed 7 --data ./fdpose-data")
@data_option
@click.option("--test", "share", type=float, default=0.25, show_default=True, help="Share of test clips, 0 to 1.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the split.")
@json_option
def split(data: Workspace, share: float, seed: int, as_json: bool) -> None:
    """Divide the clips into train and test, by competition.

    All rounds of a competition are in the same split. In FineDiving's official split, nearly every video has dives in
    both. To restore the official split, read the labels again: fdpose extract --labels DIR.
    """
    from finediving_pose.labels.splits import competition, split_by_competition
    from finediving_pose.labels.table import read_clips, write_clips
    from finediving_pose.writing import writing

    with writing("fdpose split", [data.clips_table]):
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
