"""``fdpose demo``: the whole pipeline on synthetic dives, each step shown as the command that a user would type."""

from __future__ import annotations

import math
import shlex
import time
from pathlib import Path
from typing import Any

import click

from finediving_pose.cli.options import data_option
from finediving_pose.errors import FdposeError
from finediving_pose.workspace import Workspace

DIVE_NUMBERS = ("103b", "301b", "205b", "405b", "107b", "407c", "5253b", "307c")
"""Easy and hard dives, as in FineDiving; few dive numbers, so that each has about a dozen dives to compare with."""


@click.command(epilog="Example: fdpose demo --data ./fdpose-demo")
@data_option
@click.option("--dives", type=click.IntRange(min=24), default=128, show_default=True, help="Number of dives.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the dives and of the training."
)
@click.option(
    "--epochs", type=click.IntRange(min=1), default=None, help="Number of epochs.  [default: as in the preset]"
)
def demo(data: Workspace, dives: int, seed: int, epochs: int | None) -> None:
    """Run the whole pipeline on synthetic dives.

    Makes videos, poses, one packed file, a trained model and a report. Nothing is downloaded. Finished work is kept:
    run the same command again to continue an interrupted demo.
    """
    started = time.monotonic()
    where, at = data.root / "synthetic", f" --data {_q(data.root)}"
    numbers = " ".join(f"--dive-number {n}" for n in DIVE_NUMBERS)
    steps = [
        ("Make a synthetic competition", f"synth --out {_q(where)} --dives {dives} --seed {seed} {numbers}"),
        (
            "Extract the frames of every dive",
            f"extract --videos {_q(where / 'videos')} --labels {_q(where / 'labels')}{at}",
        ),
        ("Estimate poses", f"annotate --auto{at}"),
        ("Read hand poses of some frames", f"annotate --manual {_q(where / 'hand' / 'annotations.json')}{at}"),
        ("Merge hand poses and automatic poses", f"merge{at}"),
        ("Validate the data", f"validate{at}"),
        ("Write one packed file", f"pack --cache{at}"),
        ("Verify the file", f"verify{at}"),
        (
            "Train a model and score the test dives",
            f"benchmark hpmcr --seed {seed}{f' --epochs {epochs}' if epochs else ''}{at}",
        ),
    ]
    for number, (title, line) in enumerate(steps, 1):
        _run(f"{number}/{len(steps)}  {title}", line)
    report = _write_report(data, where)
    minutes = (time.monotonic() - started) / 60
    click.echo(
        f"\nreport  {report.resolve()}\nDone in {minutes:.1f} minutes. Next: your own videos, see docs/quickstart.md."
    )


def _run(title: str, line: str) -> None:
    """Print a step's command and run it in this process; stop the demo where it fails."""
    from finediving_pose.cli import main

    click.secho(f"\n{title}", bold=True)
    click.secho(f"$ fdpose {line}", dim=True)
    code = main.main(shlex.split(line), standalone_mode=False, obj=STEP_OF_DEMO)
    if code:
        raise FdposeError(f"the demo stopped at: fdpose {line} (exit code {code}); see the lines above")


STEP_OF_DEMO = "step of demo"
"""The context's object of commands that the demo runs; they then do not print the next step."""


def _write_report(data: Workspace, where: Path) -> Path:
    from annotate.compare import compare
    from finediving_pose.droppings import entries
    from finediving_pose.labels.table import read_clips
    from finediving_pose.report.html import write_report

    accuracy = compare(data, read_clips(data), where / "truth" / "annotations.json", complete=True)
    table: dict[str, Any] = {
        "frames compared": accuracy.frames,
        "PCKh@0.5": f"{accuracy.pckh:.3f}",
        "95 % interval over the dives": "{:.3f} to {:.3f}".format(*accuracy.pckh_interval or (math.nan, math.nan)),
        "PCKh@0.5, false poses wrong": f"{accuracy.pckh_false_wrong:.3f}",
        "frames with a diver that have no pose": f"{accuracy.missed:,} of {accuracy.frames:,}",
        "frames without a diver that have one": f"{accuracy.false_poses:,} of {accuracy.nobody:,}",
        "PCK@0.2 torso": f"{accuracy.pck_torso:.3f}",
        "OKS AP": f"{accuracy.oks_ap:.3f}",
        "diver found (IoU 0.5)": f"{accuracy.box_found:.3f}",
    } | {name.replace("_", " "): f"{share:.3f}" for name, share in accuracy.by_joint.items()}
    run = max((p for p in entries(data.runs) if p.is_dir()), key=lambda p: p.stat().st_mtime)
    title = "Automatic poses compared with the true poses"
    lowest = min(accuracy.by_joint, key=accuracy.by_joint.__getitem__).replace("_", " ")
    words = f"{accuracy.pckh:.0%} of the joints lie within half a head's length of the truth; the {lowest} is worst."
    return write_report(data, data.reports / "demo.html", run, {title: table}, in_words={title: words})


def _q(path: Path) -> str:
    return shlex.quote(str(path))
