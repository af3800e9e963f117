"""``fdpose compare``: one layer of poses against another, or against a file."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import click

from finediving_pose.cli.options import clip_option, data_option, json_option, say, split_option
from finediving_pose.workspace import Workspace

_EPILOG = """\b
Examples:
  fdpose compare manual/anna
  fdpose compare manual/anna --layer manual/kim
  fdpose compare truth/annotations.json --complete
"""


@click.command(epilog=_EPILOG)
@click.argument("reference")
@data_option
@click.option("--layer", default="auto", show_default=True, help="Layer to measure: auto, merged or manual/NAME.")
@click.option(
    "--complete",
    is_flag=True,
    help="REFERENCE has every diver in every frame of its clips: poses in frames that it does not name are false.",
)
@clip_option
@split_option
@json_option
def compare(
    data: Workspace,
    reference: str,
    layer: str,
    complete: bool,
    clips: tuple[str, ...],
    split: str | None,
    as_json: bool,
) -> None:
    """Measure how well one layer of poses agrees with a reference.

    REFERENCE is a layer (manual/NAME, merged, auto) or a FineDiving-Pose JSON file. Only frames and persons that
    both have are counted. PCKh is also given with false poses, where REFERENCE says that nobody is there, counted as
    wrong.
    """
    from annotate.compare import compare as measure
    from finediving_pose.labels.table import read_clips, select

    accuracy = measure(data, select(read_clips(data), clips, split), reference, layer, complete=complete)
    if as_json:
        say({"layer": layer, "reference": reference, **_without_nan(asdict(accuracy))}, as_json=True)
        return
    say(
        {
            "layer": layer,
            "reference": reference,
            "poses_compared": accuracy.frames,
            "missed_poses": accuracy.missed,
            "false_poses": f"{accuracy.false_poses} where nobody is ({accuracy.nobody} frames and persons)",
            "PCKh@0.5": f"{accuracy.pckh:.3f}",
            **_interval(accuracy.pckh_interval),
            "PCKh@0.5_false_poses_wrong": f"{accuracy.pckh_false_wrong:.3f}",
            "PCK@0.2_torso": f"{accuracy.pck_torso:.3f}",
            "OKS_AP": f"{accuracy.oks_ap:.3f}",
            "box_IoU_0.5": f"{accuracy.box_found:.3f}",
        }
    )
    click.echo("\nPCKh@0.5 by joint and by stage")
    parts = {name: f"{share:.3f}" for name, share in (accuracy.by_joint | accuracy.by_stage).items()}
    say(parts, next_step="fdpose suggest 50 (frames that are most useful to annotate next)")


def _interval(found: tuple[float, float] | None) -> dict[str, str]:
    """A line for the interval, if there are clips enough for one."""
    return {} if found is None else {"95_%_interval": "{:.3f} to {:.3f}, over clips".format(*found)}


def _without_nan(value: Any) -> Any:
    """NaN becomes null, as JSON has it."""
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
