"""``fdpose annotate``: poses by machine, by hand, and a better machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from finediving_pose.cli.options import (
    clip_option,
    data_option,
    json_option,
    say,
    scheduler_option,
    split_option,
)
from finediving_pose.errors import FdposeError, UsageError
from finediving_pose.workspace import Workspace

_MODES = (
    "--auto (estimate poses), --manual FILE... (take in hand annotations), --finetune (train the estimator),"
    " --evaluate REFERENCE (compare poses) or --suggest N (frames worth a person's look)"
)
_TAKES = {
    "auto": {"estimator", "config", "checkpoint", "detector", "trust_config", "device", "bf16", "flip_test", "quick",
             "jobs", "scheduler", "smooth", "force"},
    "manual": {"annotator"},
    "finetune": {"estimator", "device", "bf16", "quick", "network", "name", "from_scratch", "steps", "batch",
                 "turn", "seed"},
    "evaluate": {"layer"},
    "suggest": {"out", "device"},
}  # fmt: skip
"""The modes, and the options that not all of them take."""
_file = click.Path(path_type=Path, dir_okay=False)

_EPILOG = """\b
Examples:
  fdpose annotate --auto --data ./fdpose-data
  fdpose annotate --auto --estimator rtmpose-m --device all --flip-test
  fdpose annotate --manual annotations.json --annotator anna
  fdpose annotate --finetune --name mine, then: fdpose annotate --auto --estimator mine --force
  fdpose annotate --evaluate manual/anna --layer auto
  fdpose annotate --suggest 50
"""


@click.command(epilog=_EPILOG)
@data_option
@click.option("--auto", "mode_auto", is_flag=True, help="Estimate poses: locate the diver, crop, find 16 joints.")
@click.option("--manual", "mode_manual", is_flag=True, help="Take in FILES of hand annotations, as fdpose import does.")
@click.option("--finetune", "mode_finetune", is_flag=True, help="Train the estimator on the merged poses.")
@click.option("--evaluate", metavar="REFERENCE",
              help="How near --layer is to a layer (manual/NAME, merged) or a file of true poses.")  # fmt: skip
@click.option("--suggest", type=click.IntRange(min=1), metavar="N",
              help="The N frames that a person should look at next.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False),
              help="With --suggest: write suggestions.csv and suggestions.png here.  [default: reports/]")  # fmt: skip
@click.option("--layer", default="auto", show_default=True, help="With --evaluate: auto, merged or manual/NAME.")
@click.argument("files", nargs=-1, type=_file)
@clip_option
@split_option
@click.option("--estimator", default=None,
              help="Estimator by name: bundled, published or trained here.  [default: diver-r18]")  # fmt: skip
@click.option("--config", type=_file, help="A top-down mmpose config of your own (with --checkpoint).")
@click.option("--checkpoint", type=_file, help="The weights for --config.")
@click.option("--detector", nargs=2, type=_file, metavar="CONFIG CHECKPOINT",
              help="With --auto: find the diver with a detector of mmdet (RTMDet); its first class.")  # fmt: skip
@click.option("--trust-config", is_flag=True, help="Run --config or that of --detector: it is Python code.")
@click.option("--device", default="auto",
              help="As torch names it, e.g. cuda:0; with --auto also cuda:0,cuda:1 or all (GPUs).  "
                   "[default: a GPU if there is one]")  # fmt: skip
@click.option("--bf16/--no-bf16", default=None,
              help="Compute in bfloat16.  [default: where the device has it]")  # fmt: skip
@click.option("--flip-test", is_flag=True, help="With --auto: estimate the mirrored picture, too; twice the time.")
@click.option("--quick", is_flag=True,
              help="Look at every crop once; what --finetune makes looks 24 times, unless given there.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), default=None,
              help="With --auto: processes that share the clips.  [default: one a device]")  # fmt: skip
@scheduler_option
@click.option("--smooth/--no-smooth", default=True, show_default=True, help="With --auto: remove jitter, fill gaps.")
@click.option("--force", is_flag=True, help="With --auto: also clips that have automatic poses already.")
@click.option("--annotator", default="hand", show_default=True, help="With --manual: who placed these joints.")
@click.option("--network", type=click.Choice(["pose", "locator"]), default=None,
              help="With --finetune: only the joints in the diver's box, or only the diver in the frame.  "
                   "[default: both]")  # fmt: skip
@click.option("--name", default=None, help="With --finetune: name of the new estimator.")
@click.option("--from-scratch", is_flag=True, help="With --finetune: start from random weights.")
@click.option("--steps", type=click.IntRange(min=1), default=None,
              help="With --finetune: batches at most, in whole hundreds.  "
                   "[default: 800 for the locator, 1500 for joints]")  # fmt: skip
@click.option("--batch", type=click.IntRange(min=2), default=None,
              help="With --finetune: samples a step.  [default: what the network was made with, 32]")  # fmt: skip
@click.option("--turn", type=click.FloatRange(0, 180), default=None, metavar="DEGREES",
              help="With --finetune: turn the samples of joints by up to so much; less is better for many dives.  "
                   "[default: 180, any angle]")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="With --finetune.")
@json_option
def annotate(data: Workspace, clips: tuple[str, ...], split: str | None, as_json: bool, **given: Any) -> None:
    """Poses: automatic, by hand, training the estimator, and how near one is to another.

    Give exactly one of --auto, --manual, --finetune, --evaluate, --suggest.
    """
    from finediving_pose.labels.table import read_clips, select

    modes = [m for m in _TAKES if given.get(f"mode_{m}") or given.get(m)]
    if len(modes) != 1:
        raise UsageError(f"give exactly one of {_MODES}")
    if given["files"] and modes != ["manual"]:
        raise UsageError(f"--{modes[0]} takes no files; did you mean --manual {given['files'][0]}?")
    _refuse_options_of_other_modes(modes[0])
    if modes[0] in ("evaluate", "finetune"):
        tell = _evaluate if modes == ["evaluate"] else _finetune
        tell(data, select(read_clips(data), clips, split), given, as_json)
        return
    run = {"auto": _auto, "manual": _manual, "suggest": _suggest}[modes[0]]
    summary, next_step = run(data, select(read_clips(data), clips, split), given)
    say(summary, as_json=as_json, next_step=next_step)
    if failed := summary.get("failed"):
        raise FdposeError(f"{len(failed)} clips were not annotated; first: {failed[0]}")


def _refuse_options_of_other_modes(mode: str) -> None:
    """An option that the mode would ignore is a misunderstanding, best told before an hour's work."""
    context = click.get_current_context()
    for option in context.command.params:
        name = option.name or ""
        typed = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        takers = [other for other, names in _TAKES.items() if name in names]
        if typed and takers and mode not in takers:
            raise UsageError(
                f"{option.opts[0]} goes with {' and '.join(f'--{t}' for t in takers)}; --{mode} does not take it"
            )


