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
    """Make what networks start from: of poses, and of splashes."""


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
@click.option("--steps", type=int, default=6_000, show_default=True, help="Number of batches.")
@click.option("--seed", type=int, default=0, show_default=True)
def train(work: Path, error_file: Path, dives: int, steps: int, seed: int) -> None:
    """Perform dives and train on them; a stopped training goes on."""
    from baselines.prior.errors import read_errors
    from baselines.prior.pretrain import Plan, pretrain
    from baselines.prior.weights import BUNDLED

    command = f"python -m baselines.prior train --dives {dives} --steps {steps} --seed {seed}"
    pretrain(Plan(seed=seed, dives=dives, steps=steps), read_errors(error_file), work, BUNDLED, command)


@main.command()
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Keeps filmed dives.")
@click.option("--errors", "error_file", type=click.Path(path_type=Path), required=True)
@click.option("--venues", type=click.IntRange(min=60), default=700, show_default=True, help="Four dives in each.")
@click.option("--seed", type=int, default=0, show_default=True)
def splash(work: Path, error_file: Path, venues: int, seed: int) -> None:
    """Film the ends of dives and learn from them to see a splash, and what it says beside poses."""
    from baselines.prior.errors import read_errors
    from baselines.prior.splash import SplashPlan, pretrain_splash
    from baselines.prior.weights import BUNDLED_SPLASH, read_prior

    plan = SplashPlan(seed=seed, venues=venues)
    command = f"python -m baselines.prior splash --venues {venues} --seed {seed}"
    pretrain_splash(plan, read_errors(error_file), read_prior().network(), work, BUNDLED_SPLASH, command)


if __name__ == "__main__":
    main()
