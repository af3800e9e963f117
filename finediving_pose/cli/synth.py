"""``fdpose synth``."""

from __future__ import annotations

from pathlib import Path

import click

from finediving_pose.cli.options import jobs_option, json_option, say


@click.command(epilog="Example: fdpose synth --out ./synthetic --dives 24 --dive-number 107b --dive-number 5253b")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to: a new one, or one of the same competition.",
)
@click.option(
    "--dives", type=click.IntRange(min=1), default=None, help="Number of dives.  [default: 96, or of --like all]"
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the competition.")
@click.option(
    "--dive-number", "dive_numbers", multiple=True, metavar="NUMBER", help="Only dives of this number; repeatable."
)
@click.option(
    "--like",
    metavar="finediving",
    default=None,
    help="The shape of a data set: its videos, dive numbers and lengths, its labels' quirks and errors.",
)
@click.option(
    "--layout",
    "layouts",
    multiple=True,
    metavar="frames|trimmed|dives",
    help="Also write the frames of whole videos, those of the dives, or a video a dive; repeatable.",
)
@jobs_option
@json_option
def synth(
    out: Path,
    dives: int | None,
    seed: int,
    dive_numbers: tuple[str, ...],
    like: str | None,
    layouts: tuple[str, ...],
    jobs: int | None,
    as_json: bool,
) -> None:
    """Make a synthetic competition: videos, labels, hand annotations, true poses.

    A dive takes about 0.3 MB on disk; memory use does not grow with the number of dives. Finished events are kept:
    after an interruption the same command continues and writes the same files.

    Without --dive-number there are about eight dives of each number, up to FineDiving's 52 numbers (416 dives), and a
    fifth of the dives is synchronised.

    With --like finediving there are the data set's 135 videos and 3000 dives, or of these as many as --dives says, in
    whole videos; truth/errata.json lists the errors that were put into the labels.

    With --layout the same frames are also there as people hold the data set: frames/VIDEO/FRAME.jpg,
    trimmed/VIDEO/INDEX/FRAME.jpg, dives/VIDEO__INDEX.mp4.
    """
    from finediving_pose.synth.competition import make_competition

    summary = make_competition(
        out, dives=dives, seed=seed, dive_numbers=dive_numbers or None, like=like, layouts=layouts, jobs=jobs
    )
    next_step = f"fdpose extract --videos {out / 'videos'} --labels {out / 'labels'}"
    say(summary, as_json=as_json, next_step=next_step)
