"""``fdpose evaluate``: score predictions that another program made."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from finediving_pose.cli.options import data_option, json_option, say
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace

READS = {
    "pictures": "PICTURES",
    "poses": "POSES",
    "number": "NUMBER",
    "difficulty": "DIFFICULTY",
    "sub-actions": "SUB_ACTIONS",
}
"""What a program may read of a test dive, by its name on the command line."""


class ReadOfADive(click.ParamType):
    """``pictures,number``: what is read of a test dive, as names of ``baselines.method.Needs``; or ``nothing``."""

    name = "what"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        words = [] if value.strip() == "nothing" else [word.strip() for word in value.split(",")]
        for word in words:
            if word not in READS:
                self.fail(f"{word!r} is none of {', '.join(READS)}, nothing", param, ctx)
        return tuple(READS[word] for word in words)


@click.command(epilog="Example: fdpose evaluate predictions.csv --data ./fdpose-data  (columns: docs/csv.md)")
@click.argument("predictions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_option
@click.option("--name", default=None, help="Name of the method in the table.  [default: the file's name]")
@click.option("--pairing", type=click.Choice(["number", "random", "rotation", "difficulty"]), default="number",
              show_default=True,
              help="Train dives whose mean score is the baseline: those of the dive number, any, those that rotate the "
                   "same way, or those of its difficulty.")  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the baseline's train dives."
)
@click.option("--exemplar-fallback", type=click.Choice(["difficulty"]), default=None,
              help="Exemplars where no train dive has the dive number: those nearest in difficulty.")  # fmt: skip
@click.option("--partial", is_flag=True, help="Score the file although test dives are missing in it.")
@click.option("--keep", is_flag=True, help="Keep predictions and figures under runs/, for fdpose leaderboard.")
@click.option("--reads", type=ReadOfADive(), default=None, metavar="WHAT,...",
              help="With --keep: what the program reads of a test dive, for the table: pictures, poses, number, "
                   "difficulty, sub-actions, or nothing.")  # fmt: skip
@json_option
def evaluate(
    data: Workspace, predictions: Path, name: str | None, partial: bool, keep: bool, as_json: bool, **options: Any
) -> None:
    """Score predictions that another program made.

    PREDICTIONS is a CSV file with the columns video, index and predicted_score, one row for each test dive of the
    packed file; other columns are ignored. Prints the same metrics, intervals and baseline as fdpose benchmark.
    """
    if options["reads"] is not None and not keep:
        raise UsageError("--reads is noted beside predictions that are kept; add --keep")
    from baselines.runs.external import keep_predictions, score_file
    from baselines.runs.figures import measure
    from finediving_pose.packed.reader import open_packed

    with open_packed(data.packed) as packed:
        scored = score_file(
            predictions,
            packed,
            pairing=options["pairing"],
            seed=options["seed"],
            fallback=options["exemplar_fallback"],
            partial=partial,
        )
        tested = sum(c.split == "test" and c.dive_score is not None for c in packed.clips)
        scores, kept = measure(scored), None
        if keep:
            title, pairing, reads = name or predictions.stem, options["pairing"], options["reads"]
            kept = keep_predictions(data, title, scored, scores, packed, pairing, reads)
    if as_json:
        where = {"run": str(kept)} if kept else {}
        say({"predictions": str(predictions), "n_test": len(scored), **asdict(scores), **where}, as_json=True)
        return
    from baselines.report.tables import show_evaluation
    from baselines.report.wording import what_baseline
    from baselines.runs.config import Evaluation

    show_evaluation(
        scores, name or predictions.stem, len(scored), what_baseline(Evaluation().votes, options["pairing"])
    )
    if len(scored) < tested:
        click.echo(f"only {len(scored)} of {tested} test dives: not comparable with figures of the whole split")
    if kept:
        say({"kept": str(kept)}, next_step="fdpose leaderboard")
