"""``fdpose benchmark``: train a method on the packed file and score it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from finediving_pose.cli.ending import answering_signals
from finediving_pose.cli.options import complain, data_option, json_option, say
from finediving_pose.errors import SetupError, UsageError
from finediving_pose.workspace import Workspace

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from baselines.runs.results import RunMetrics, StudyMetrics

LATEST = "latest"

_EPILOG = """\b
Examples:
  fdpose benchmark hpmcr --preset demo --data ./fdpose-data
  fdpose benchmark hpmcr --seeds 3 --ablate
  fdpose benchmark hpmcr --ablate skeleton,fusion
  fdpose benchmark hpmcr --preset full --weights ./weights
  fdpose benchmark hpmcr --set training.batch_size=4 --set optimiser.lr=1e-3
  fdpose benchmark all --seeds 3
  fdpose benchmark --resume hpmcr-20261128-101500
  fdpose benchmark hpmcr --preset full --run first --resume latest
  fdpose benchmark --list
"""


class Change(click.ParamType):
    """``KEY=VALUE``, the value as JSON where it is that, else as text."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        key, equals, text = value.partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not KEY=VALUE, such as training.batch_size=4", param, ctx)
        try:
            return key, json.loads(text)
        except ValueError:
            return key, text


def _complete_method(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from baselines.registry import EVERY_METHOD, method_names

    return [CompletionItem(name) for name in (*method_names(), EVERY_METHOD) if name.startswith(incomplete)]


def _complete_preset(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from baselines.registry import find_method

    try:
        presets = find_method(ctx.params.get("method") or "").presets
    except UsageError:
        return []
    return [CompletionItem(name, help=preset.help) for name, preset in presets.items() if name.startswith(incomplete)]


@click.command(epilog=_EPILOG)
@click.argument("method", required=False, shell_complete=_complete_method)
@data_option
@click.option("--list", "list_all", is_flag=True, help="List methods, their presets and parts, and stop.")
@click.option("--preset", default=None, shell_complete=_complete_preset,
              help="One of the method's trainings, as --list shows.  [default: demo, or the first]")  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of weights, pairs and voters."
)
@click.option("--seeds", type=click.IntRange(min=1), default=None, metavar="N",
              help="Train with N seeds, from --seed on; prints mean and spread.")  # fmt: skip
@click.option("--ablate", is_flag=False, flag_value="all", default=None, metavar="[PART,...]",
              help="Train also without each of these parts in turn; without a value, all parts.")  # fmt: skip
@click.option("--pairing", type=click.Choice(["number", "random", "rotation", "difficulty"]), default=None,
              help="Compare a dive with dives of its dive number (w/ DN), with any (w/o DN), with those that rotate "
                   "the same way, or those of its difficulty.  [default: the preset's, mostly number]")  # fmt: skip
@click.option("--epochs", type=click.IntRange(min=1), default=None, help="Number of epochs.  [default: the preset's]")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
              help="Where to train; auto takes a GPU if there is one.")  # fmt: skip
@click.option("--weights", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None,
              help="Folder with the published weights that the preset starts from; docs/reproduce.md.")  # fmt: skip
@click.option("--exemplar-fallback", type=click.Choice(["difficulty"]), default=None,
              help="Compare test dives whose dive number no train dive has with the train dives nearest in degree "
                   "of difficulty.")  # fmt: skip
@click.option("--set", "changes", type=Change(), multiple=True, metavar="KEY=VALUE",
              help="Change a setting, such as training.accumulate=4 (JSON or text); repeatable.")  # fmt: skip
@click.option("--run", metavar="NAME", default=None, help="Name of the run's folder.  [default: METHOD-TIME]")
@click.option("--resume", type=click.Path(path_type=Path), default=None, metavar="RUN|latest",
              help="Go on with a run or a study that was stopped, with its own settings; with latest, begin the --run "
                   "if it is not there.")  # fmt: skip
