"""The ``fdpose`` command. Each command is a module of this package, imported when it runs."""

from __future__ import annotations

import importlib
from keyword import iskeyword

import click

COMMANDS: dict[str, str] = {
    "synth": "Make a synthetic competition: videos, labels, hand annotations, true poses.",
    "extract": "Cut every dive out of videos or frame folders, frame-exact.",
    "annotate": "Poses: automatic, by hand, and training the estimator.",
    "merge": "Lay hand poses over automatic ones and remember who placed what.",
    "split": "Deal the clips into train and test, by competition.",
    "validate": "Say what is wrong with the data, in words.",
    "pack": "Write everything into one HDF5 file.",
    "verify": "Recompute every digest of a packed file.",
    "info": "Show what a data directory or a packed file holds.",
    "export": "Poses and frames for other tools: COCO, Label Studio, DeepLabCut, YOLO, SLEAP, NWB, HPMCR.",
    "import": "Take in poses that people placed with other tools.",
    "render": "Draw poses over frames as pictures.",
    "benchmark": "Train a model on the packed file and score it.",
    "demo": "All of it, on synthetic dives.",
    "doctor": "What is installed, what is missing, and how to mend it.",
}


class LazyGroup(click.Group):
    """Lists every command with its help line and imports a command's module only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        return getattr(importlib.import_module(f"finediving_pose.cli.{name}"), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        from finediving_pose.errors import FdposeError

        try:
            return super().invoke(ctx)
        except FdposeError as e:
            if ctx.params.get("debug"):
                raise
            click.echo(f"fdpose: {e}", err=True)
            ctx.exit(e.exit_code)
        except KeyboardInterrupt:
            click.echo("fdpose: stopped; what is finished is kept, run the same command again to go on", err=True)
            ctx.exit(130)


@click.command(
    cls=LazyGroup, epilog="Start with: fdpose demo", context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="fdpose", prog_name="fdpose")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Pose-aware action quality assessment of diving: from competition videos to a scored table."""