def _auto(data: Workspace, clips: list[Any], given: dict[str, Any]) -> tuple[dict[str, Any], str]:
    from dataclasses import replace

    from annotate.auto import Machinery, annotate_clips
    from annotate.estimators.mmpose import check_trust

    if given["scheduler"] and given["jobs"]:
        raise UsageError("--jobs counts local processes, --scheduler uses a cluster's workers; give one of the two")
    if given["detector"]:
        check_trust(given["detector"][0], given["trust_config"])
    machinery = Machinery(
        replace(_chosen_estimator(data, given), detector=given["detector"]),
        _devices(given["device"]),
        bf16=given["bf16"],
        flip=given["flip_test"],
        quick=given["quick"],
        jobs=given["jobs"],
        scheduler=given["scheduler"],
    )
    summary = annotate_clips(data, clips, machinery, force=given["force"], smoothed=given["smooth"])
    return summary.as_dict(), "fdpose merge (after fdpose annotate --manual FILE, if people corrected some frames)"


def _chosen_estimator(data: Workspace, given: dict[str, Any]) -> Any:
    """The preset of --estimator, or the default's locator with --config and --checkpoint."""
    from annotate.estimators.mmpose import check_trust
    from annotate.estimators.presets import DEFAULT, Preset, resolve

    config, checkpoint = given["config"], given["checkpoint"]
    if (config is None) != (checkpoint is None):
        raise UsageError("--config and --checkpoint go together")
    if config is None:
        return resolve(given["estimator"] or DEFAULT, data)
    if given["estimator"]:
        raise UsageError("give --estimator NAME, or --config FILE with --checkpoint FILE, not both")
    check_trust(config, given["trust_config"])
    return Preset(checkpoint.stem, checkpoint, resolve(DEFAULT).locator, config)


