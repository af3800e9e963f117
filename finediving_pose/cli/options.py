"""Options and output that the commands share."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace


class WorkspaceType(click.ParamType):
    """A data directory; it need not exist yet."""

    name = "directory"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Workspace:
        if isinstance(value, Workspace):
            return value
        path = Path(value)
        if path.exists() and not path.is_dir():
            self.fail(f"{path} is a file, not a directory", param, ctx)
        return Workspace(path)


_GIVEN = "finediving_pose.data"
"""Under this name a context knows the data directory that commands to be typed are about."""


def speak_of(data: Workspace) -> None:
    """Let the commands that this one tells to type be about a data directory, where ``--data`` gave none."""
    click.get_current_context().meta[_GIVEN] = data


def _note_given(context: click.Context, option: click.Parameter, data: Workspace) -> Workspace:
    if context.get_parameter_source(option.name or "") is click.core.ParameterSource.COMMANDLINE:
        context.meta[_GIVEN] = data
    return data


data_option: Callable = click.option(
    "--data",
    type=WorkspaceType(),
    callback=_note_given,
    default="./fdpose-data",
    envvar="FDPOSE_DATA",
    show_default=True,
    show_envvar=True,
    help="The data directory.",
)
clip_option: Callable = click.option(
    "--clip",
    "clips",
    multiple=True,
    metavar="VIDEO/INDEX",
    help="Only this clip, or all clips of a video (VIDEO); repeatable.",
)
errata_option: Callable = click.option(
    "--apply-errata",
    is_flag=False,
    flag_value="certain",
    type=click.Choice(["certain", "likely"]),
    help="Correct the known errors of the released labels when reading: the certain ones, or the likely ones, too."
    "  [without a value: certain]",
)
split_option: Callable = click.option("--split", type=click.Choice(["train", "test", "none"]), help="Only this split.")
jobs_option: Callable = click.option(
    "--jobs", type=click.IntRange(min=1), default=None, help="Number of processes.  [default: number of cores]"
)
scheduler_option: Callable = click.option(
    "--scheduler",
    metavar="ADDRESS",
    default=None,
    help="Address of a Dask scheduler, e.g. tcp://node1:8786; its workers need the same paths (extra: fdpose[scale]).",
)
device_option: Callable = click.option(
    "--device",
    default="auto",
    help="Device to compute on, as torch names it, e.g. cuda:0.  [default: a GPU if there is one]",
)
bf16_option: Callable = click.option(
    "--bf16/--no-bf16", default=None, help="Compute in bfloat16.  [default: where the device supports it]"
)
json_option: Callable = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def check_layer(data: Workspace, layer: str | None) -> None:
    """Refuse a ``--layer`` that the data directory has not. Raises UsageError."""
    from finediving_pose.journals.catch_up import catch_up

    catch_up(data, f"fdpose {click.get_current_context().info_name}")
    layers = data.layers()
    if layer and layer not in layers:
        known = f"there are {', '.join(layers)}" if layers else "there are none yet; run: fdpose annotate --auto"
        raise UsageError(f"--layer {layer}: no such layer in {data.root}; {known}")


def say(summary: dict[str, Any], *, as_json: bool = False, next_step: str | None = None) -> None:
    """Print a command's result: ``name  value`` lines and what to run next, or one JSON object.

    ``fdpose demo`` gives the root context an object; its steps leave out what to run next.
    """
    if as_json:
        click.echo(json.dumps(summary, default=str, indent=2))
        return
    width = max((len(k) for k in summary), default=0)
    for name, value in summary.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {in_words(value)}")
    context = click.get_current_context()
    if next_step and context.find_root().obj is None:
        click.echo(f"\n{with_data(f'next: {next_step}')}")


def in_words(value: Any) -> str:
    """A value as commands print it: thousands parted, lists and mappings in a row, ``none`` where there is nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {in_words(n)}" for name, n in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def complain(text: str) -> None:
    """Print a line on standard error, its commands with the data directory."""
    click.echo(f"fdpose: {with_data(text)}", err=True)


def with_data(text: str, data: Workspace | None = None) -> str:
    """A text whose commands have the data directory, so that they can be typed as they stand.

    A command is what follows a colon, ``then`` or ``&&``. One that has a ``--data`` keeps it; one that takes none is
    left as it is.

    Parameters
    ----------
    data : the one that the command line gave where not given; without either the text stays as it is
    """
    data = data or click.get_current_context().meta.get(_GIVEN)
    if data is None:
        return text
    option = f" --data {shlex.quote(str(data.root))}"
    return _COMMAND.sub(lambda found: found[0] + option * _takes_data(found[1]), text)


_COMMAND = re.compile(
    r"(?:(?<=: )|(?<=then )|(?<=&& ))fdpose ([a-z]+)\b(?!(?:(?!fdpose ).)* (?:--data|is (?:writing|reading) it) )"
)
"""A command to be typed: not who is at work on something, as errors of locks name them."""


def _takes_data(name: str) -> bool:
    from finediving_pose.cli import main

    command = main.get_command(click.get_current_context(), name) if isinstance(main, click.Group) else None
    return command is not None and any(option.name == "data" for option in command.params)


def device_names(text: str) -> tuple[str, ...]:
    """The devices of a ``--device``, as torch names them.

    ``cuda:0,cuda:1`` names two; ``all`` is every GPU, ``auto`` the first GPU; without a GPU, both are the CPU.
    """
    if text == "auto":
        return device_names("all")[:1]
    if text != "all":
        return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip())) or ("cpu",)
    import torch

    return tuple(f"cuda:{i}" for i in range(torch.cuda.device_count())) or ("cpu",)


def refuse_jobs_with_scheduler(jobs: int | None, scheduler: str | None) -> None:
    """Refuse ``--jobs`` beside ``--scheduler``. Raises UsageError."""
    if scheduler and jobs:
        raise UsageError("--jobs sets local processes, --scheduler uses the workers of a cluster; give only one")


def seen_by_workers(data: Workspace, jobs: int | None, scheduler: str | None) -> Workspace:
    """The data directory as workers of a cluster find it, which have working directories of their own.

    Raises UsageError where both ``--jobs`` and ``--scheduler`` are given.
    """
    refuse_jobs_with_scheduler(jobs, scheduler)
    return Workspace(data.root.absolute()) if scheduler else data


def one_device(text: str) -> str:
    """The device of a ``--device`` that may name only one. Raises UsageError where it names several."""
    device, *others = device_names("auto" if text == "all" else text)
    if others:
        raise UsageError(
            f"fdpose {click.get_current_context().info_name} uses one device;"
            f" give --device {device}, or one of {', '.join(others)}"
        )
    return device
