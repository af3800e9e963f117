"""``fdpose finetune``: train an estimator on the merged poses."""

from __future__ import annotations

from typing import Any

import click

from finediving_pose.cli.options import (
    bf16_option,
    clip_option,
    data_option,
    device_option,
    json_option,
    one_device,
    say,
    split_option,
)
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace

_EPILOG = """\b
Examples:
  fdpose finetune --name mine
  fdpose finetune --name mine --unlabelled
  fdpose finetune --name mine --network pose --steps 3000 --device cuda:0
  fdpose annotate --auto --estimator mine --force
"""


@click.command(epilog=_EPILOG)
@data_option
@click.option("--name", required=True, help="Name of the new estimator; a folder under estimators/ of --data.")
@click.option(
    "--network",
    type=click.Choice(["pose", "locator"]),
    default=None,
    help="Train only one of the networks: pose finds the joints in a crop, locator finds the diver in the "
    "frame.  [default: both]",
)
@click.option("--estimator", default=None, help="Estimator to start from.  [default: diver-r18]")
@click.option("--from-scratch", is_flag=True, help="Start from random weights.")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=None,
    help="Maximum number of steps (batches), rounded up to hundreds.  "
    "[default: locator 800, pose 1500, with --unlabelled 1000]",
)
@click.option(
    "--batch",
    type=click.IntRange(min=2),
    default=None,
    help="Frames per step.  [default: as in the network's configuration, 32]",
)
@click.option(
    "--turn",
    type=click.FloatRange(0, 180),
    default=None,
    metavar="DEGREES",
    help="Rotate training frames of the pose network by up to this angle; a smaller angle suits many dives.  "
    "[default: 180, any angle]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the held-out clips, the weights and the order of the frames.",
)
@click.option(
    "--unlabelled",
    is_flag=True,
    help="Adapt the pose network to frames without joints placed by hand: it learns from its own consistent poses.",
)
@device_option
@bf16_option
@clip_option
@split_option
@json_option
def finetune(
    data: Workspace,
    name: str,
    network: str | None,
    estimator: str | None,
    from_scratch: bool,
    steps: int | None,
    batch: int | None,
    turn: float | None,
    seed: int,
    unlabelled: bool,
    device: str,
    bf16: bool | None,
    clips: tuple[str, ...],
    split: str | None,
    as_json: bool,
) -> None:
    """Train an estimator on the merged poses, or on frames that nobody annotated.

    Some clips are held out where there are enough; the figures before and after are measured on them.
    A stopped training continues when the same command is run again.
    """
    from annotate.estimators.device import has_bf16
    from annotate.estimators.presets import DEFAULT
    from annotate.training.finetune import finetune as train
    from annotate.training.measure import in_words
    from annotate.training.plan import STEPS, STEPS_UNLABELLED, FinetunePlan
    from finediving_pose.labels.table import read_clips, select

    if from_scratch and estimator:
        raise UsageError("--from-scratch starts from random weights; give it or --estimator NAME, not both")
    if network == "locator" and turn is not None:
        raise UsageError(
            "--turn goes with --network pose; frames of the locator are not rotated: its boxes are upright"
        )
    chosen = select(read_clips(data), clips, split)
    start = None if from_scratch else estimator or DEFAULT
    where = one_device(device)
    computing: dict[str, Any] = {"device": where, "bf16": has_bf16(where) if bf16 is None else bf16}
    summary, wanted = {}, network or ("pose" if unlabelled else None)
    for part, usual in STEPS.items():
        if wanted not in (None, part):
            continue
        angle = turn if part == "pose" else None
        most = steps or (STEPS_UNLABELLED if unlabelled else usual)
        plan = FinetunePlan(name, part, start, most, seed, batch, angle, unlabelled)
        summary[part] = train(data, chosen, plan, **computing)
    shown = summary if as_json else in_words(summary)
    look = "--thorough " if unlabelled else ""  # one look is not taught without labels
    say(shown, as_json=as_json, next_step=f"fdpose annotate --auto --estimator {name} {look}--force")
