"""``fdpose evaluate``: score predictions that another program made."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from finediving_pose.cli.options import data_option, json_option, say
from finediving_pose.workspace import Workspace


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
@json_option
def evaluate(
    data: Workspace, predictions: Path, name: str | None, partial: bool, as_json: bool, **options: Any
) -> None:
    """Score predictions that another program made.

    PREDICTIONS is a CSV file with the columns video, index and predicted_score, one row for each test dive of the
    packed file; other columns are ignored. Prints the same metrics, intervals and baseline as fdpose benchmark.
    """
    from baselines.runs.external import score_file
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
    scores = measure(scored)
    if as_json:
        say({"predictions": str(predictions), "n_test": len(scored), **asdict(scores)}, as_json=True)
        return
    from baselines.report.tables import show_evaluation
    from baselines.report.wording import what_baseline
    from baselines.runs.config import Evaluation

    show_evaluation(
        scores, name or predictions.stem, len(scored), what_baseline(Evaluation().votes, options["pairing"])
    )
    if len(scored) < tested:
        click.echo(f"only {len(scored)} of {tested} test dives: not comparable with figures of the whole split")