def _devices(text: str) -> tuple[str, ...]:
    """``cuda:0,cuda:1`` as two; ``all`` as every GPU, ``auto`` as the first; the processor where there is none."""
    if text == "auto":
        return _devices("all")[:1]
    if text != "all":
        return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip())) or ("cpu",)
    import torch

    return tuple(f"cuda:{i}" for i in range(torch.cuda.device_count())) or ("cpu",)


def _one_device(does: str, text: str) -> str:
    device, *others = _devices("auto" if text == "all" else text)
    if others:
        raise UsageError(f"{does} on one device; give --device {device}, or one of {', '.join(others)}")
    return device


def _manual(data: Workspace, clips: list[Any], given: dict[str, Any]) -> tuple[dict[str, Any], str]:
    from annotate.manual import take_in

    if not given["files"]:
        raise UsageError("--manual needs annotation files: fdpose annotate --manual FILE...")
    return take_in(data, clips, given["files"], given["annotator"]), "fdpose merge"


def _finetune(data: Workspace, clips: list[Any], given: dict[str, Any], as_json: bool) -> None:
    from annotate.estimators.mmpose import has_bf16
    from annotate.estimators.presets import DEFAULT
    from annotate.finetune import STEPS, Training, finetune, in_words

    if not given["name"]:
        raise UsageError("--finetune needs --name NAME for the new estimator")
    if given["from_scratch"] and given["estimator"]:
        raise UsageError("--from-scratch starts from random weights; give it or --estimator NAME, not both")
    start = None if given["from_scratch"] else given["estimator"] or DEFAULT
    device = _one_device("--finetune trains", given["device"])
    run_on = {"device": device, "bf16": has_bf16(device) if given["bf16"] is None else given["bf16"]}
    if given["network"] == "locator" and given["turn"] is not None:
        raise UsageError("--turn goes with joints; the locator's samples are not turned, for its boxes are upright")
    summary = {}
    for network, usual in STEPS.items():
        if given["network"] not in (None, network):
            continue
        steps, turn = given["steps"] or usual, given["turn"] if network == "pose" else None
        training = Training(given["name"], network, start, steps, given["seed"], given["batch"], given["quick"], turn)
        summary[network] = finetune(data, clips, training, **run_on)
    shown = summary if as_json else in_words(summary)
    say(shown, as_json=as_json, next_step=f"fdpose annotate --auto --estimator {given['name']} --force")


def _suggest(data: Workspace, clips: list[Any], given: dict[str, Any]) -> tuple[dict[str, Any], str]:
    from annotate.suggest import suggest, write_sheet, write_suggestions

    found = suggest(data, clips, given["suggest"], _one_device("--suggest looks", given["device"]))
    out = given["out"] or data.reports
    summary = {
        "suggested": len(found),
        "clips": len({s.key for s in found}),
        "first": [f"{s.key}/{s.frame:05d}.jpg ({s.why})" for s in found[:3]],
        "csv": str(write_suggestions(out / "suggestions.csv", found)),
        "pictures": str(write_sheet(out / "suggestions.png", data, found)),
    }
    return summary, "fdpose annotate --manual FILE (once they are annotated)"


def _evaluate(data: Workspace, clips: list[Any], given: dict[str, Any], as_json: bool) -> None:
    from dataclasses import asdict

    from annotate.evaluate import evaluate

    accuracy = evaluate(data, clips, given["evaluate"], given["layer"])
    if as_json:
        say({"layer": given["layer"], "reference": given["evaluate"], **asdict(accuracy)}, as_json=True)
        return
    say(
        {
            "layer": given["layer"],
            "reference": given["evaluate"],
            "poses_compared": accuracy.frames,
            "PCKh@0.5": f"{accuracy.pckh:.3f}",
            "PCK@0.2_torso": f"{accuracy.pck_torso:.3f}",
            "OKS_AP": f"{accuracy.oks_ap:.3f}",
            "box_IoU_0.5": f"{accuracy.box_found:.3f}",
        }
    )
    click.echo("\nPCKh@0.5 by joint and by stage")
    say({name: f"{share:.3f}" for name, share in (accuracy.by_joint | accuracy.by_stage).items()})
