"""``fdpose benchmark``: train a model on the packed file and score it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

from finediving_pose.cli.options import data_option, json_option, say
from finediving_pose.errors import SetupError, UsageError
from finediving_pose.workspace import Workspace

PARTS = ("skeleton", "static", "fusion", "contrast", "segmentation")
"""The same as ``baselines.hpmcr.PARTS``, which is not imported because it imports torch."""


class Change(click.ParamType):
    """``KEY=VALUE``, the value as JSON where it is that, else as text."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        key, equals, text = value.partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is no KEY=VALUE, such as training.batch_size=4", param, ctx)
        try:
            return key, json.loads(text)
        except ValueError:
            return key, text


@click.command(
    epilog="Example: fdpose benchmark hpmcr --preset demo --data ./fdpose-data. "
    "What each part is worth: fdpose benchmark hpmcr --seeds 3 --ablate. "
    "Full size on a GPU: fdpose benchmark hpmcr --preset full --weights ./weights"
)
@click.argument("model", type=click.Choice(["hpmcr"]))
@data_option
@click.option(
    "--preset",
    type=click.Choice(["demo", "full", "released", "mtl-aqa"]),
    default="demo",
    show_default=True,
    help="demo: small networks, minutes on two cores. full: the paper's shape on FineDiving, days on a GPU. "
    "released: the same with all that the public code does. mtl-aqa: the paper's shape on MTL-AQA.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of weights, pairs and voters.")
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Repeat with N seeds, from --seed on; mean and spread are shown.",
)
@click.option(
    "--ablate",
    is_flag=False,
    flag_value=",".join(PARTS),
    default=None,
    metavar="[PART,...]",
    help="Train also without each of these parts in turn; without a value: " + ", ".join(PARTS) + ".",
)
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
    "--exemplar-fallback",
    type=click.Choice(["difficulty"]),
    default=None,
    help="Compare test dives whose dive number no train dive has with those of the nearest degree of difficulty.",
)
@click.option(
    "--set",
    "changes",
    type=Change(),
    multiple=True,
    metavar="KEY=VALUE",
    help="Another value in the preset, as in --set training.accumulate=4 (JSON or text); repeatable.",
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
    seeds: int | None,
    ablate: str | None,
    epochs: int | None,
    device: str,
    weights: Path | None,
    exemplar_fallback: Literal["difficulty"] | None,
    changes: tuple[tuple[str, Any], ...],
    resume: Path | None,
    as_json: bool,
) -> None:
    """Train a model on the packed file and score it on the test split.

    Writes runs/<model>-<time>/ in the data directory: report.html, metrics.json, predictions.csv, votes.csv,
    checkpoints, logs. With --seeds or --ablate each training has a folder of its own in there.
    """
    choose_device(device)
    from baselines.runs import new_run
    from baselines.study import new_study

    if resume is not None:
        own = ("preset", "seed", "seeds", "ablate", "epochs", "weights", "exemplar_fallback", "changes")
        given = [p.opts[0] for p in ctx.command.params if p.name in own and _is_given(ctx, p.name)]
        if given:
            raise UsageError(f"--resume goes on with the run's own settings; leave out {given[0]}")
        folder = find_run(data, resume)
    else:
        options: dict[str, Any] = {
            "epochs": epochs, "weights": weights, "exemplar_fallback": exemplar_fallback, "changes": dict(changes)
        }  # fmt: skip
        parts = [part.strip() for part in ablate.split(",")] if ablate else []
        if seeds or parts:
            folder = new_study(data, preset, range(seed, seed + (seeds or 1)), parts, **options)
        else:
            folder = new_run(data, preset, seed, **options)
    try:
        metrics, show = train_and_score(folder, resume=resume is not None)
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
    click.echo(
        f"\nrun   {folder}  (metrics.json, predictions.csv, votes.csv, checkpoints)\npage  {folder / 'report.html'}"
    )


def train_and_score(folder: Path, *, resume: bool) -> tuple[dict[str, Any], Callable[[dict[str, Any]], None]]:
    """Bring a run or a study to its end and write its page; its metrics, and what prints them."""
    from baselines.report import write_page
    from baselines.runs import run
    from baselines.study import is_study, run_study
    from baselines.tables import show_run, show_study

    study = is_study(folder)
    metrics = run_study(folder) if study else run(folder, resume=resume)
    write_page(folder)
    return metrics, show_study if study else show_run


def _is_given(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


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
