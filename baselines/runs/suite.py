"""A suite: the same preset of every method, each a study of its own, one after the other."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, with_config

from baselines.method import Method
from baselines.registry import list_methods
from baselines.runs.results import is_finished
from baselines.runs.study import PlannedRun, plan_study, run_study, write_study
from baselines.training import processes
from finediving_pose.documents import read_json
from finediving_pose.errors import FdposeError, PackedError, UsageError, first_line
from finediving_pose.packed.reader import open_packed
from finediving_pose.progress import tell
from finediving_pose.workspace import Workspace, atomic_write

PLAN = "suite.json"
ERROR = "error.txt"
"""In the folder of a study that failed where nobody expected it: what Python says of it."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class Suite:
    """Names of the studies inside the suite's folder, one a method; methods that take no part, and why."""

    studies: tuple[str, ...]
    left_out: dict[str, str]


def plan_suite(
    workspace: Workspace, preset: str, seeds: Sequence[int], **options: Any
) -> tuple[Suite, dict[str, list[PlannedRun]]]:
    """A study for each method that has the preset and can read the packed file. Nothing is written.

    ``options`` are those of :func:`baselines.runs.run.prepare_run`, the same for all, but that a method whose preset
    takes no published weights is made without them, and one that has nothing to train without epochs.

    Raises
    ------
    PackedError
        The packed file is missing.
    UsageError
        No method has the preset, or none can take part.
    """
    open_packed(workspace.packed).close()
    methods, left_out = list_methods()
    if not any(preset in method.presets for method in methods):
        known = dict.fromkeys(name for method in methods for name in method.presets)
        raise UsageError(f"no method has a preset {preset!r}; there are {', '.join(known)}")
    plans: dict[str, list[PlannedRun]] = {}
    for method in methods:
        try:
            plans[method.name] = _plan(workspace, method, preset, seeds, options)
        except (PackedError, UsageError) as e:
            left_out[method.name] = str(e)
    if not plans:
        name, reason = next(iter(left_out.items()))
        raise UsageError(f"none of {len(left_out)} methods can take part, such as {name}: {reason}")
    return Suite(tuple(plans), left_out), plans


def write_suite(folder: Path, suite: Suite, plans: Mapping[str, Sequence[PlannedRun]]) -> Path:
    """Make the studies of a suite, and last its plan: a folder that has one has all its studies."""
    for name, plan in plans.items():
        write_study(folder / name, plan)
    with atomic_write(folder / PLAN) as part:
        part.write_text(json.dumps(asdict(suite), indent=2), encoding="utf-8")
    return folder


def _plan(
    workspace: Workspace, method: Method, preset: str, seeds: Sequence[int], options: dict[str, Any]
) -> list[PlannedRun]:
    if preset not in method.presets:
        raise UsageError(f"{method.title} has no preset {preset!r}, but {', '.join(method.presets)}")
    fit = dict(options)
    if not method.presets[preset].published_weights:
        fit["weights"] = None
    if method.sections(preset).get("training", {}).get("epochs") == 0:
        fit["epochs"] = None
    return plan_study(workspace, method, preset, seeds, **fit)


def is_suite(folder: Path) -> bool:
    """Whether the folder holds a suite."""
    return (folder / PLAN).is_file()


def read_suite(folder: Path) -> Suite:
    """The studies of a suite. Raises UsageError where the folder is not one."""
    try:
        suite = TypeAdapter(Suite).validate_python(read_json(folder / PLAN, UsageError))
        if odd := [name for name in suite.studies if Path(name).name != name]:
            raise ValueError(f"its study {odd[0]!r} is no folder in it")
        return suite
    except (UsageError, ValueError) as e:
        raise UsageError(f"{folder}: no suite ({first_line(e)}); start one with: fdpose benchmark all") from e


def run_suite(folder: Path, finish: Callable[[Path], object], *, packed_file: Path | None = None) -> dict[str, str]:
    """Run what is not finished yet, from its last epoch on; a method that fails does not keep the others from theirs.

    Parameters
    ----------
    finish : called with the folder of each finished study
    packed_file : where the packed file is now, if it may have moved

    Returns
    -------
    What went wrong, by method.

    Raises
    ------
    UsageError
        ``folder`` is not a suite.
    BusyError
        Another process is at work on this suite.
    """
    suite = read_suite(folder)
    processes.join()
    failed = {}
    with processes.sole(folder):
        for name, reason in suite.left_out.items():
            tell(f"{name} takes no part: {reason}")
        for n, name in enumerate(suite.studies, 1):
            study = folder / name
            before = ": finished before" if is_finished(study) else ""
            tell(f"method {n} of {len(suite.studies)}: {name}{before}", style="bold")
            if said := _run(study, finish, packed_file):
                failed[name] = said
                tell(f"{name} failed: {said}", style="bold red")
    return failed


def _run(study: Path, finish: Callable[[Path], object], packed_file: Path | None) -> str | None:
    """Bring a study to its end; what went wrong, if something did."""
    try:
        if not is_finished(study):
            run_study(study, packed_file=packed_file)
        finish(study)
    except FdposeError as e:
        _unless_alone(e)
        return str(e)
    except Exception as e:  # whatever the network of a method does: the others are not to suffer
        _unless_alone(e)
        with atomic_write(study / ERROR) as part:
            part.write_text(traceback.format_exc(), encoding="utf-8")
        return f"{type(e).__name__}: {first_line(e)} ({study / ERROR})"
    (study / ERROR).unlink(missing_ok=True)
    return None


def _unless_alone(error: Exception) -> None:
    """Of several processes that train together all have to end: the others wait for the one that failed."""
    if processes.count() > 1:
        raise error
