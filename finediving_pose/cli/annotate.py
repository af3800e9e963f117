"""``fdpose annotate``: automatic poses, and poses annotated by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from finediving_pose.cli.options import (
    bf16_option,
    clip_option,
    data_option,
    device_names,
    json_option,
    say,
    scheduler_option,
    seen_by_workers,
    split_option,
)
from finediving_pose.errors import FdposeError, UsageError
from finediving_pose.workspace import Workspace

_ONLY_MANUAL = {"annotator", "everything"}
_BOTH = {"data", "mode_auto", "mode_manual", "files", "clips", "split", "as_json"}
_FILE = click.Path(path_type=Path, dir_okay=False)

_EPILOG = """\b
Examples:
  fdpose annotate --auto --data ./fdpose-data
  fdpose annotate --auto --estimator rtmpose-m --device all --flip-test
  fdpose annotate --manual annotations.json --annotator anna
"""


@click.command(epilog=_EPILOG)
@data_option
@click.option("--auto", "mode_auto", is_flag=True, help="Estimate poses: locate the diver, crop, find 16 joints.")
@click.option("--manual", "mode_manual", is_flag=True, help="Read hand annotations from FILES, as fdpose import does.")
@click.argument("files", nargs=-1, type=_FILE)
@clip_option
@split_option
@click.option(
    "--estimator",
    default=None,
    help="With --auto: name of a bundled, a published or your own estimator.  [default: diver-r18]",
)
@click.option("--config", type=_FILE, help="With --auto: your own top-down mmpose config (with --checkpoint).")
@click.option("--checkpoint", type=_FILE, help="With --auto: the weights for --config.")
@click.option(
    "--detector",
    nargs=2,
    type=_FILE,
    metavar="CONFIG CHECKPOINT",
    help="With --auto: locate the diver with an mmdet detector such as RTMDet; its first class is used.",
)
@click.option(
    "--trust-config", is_flag=True, help="With --auto: run the files of --config and --detector, which are Python code."
)
@click.option(
    "--device",
    default="auto",
    help="With --auto: device as torch names it, e.g. cuda:0; several as cuda:0,cuda:1; or all (GPUs).  "
    "[default: a GPU if there is one]",
)
@bf16_option
@click.option(
    "--engine",
    type=click.Choice(["torch", "openvino"]),
    default="torch",
    show_default=True,
    help="With --auto: what computes the networks; OpenVINO is faster on processors (extra: fdpose[openvino]).",
)
@click.option(
    "--flip-test", is_flag=True, help="With --auto: also estimate the mirrored crop and average; takes twice the time."
)
@click.option(
    "--thorough",
    is_flag=True,
    help="With --auto: average over up to 24 views of every crop, if the estimator is fine-tuned, at 8 times the time.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=None,
    help="With --auto: number of processes.  [default: one per device]",
)
@scheduler_option
@click.option(
    "--presence/--no-presence",
    default=True,
    show_default=True,
    help="With --auto: no pose in frames without a diver; otherwise one in every frame.",
)
@click.option("--smooth/--no-smooth", default=True, show_default=True, help="With --auto: remove jitter, fill gaps.")
@click.option("--force", is_flag=True, help="With --auto: estimate again where automatic poses exist.")
@click.option("--annotator", default="hand", show_default=True, help="With --manual: name of the annotator.")
@click.option(
    "--all", "everything", is_flag=True, help="With --manual: also joints that nobody changed since the export."
)
@json_option
@click.pass_context
def annotate(
    ctx: click.Context, data: Workspace, clips: tuple[str, ...], split: str | None, as_json: bool, **given: Any
) -> None:
    """Estimate poses (--auto) or read hand annotations (--manual).

    Give exactly one of --auto and --manual.
    """
    from finediving_pose.labels.table import read_clips, select

    auto, manual = given["mode_auto"], given["mode_manual"]
    if auto == manual:
        raise UsageError("give exactly one of --auto (estimate poses) and --manual FILE... (read hand annotations)")
    if auto and given["files"]:
        raise UsageError(f"--auto takes no files; did you mean --manual {given['files'][0]}?")
    if manual and not given["files"]:
        raise UsageError("--manual needs annotation files: fdpose annotate --manual FILE...")
    _refuse_options_of_the_other_mode(ctx, auto)
    if manual:
        from finediving_pose.cli.import_ import import_files

        how = {"everything": given["everything"], "as_json": as_json}
        import_files(data, clips, split, given["files"], given["annotator"], None, **how)
        return
    summary, next_step = _auto(data, select(read_clips(data), clips, split), given)
    say(summary, as_json=as_json, next_step=next_step)
    if failed := summary["failed"]:
        without = summary["without_frames"]
        why = f" ({without} have no frames: extract them, then run this command again)" if without else ""
        raise FdposeError(f"{len(failed)} clips were not annotated{why}; first: {failed[0]}")


def _refuse_options_of_the_other_mode(ctx: click.Context, auto: bool) -> None:
    """An option that the mode would ignore is refused now, not noticed after an hour's work."""
    for option in ctx.command.params:
        name = option.name or ""
        typed = ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if not typed or name in _BOTH or auto != (name in _ONLY_MANUAL):
            continue
        wanted, mode = ("--manual", "--auto") if auto else ("--auto", "--manual")
        raise UsageError(f"{option.opts[0]} goes with {wanted}; {mode} does not take it")


def _auto(data: Workspace, clips: list[Any], given: dict[str, Any]) -> tuple[dict[str, Any], str]:
    from dataclasses import replace

    from annotate.auto import Machinery, annotate_clips
    from annotate.estimators.config import check_trust

    data = seen_by_workers(data, given["jobs"], given["scheduler"])
    if given["scheduler"]:
        given |= {name: given[name] and given[name].absolute() for name in ("config", "checkpoint")}
        given["detector"] = given["detector"] and tuple(file.absolute() for file in given["detector"])
    if given["detector"]:
        check_trust(given["detector"][0], given["trust_config"])
    machinery = Machinery(
        replace(_chosen_estimator(data, given), detector=given["detector"]),
        _devices_of_workers(given["device"]) if given["scheduler"] else device_names(given["device"]),
        bf16=given["bf16"],
        engine=given["engine"],
        flip=given["flip_test"],
        thorough=given["thorough"],
        jobs=given["jobs"],
        scheduler=given["scheduler"],
    )
    how = {"force": given["force"], "smoothed": given["smooth"], "presence": given["presence"]}
    summary = annotate_clips(data, clips, machinery, **how)
    return summary.as_dict(), _after_auto(clips)


def _after_auto(clips: list[Any]) -> str:
    """What comes next: of own videos the poses are looked at and measured (docs/own-video.md), a data set's merged."""
    if all(clip.source == "unlabelled" for clip in clips):
        return "fdpose render --video --out videos, then fdpose kinematics"
    return "fdpose merge (after fdpose annotate --manual FILE, if people corrected some frames)"


def _devices_of_workers(text: str) -> tuple[str, ...]:
    """The device of a cluster's workers, which may have others than this machine. Raises UsageError for several."""
    if text == "all" or "," in text:
        raise UsageError(
            f"--device {text}: a worker of a cluster computes on one device; start a worker for each GPU, and leave"
            " --device out, so that each takes its own"
        )
    return (text,)


def _chosen_estimator(data: Workspace, given: dict[str, Any]) -> Any:
    """The preset of --estimator, or the default's locator with --config and --checkpoint."""
    from annotate.estimators.config import check_trust
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
