"""The ``fdpose`` command. Each command is a module of this package, imported when it runs."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from keyword import iskeyword

import click
from click.shell_completion import CompletionItem

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
"""Threads of a computation wait for each other asleep. Those that spin, as they do by default, take the processor from
the ones that they wait for when other programs run: on a machine with six times the work that it has cores for, a
training step of 3 seconds took 48 (``benchmarks/waiting.py``). Read when torch is loaded."""

GROUPS: dict[str, dict[str, str]] = {
    "Data": {
        "synth": "Make a synthetic competition: videos, labels, hand annotations, true poses.",
        "extract": "Extract the frames of every dive from videos or frame folders.",
        "split": "Divide the clips into train and test, by event.",
        "validate": "Check labels, frames, poses and the packed file.",
        "errata": "Count the known errors of the released labels, check the list, or correct the files.",
        "info": "Show the contents of a data directory or a packed file.",
    },
    "Poses": {
        "annotate": "Estimate poses (--auto) or read hand annotations (--manual).",
        "import": "Read poses that were annotated with other tools.",
        "export": "Write poses and frames for COCO, CSV, CVAT, Label Studio, DeepLabCut, YOLO, SLEAP, NWB, HPMCR.",
        "merge": "Merge hand poses and automatic poses, joint by joint.",
        "compare": "Measure how well one layer of poses agrees with a reference.",
        "suggest": "List the frames that are most useful to annotate next.",
        "review": "Correct poses in the browser.",
        "finetune": "Train an estimator on the merged poses, or on frames that nobody annotated.",
        "render": "Draw poses on frames and write pictures, videos or recordings.",
        "kinematics": "Measure dives: angles, somersaults, flight, entry, each with an error bar.",
    },
    "File": {
        "pack": "Write labels, frames and poses into one HDF5 file.",
        "verify": "Check a packed file against its digests.",
    },
    "Models": {
        "benchmark": "Train a method on the packed file and score the test dives.",
        "evaluate": "Score predictions that another program made.",
        "leaderboard": "Compare all methods that were scored, with spreads and intervals.",
        "score": "Score new dives with a trained scorer.",
        "leakage": "Measure what a split lets one predict of test dives without a look at them.",
    },
    "Start": {
        "demo": "Run the whole pipeline on synthetic dives.",
        "dive": "Measure the dive in one video: poses, overlay video, kinematics, one page.",
        "doctor": "Check the installation and say how to repair it.",
    },
}
"""The commands with their help lines, in the groups and the order of ``fdpose --help``."""

COMMANDS: dict[str, str] = {name: line for group in GROUPS.values() for name, line in group.items()}


class LazyGroup(click.Group):
    """Lists every command with its help line and imports a command's module only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        return getattr(importlib.import_module(f"finediving_pose.cli.{name}"), name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"no such command: {name}{did_you_mean(name, COMMANDS)} (fdpose --help lists the commands)")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, COMMANDS))
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), line) for name, line in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Completes the names of commands without importing their modules."""
        commands = [CompletionItem(name, help=line) for name, line in COMMANDS.items() if name.startswith(incomplete)]
        return commands or click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> object:
        from finediving_pose.errors import FdposeError

        try:
            return super().invoke(ctx)
        except FdposeError as e:
            if ctx.params.get("debug"):
                raise
            from finediving_pose.cli.options import complain

            complain(str(e))
            ctx.exit(e.exit_code)
        except KeyboardInterrupt:
            click.echo("fdpose: stopped; what is finished is kept, run the same command again to go on", err=True)
            ctx.exit(130)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean X or Y?`` with the names that are spelled most like ``name``; empty where none is."""
    from difflib import get_close_matches

    known = list(known)
    near = [k for k in known if k.startswith(name)] or get_close_matches(name, known, n=2)
    return f"; did you mean {' or '.join(near)}?" if near else ""


@click.command(
    cls=LazyGroup, epilog="Start with: fdpose demo", context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="fdpose", prog_name="fdpose")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Pose-aware action quality assessment of diving: from competition videos to predicted scores."""
