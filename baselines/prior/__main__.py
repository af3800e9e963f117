"""``python -m baselines.prior``: what ``make prior`` runs, see ``docs/experiments/prior.md``."""

from __future__ import annotations

from pathlib import Path

import click

from finediving_pose.cli.options import data_option
from finediving_pose.documents import read_json
from finediving_pose.errors import LabelError
from finediving_pose.workspace import Workspace


@click.group()
def main() -> None:
    """Make what the skeleton encoders start from."""


@main.command()
@data_option
@click.option("--truth", type=click.Path(path_type=Path), required=True, help="The folder truth of fdpose synth.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def errors(data: Workspace, truth: Path, out: Path) -> None:
    """Measure the estimator's errors on filmed synthetic dives."""
    from baselines.prior.errors import write_errors
    from baselines.prior.measured import measure_errors

    found = measure_errors(data, truth)
    asked = read_json(truth.parent / "competition.json", LabelError)
    write_errors(out, found, f"{len(found)} dives, fdpose synth --dives {asked['dives']} --seed {asked['seed']}")
    click.echo(f"{out}: errors of {len(found)} dives")


@main.command()
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Keeps dives and unfinished trainings.")
@click.option("--errors", "error_file", type=click.Path(path_type=Path), required=True)
@click.option("--dives", type=int, default=23_000, show_default=True)
@click.option("--steps", type=int, default=6_000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def train(work: Path, error_file: Path, dives: int, steps: int, seed: int) -> None:
    """Perform dives and train on them; a stopped training goes on."""
    from baselines.prior.errors import read_errors
    from baselines.prior.pretrain import Plan, pretrain
    from baselines.prior.weights import BUNDLED

    plan = Plan(seed=seed, dives=dives, steps=steps)
    command = f"python -m baselines.prior train --dives {dives} --steps {steps} --seed {seed}"
    pretrain(plan, read_errors(error_file), work, BUNDLED, command)


if __name__ == "__main__":
    main()
