"""How a benchmark begins: what is to be trained, the folder that it gets, and whether that has been begun before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from baselines.registry import EVERY_METHOD, find_method
from baselines.runs.config import CONFIG, RunConfig, read_config, write_config
from baselines.runs.entries import is_run
from baselines.runs.run import new_folder, prepare_run, without_weights
from baselines.runs.study import plan_study, write_study
from baselines.runs.suite import plan_suite, write_suite
from baselines.training import processes
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace
from finediving_pose.writing import writing

LATEST = "latest"
"""In the place of a run's name: go on with the one that is there, or begin it."""
_NAME = re.compile(r"[\w+][\w.+-]{0,99}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Plan:
    """A run, a study or a suite before it has a folder.

    Attributes
    ----------
    what : the method, or ``all``
    trainings : configurations, by the folders that they get within the plan's
    write : writes the plan into its folder
    """

    what: str
    trainings: Mapping[str, RunConfig]
    write: Callable[[Path], object]


def make_plan(
    workspace: Workspace,
    name: str,
    preset: str | None,
    seeds: Sequence[int],
    *,
    study: bool = False,
    ablate: Sequence[str] = (),
    **options: Any,
) -> Plan:
    """What is to be trained. Nothing is written.

    Parameters
    ----------
    name : of a method, or ``all``
    preset : by default ``demo``, or the method's first
    study : make a study of a single seed, too
    ablate : parts of the method to leave out in turn
    options : see :func:`baselines.runs.run.prepare_run`

    Raises
    ------
    PackedError
        The packed file is missing, or can't be trained on.
    UsageError
        A method, a preset, a part, a setting or a weight file does not exist.
    """
    if name == EVERY_METHOD:
        suite, plans = plan_suite(workspace, preset or "demo", seeds, **options)
        trainings = {f"{study}/{m.run}": config for study, plan in plans.items() for m, config in plan}
        return Plan(name, trainings, lambda folder: write_suite(folder, suite, plans))
    method = find_method(name)
    preset = preset or ("demo" if "demo" in method.presets else next(iter(method.presets)))
    if study or ablate:
        planned = plan_study(workspace, method, preset, seeds, ablate, **options)
        return Plan(name, {m.run: config for m, config in planned}, lambda folder: write_study(folder, planned))
    config = prepare_run(workspace, method, preset, seeds[0], **options)
    return Plan(name, {".": config}, lambda folder: write_config(folder, config))


@processes.on_first
def begin(
    workspace: Workspace, planned: Callable[[], Plan], name: str | None = None, go_on: bool = False
) -> tuple[Path, bool]:
    """The folder of a plan under the data directory's runs, and whether it was there before.

    Parameters
    ----------
    planned : gives the plan
    name : of the folder; by default method and time
    go_on : take a folder of this name that is there, if it was begun with the same plan

    Raises
    ------
    UsageError
        The name can't be one, is taken, or is taken by another plan.
    BusyError
        Another process is at work in that folder.
    """
    if name is not None and (not _NAME.fullmatch(name) or name == LATEST):
        raise UsageError(f"--run {name!r}: can't name a run; give letters, digits and _ . + -, such as --run full-1")
    if name is None:
        plan = planned()
        folder = new_folder(workspace, plan.what)
        plan.write(folder)
        return folder, False
    folder = workspace.runs / name
    if is_run(folder) and not go_on:
        raise UsageError(f"{folder}: is there already; go on with it with --resume {LATEST}, or choose another name")
    plan = planned()
    with writing("fdpose benchmark", [folder]):
        if is_run(folder):
            _check_same(folder, plan)
            return folder, True
        folder.mkdir(exist_ok=True)
        plan.write(folder)
        return folder, False


def _check_same(folder: Path, plan: Plan) -> None:
    """Raises UsageError where a folder was begun with other settings."""
    choose = "give the settings that it was begun with, or another --run"
    there = {str(path.parent.relative_to(folder)) for path in folder.rglob(CONFIG)}
    if odd := sorted(there ^ plan.trainings.keys()):
        raise UsageError(f"{folder}: began as something else, with other trainings ({odd[0]}); {choose}")
    for place, config in plan.trainings.items():
        began = dict(_flat(_bare(read_config(folder / place))))
        asked = dict(_flat(_bare(config)))
        for name in [*asked, *began]:
            if began.get(name) != asked.get(name):
                raise UsageError(f"{folder}: began with {name}={began.get(name)}, not {asked.get(name)}; {choose}")


def _bare(config: RunConfig) -> dict[str, Any]:
    """A configuration without the paths that it was made from, which may change."""
    assert config.origin is not None
    sums = {encoder: file["sha256"] for encoder, file in config.origin.weights.items()}
    return asdict(replace(without_weights(config), origin=None)) | {"weights": sums}


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", list(value) if isinstance(value, tuple) else value
