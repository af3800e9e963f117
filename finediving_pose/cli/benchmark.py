"""``fdpose benchmark``: train a model on the packed file and score it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from finediving_pose.cli.options import data_option, json_option, say
from finediving_pose.errors import SetupError, UsageError
from finediving_pose.workspace import Workspace

PUBLISHED = {
    "MCoRe": ((0.8897, 0.461, 89.42, 74.46), (0.9232, 0.326, 98.26, 79.17)),
    "HPMCR": ((0.9041, 0.411, 98.17, 93.68), (0.9383, 0.269, 99.07, 97.96)),
}
"""Published on FineDiving (arXiv 2501.03674): without, then with dive number; rho, R-l2 x 100, AIoU@0.5, AIoU@0.75."""


@click.command(
    epilog="Example: fdpose benchmark hpmcr --preset demo --data ./fdpose-data. "
    "Full size on a GPU: fdpose benchmark hpmcr --preset full --weights ./weights"
)
@click.argument("model", type=click.Choice(["hpmcr"]))
@data_option
@click.option(
    "--preset",
    type=click.Choice(["demo", "full"]),
    default="demo",
    show_default=True,
    help="demo: small networks, minutes on two cores. full: the paper's shape, days on a GPU.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of weights, pairs and voters.")
@click.option("--epochs", type=click.IntRange(min=1), default=None, help="Instead of the preset's number.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to train; auto takes a GPU if there is one.",
)
@click.option(
    "--weights",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="Folder with published weights: model_rgb.pth (I3D), regnety_002.safetensors or .pth (timm).",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    default=None,
    metavar="RUN",
    help="Go on with a run that was stopped, with its own settings.",
)
@json_option
@click.pass_context
def benchmark(
    ctx: click.Context,
    model: str,
    data: Workspace,
    preset: str,
    seed: int,
    epochs: int | None,
    device: str,
    weights: Path | None,
    resume: Path | None,
    as_json: bool,
) -> None:
    """Train a model on the packed file and score it on the test split.

    Writes runs/<model>-<time>/ in the data directory: metrics.json, predictions.csv, checkpoints, logs.
    """
    choose_device(device)
    from baselines.runs import new_run, run

    if resume is not None:
        given = [n for n in ("preset", "seed", "epochs", "weights") if ctx.get_parameter_source(n) is not _DEFAULT]
        if given:
            raise UsageError(f"--resume goes on with the run's own settings; leave out --{given[0]}")
        folder = find_run(data, resume)
    else:
        folder = new_run(data, preset, seed, epochs, weights)
    try:
        metrics = run(folder, resume=resume is not None)
    except KeyboardInterrupt:
        click.echo(
            f"fdpose: stopped; go on from the last finished epoch with: fdpose benchmark hpmcr --resume {folder}",
            err=True,
        )
        ctx.exit(130)
    if as_json:
        say({**metrics, "run": str(folder)}, as_json=True)
        return
    show(metrics)
    click.echo(f"\nrun  {folder}  (metrics.json, predictions.csv, checkpoints)")


_DEFAULT = click.core.ParameterSource.DEFAULT


def choose_device(device: str) -> None:
    """Make ``device`` the one that training uses; call it before anything imports torch's CUDA state.

    Raises
    ------
    SetupError
        ``cuda`` was asked for and there is none.
    """
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise SetupError("--device cuda: torch finds no CUDA device here; leave --device out to train on the CPU")


def find_run(data: Workspace, name: Path) -> Path:
    """A run's folder, from its path or from its name under the data directory's runs."""
    return name if name.is_dir() else data.runs / name.name


def show(metrics: dict[str, Any]) -> None:
    """Print our row beside the exemplars' mean, and the published figures apart from them."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    def number(value: float | None, digits: int) -> str:
        return "n/a" if value is None else f"{value:.{digits}f}"

    def table(title: str, *columns: str) -> Table:
        made = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
        made.add_column("", no_wrap=True)
        for column in columns:
            made.add_column(column, justify="right", no_wrap=True)
        return made

    title = f"{metrics['n_test']} test dives, {metrics['n_train']} train dives; {metrics['selection']}"
    ours = table(title, "rho", "R-l2 x 100", "L2", "in order", "AIoU@0.5", "AIoU@0.75")
    for name, row in ((f"HPMCR ({metrics['preset']})", metrics), ("exemplars' mean", metrics["exemplar_mean"])):
        shown = [number(row[k], d) for k, d in (("rho", 4), ("r_l2_x100", 3), ("l2", 1), ("same_number_in_order", 3))]
        ours.add_row(name, *shown, *(number(row[k], 2) if k in row else "" for k in ("aiou_50", "aiou_75")))
    published = table(
        "Published on FineDiving, other data: not comparable with the above",
        *("rho", "R-l2 x 100", "AIoU@0.5", "AIoU@0.75"),
    )
    for method, protocols in PUBLISHED.items():
        for protocol, row in zip(("without dive number", "with dive number"), protocols, strict=True):
            published.add_row(f"{method}, {protocol}", *(f"{v:.{d}f}" for v, d in zip(row, (4, 3, 2, 2), strict=True)))
    out = Console(highlight=False)
    out.print(ours)
    low, high = (number(v, 2) for v in metrics["rho_95"])
    out.print(
        f"rho lies between {low} and {high} (95 %, bootstrap over test dives); other seeds move it, too\n"
        "exemplars' mean: what predicting the mean score of the same train dives gives\n"
        "in order: share of pairs of test dives of one dive number in their true order, 0.5 by chance\n"
    )
    out.print(published)