@json_option
@click.pass_context
def benchmark(
    ctx: click.Context,
    method: str | None,
    data: Workspace,
    list_all: bool,
    preset: str | None,
    seed: int,
    seeds: int | None,
    ablate: str | None,
    pairing: str | None,
    epochs: int | None,
    device: str,
    weights: Path | None,
    exemplar_fallback: Literal["difficulty"] | None,
    changes: tuple[tuple[str, Any], ...],
    run: str | None,
    resume: Path | None,
    as_json: bool,
) -> None:
    """Train METHOD on the packed file and score it on the test split.

    Writes runs/METHOD-TIME/ in the data directory: report.html, metrics.json, predictions.csv, votes.csv,
    checkpoints, logs. With --seeds or --ablate each training has a folder of its own in there.

    METHOD "all" trains every method that has the preset and finds in the packed file what it reads, one after the
    other, and prints their leaderboard.
    """
    if list_all:
        list_methods(as_json)
        return
    go_on = resume is not None and str(resume) == LATEST
    if resume is not None and not go_on:
        _refuse_settings(ctx)
    elif go_on and run is None:
        raise UsageError(f"--resume {LATEST} goes on with the run that --run NAME names; add --run NAME")
    elif method is None:
        raise UsageError("name a method, such as: fdpose benchmark hpmcr (fdpose benchmark --list shows all)")
    settings = dict(changes)
    if pairing:
        settings["data.pairing"] = pairing
    if exemplar_fallback:
        settings["evaluation.exemplar_fallback"] = exemplar_fallback
    how = {"epochs": epochs, "weights": weights, "changes": settings}
    choose_device(device)
    with answering_signals(ctx) as found:
        if resume is not None and not go_on:
            found.folder, begun = find_run(data, resume), True
            _check_method(found.folder, method)
        else:
            assert method is not None
            found.folder, begun = _begin(data, method, preset, seed, seeds, ablate, run=run, go_on=go_on, **how)
        _train_and_show(ctx, data, found.folder, begun, go_on, as_json)


def _train_and_show(ctx: click.Context, data: Workspace, folder: Path, begun: bool, go_on: bool, as_json: bool) -> None:
    """Bring a run, a study or a suite to its end, and print what came of it; with ``go_on`` also of a finished run."""
    from baselines.runs.suite import is_suite
    from baselines.training import processes
    from finediving_pose.progress import tell

    tell(f"run {folder}{', begun before' if begun else ''}")
    if is_suite(folder):
        _run_every_method(ctx, data, folder, as_json)
        return
    metrics, show = train_and_score(data, folder, resume=begun, again=not go_on)
    if not processes.is_first():
        return
    if as_json:
        say({**asdict(metrics), "run": str(folder)}, as_json=True)
        return
    show(metrics)
    click.echo(
        f"\nrun   {folder}  (metrics.json, predictions.csv, votes.csv, scorer.pth, checkpoints)"
        f"\npage  {folder / 'report.html'}"
    )


def _begin(
    data: Workspace,
    name: str,
    preset: str | None,
    seed: int,
    seeds: int | None,
    ablate: str | None,
    *,
    run: str | None,
    go_on: bool,
    **options: Any,
) -> tuple[Path, bool]:
    """Make the folder of a run, a study or a suite, or find the one that is there; and whether it was."""
    from baselines.registry import EVERY_METHOD
    from baselines.runs.start import begin, make_plan

    parts = [] if ablate is None else [part.strip() for part in ablate.split(",")]
    if name == EVERY_METHOD and parts:
        raise UsageError("--ablate is for one method, since each has its own parts; name the method")
    of_seeds = range(seed, seed + (seeds or 1))
    plan = partial(make_plan, data, name, preset, of_seeds, study=seeds is not None, ablate=parts, **options)
    return begin(data, plan, run, go_on)


def train_and_score(
    data: Workspace, folder: Path, *, resume: bool, again: bool = True
) -> tuple[RunMetrics | StudyMetrics, Callable[[Any], None]]:
    """Bring a run or a study to its end and write its page; its metrics, and what prints them.

    A finished run is scored again, unless ``again`` is false.
    """
    from baselines.report.page import write_page
    from baselines.report.tables import show_run, show_study
    from baselines.runs.results import is_finished, read_run
    from baselines.runs.run import run
    from baselines.runs.study import is_study, run_study
    from finediving_pose.progress import tell

    if not again and is_finished(folder) and not is_study(folder):
        tell("finished before")
        return read_run(folder), show_run
    packed = data.packed if data.packed.is_file() else None
    study = is_study(folder)
    metrics = run_study(folder, packed_file=packed) if study else run(folder, packed_file=packed, resume=resume)
    write_page(folder)
    return metrics, show_study if study else show_run


def _run_every_method(ctx: click.Context, data: Workspace, folder: Path, as_json: bool) -> None:
    """Bring a suite to its end and print its leaderboard; exit code 1 where a method failed."""
    from baselines.report.page import PAGE, write_page
    from baselines.runs.entries import find_entries
    from baselines.runs.leaderboard import make_leaderboard
    from baselines.runs.suite import read_suite, run_suite
    from finediving_pose.cli.leaderboard import show_leaderboard

    def finish(study: Path) -> None:
        if not (study / PAGE).is_file():
            write_page(study)

    failed = run_suite(folder, finish, packed_file=data.packed if data.packed.is_file() else None)
    found, unfinished = find_entries([folder])
    reasons = {**read_suite(folder).left_out, **failed}
    made = make_leaderboard(found, [*(f"{name}: {why}" for name, why in reasons.items()), *unfinished])
    if found:
        show_leaderboard(made, report=folder / "leaderboard.html", as_json=as_json)
    if failed:
        complain(f"{', '.join(failed)} failed; go on with: fdpose benchmark --resume {folder}")
        ctx.exit(1)


_OWN_SETTINGS = (
    "run",
    "preset",
    "seed",
    "seeds",
    "ablate",
    "pairing",
    "epochs",
    "weights",
    "exemplar_fallback",
    "changes",
)


def _refuse_settings(ctx: click.Context) -> None:
    """A resumed run keeps its settings. Raises UsageError where one is given."""
    default = click.core.ParameterSource.DEFAULT
    for p in ctx.command.params:
        if p.name in _OWN_SETTINGS and ctx.get_parameter_source(p.name) is not default:
            raise UsageError(f"--resume goes on with the run's own settings; leave out {p.opts[0]}")


def _check_method(folder: Path, method: str | None) -> None:
    """Raises UsageError where a run to be resumed is of another method than the one that was named."""
    from baselines.registry import EVERY_METHOD
    from baselines.runs.config import read_config
    from baselines.runs.study import is_study, read_plan
    from baselines.runs.suite import is_suite

    if is_suite(folder):
        if method not in (None, EVERY_METHOD):
            raise UsageError(f"{folder}: is a run of all methods, not of {method}; leave {method} out")
        return
    config = read_config(folder / read_plan(folder)[0].run if is_study(folder) else folder)
    if method not in (None, config.method):
        raise UsageError(f"{folder}: is a run of {config.method}, not of {method}; leave {method} out")


def list_methods(as_json: bool) -> None:
    """Print every method with its presets and parts, and what is wrong with packages that can't be imported."""
    from baselines import registry

    methods, broken = registry.list_methods()
    if as_json:
        described = {
            m.name: {
                "title": m.title,
                "kind": "comparative" if m.comparative else "direct",
                "presets": {name: preset.help for name, preset in m.presets.items()},
                "parts": dict(m.parts),
            }
            for m in methods
        }
        say({"methods": described, "broken": broken}, as_json=True)
        return
    for m in methods:
        kind = "compares dives with exemplars" if m.comparative else "scores each dive on its own"
        click.echo(f"{click.style(m.name, bold=True)}  {m.title}; {kind}")
        for title, lines in (("presets", {n: p.help for n, p in m.presets.items()}), ("parts", dict(m.parts))):
            width = max((len(name) for name in lines), default=0)
            for n, (name, words) in enumerate(lines.items()):
                click.echo(f"  {title if n == 0 else '':<8} {name:<{width}}  {words}")
    for problem in broken.values():
        complain(problem)


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
