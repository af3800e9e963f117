"""A lab's first week with FineDiving, on synthetic dives of its shape: every step as a command, timed and measured.

Steps, in their order: see :func:`steps`. Each is measured with everything that it starts: seconds, processor seconds,
the most memory in use at once (resident, sampled ten times a second), bytes that it left in the folder. With ``--kill``
every step is killed (SIGKILL, with all that it started) once, at a random moment of its first half minute, and then run
again to its end. What is finished is written down, so that the same command goes on after it was stopped itself.

``--fit`` puts several sizes side by side: the exponent of seconds and of memory over the number of dives. ``--plan``
computes what 3000 dives take of processors: steps that grow with the dives are multiplied, those that work clip by clip
are divided by the cores, everything else stays as it was measured. Waiting for disks comes on top.

    python -m benchmarks.rehearsal WORK --dives 300
    python -m benchmarks.rehearsal --fit WORK-300 WORK-1000 WORK-3000
    python -m benchmarks.rehearsal --plan WORK-300
"""

from __future__ import annotations

import csv
import json
import os
import platform
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import click
import numpy as np
import psutil
from rich import box
from rich.console import Console
from rich.table import Table

from finediving_pose.documents import read_json
from finediving_pose.errors import FdposeError
from finediving_pose.workspace import atomic_write

FDPOSE = (sys.executable, "-m", "finediving_pose.cli")
SUGGESTED = 200
PACKED = "finediving_pose.h5"
FORMATS = ("official", "hpmcr", "coco", "csv", "cvat", "labelstudio", "dlc", "yolo", "slp", "huggingface")
WIDTH = (
    *("--set", "model.i3d.width=0.125", "--set", "data.resize=[100,56]", "--set", "data.crop=56"),
    *("--set", "training.accumulate=8", "--set", "training.workers=0"),
)
"""Of ``full`` here, on a tenth of the videos: an eighth of I3D's width, a quarter of the pictures' area, one pair at
once, and no processes that load."""
EVERY = 0.1
"""Seconds between two looks at the memory."""
KILLED_WITHIN = 30.0
"""Seconds after its start within which a step is killed."""

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A command of the week, or a function in its place where a person would be at work; exit codes that are fine.

    ``grows``: with the number of dives. ``divides``: among cores and machines, clip by clip.
    """

    name: str
    command: Command | Callable[[], None]
    fine: tuple[int, ...] = (0,)
    grows: bool = True
    divides: bool = True


@dataclass(slots=True)
class Measured:
    """What a step took, the run that was killed included in the seconds.

    ``killed_after`` is in seconds, None where it was not killed, or had ended before.
    """

    step: str
    seconds: float
    cpu_seconds: float
    memory: int
    disk: int
    killed_after: float | None = None


def steps(work: Path, dives: int, seed: int, teaching: int | None = None) -> list[Step]:
    """The week on ``dives`` dives in ``work``; ``teaching``: steps of fine-tuning, where not as many as usual."""
    made, data = work / "synthetic", work / "data"
    corrected, out, suggested = work / "corrected.json", work / "export", data / "reports" / "suggestions.csv"

    def fdpose(*words: str | Path, at: Path = data) -> Command:
        return (*FDPOSE, *map(str, words), "--data", str(at))

    labels, videos = ("--labels", made / "labels"), ("--videos", made / "videos")
    tenth = work / "tenth"
    again = ("--run", "week", "--resume", "latest", "--device", "cpu")
    full = ("--preset", "full", "--epochs", "1", *WIDTH, "--exemplar-fallback", "difficulty", *again)
    short = ("--steps", str(teaching)) if teaching else ()
    once = partial(Step, grows=False, divides=False)
    test_dives = ("--split", "test", "--exemplar-fallback", "difficulty")
    shape = ("--like", "finediving", "--dives", str(dives), "--seed", str(seed))
    return [
        Step("synth", (*FDPOSE, "synth", "--out", str(made), *shape)),
        Step("extract", fdpose("extract", *labels, *videos)),
        Step("validate", fdpose("validate"), fine=(0, 1)),  # the labels have errors
        Step("annotate", fdpose("annotate", "--auto", "--device", "cpu")),
        Step("suggest", fdpose("suggest", str(SUGGESTED), "--device", "cpu"), divides=False),
        once("correct", lambda: _correct(made, data, corrected)),
        once("import", fdpose("annotate", "--manual", corrected, "--annotator", "truth")),
        Step("merge", fdpose("merge")),
        once("finetune", fdpose("finetune", "--name", "rehearsal", *short, "--device", "cpu")),
        Step("annotate again", fdpose("annotate", "--auto", "--force", "--estimator", "rehearsal", "--device", "cpu")),
        Step("merge again", fdpose("merge")),
        Step("pack", fdpose("pack", "--cache"), divides=False),
        Step("verify", fdpose("verify")),
        *(Step(f"export {name}", fdpose("export", name, "--out", out / name), divides=False) for name in FORMATS),
        once("export nwb", fdpose("export", "nwb", "--out", out / "nwb", "--frames", suggested)),
        Step("kinematics", fdpose("kinematics")),
        Step("pack a tenth", fdpose("pack", "--cache", "--out", tenth / PACKED, *_a_tenth(made)), divides=False),
        Step("full, an epoch", fdpose("benchmark", "hpmcr", *full, at=tenth), divides=False),
        Step("demo leaderboard", fdpose("benchmark", "all", "--preset", "demo", *again), divides=False),
        once("leaderboard", fdpose("leaderboard", "--report", work / "leaderboard.html")),
        Step("score", fdpose("score", *test_dives), fine=(0, 1), divides=False),  # some have no poses
    ]


def _a_tenth(made: Path) -> list[str]:
    """``--clip`` for every tenth video, once the labels are there."""
    videos = sorted(p.stem for p in (made / "videos").glob("*.mp4"))
    return [word for video in videos[::10] for word in ("--clip", video)]


def _correct(made: Path, data: Path, target: Path) -> None:
    """What a person would do, without a mistake: the true joints of the suggested frames."""
    with open(data / "reports" / "suggestions.csv", encoding="utf-8", newline="") as file:
        wanted = {row["image"] for row in csv.DictReader(file)}
    truth = read_json(made / "truth" / "annotations.json", FdposeError)
    with atomic_write(target) as part:
        part.write_text(json.dumps([entry for entry in truth if entry["image"] in wanted]), encoding="utf-8")


# -- measuring ------------------------------------------------------------------------------------------------------


def measure(step: Step, work: Path, log: Path, kill_after: float | None) -> Measured:
    """Run a step to its end, killing it first where asked. Raises FdposeError where it fails."""
    before, started = _bytes_in(work), time.monotonic()
    if callable(step.command):
        step.command()
        return Measured(step.name, time.monotonic() - started, 0.0, 0, _bytes_in(work) - before)
    cpu, peak, killed = 0.0, 0, None
    if kill_after is not None:
        code, cpu, peak = _run(step.command, log, kill_after)
        killed = round(kill_after, 1) if code == -signal.SIGKILL else None
    if kill_after is None or killed is not None:
        code, more, most = _run(step.command, log, None)
        cpu, peak = cpu + more, max(peak, most)
    if code not in step.fine:
        raise FdposeError(f"{step.name}: ended with {code}; its output is in {log}; mend that and run the same again")
    return Measured(step.name, time.monotonic() - started, cpu, peak, _bytes_in(work) - before, killed)


def _run(command: Command, log: Path, kill_after: float | None) -> tuple[int, float, int]:
    """Exit code, processor seconds and the most memory of a command with all that it starts."""
    with open(log, "ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    watch = _Watch(process.pid)
    killer = threading.Timer(kill_after, _kill_all, [process.pid]) if kill_after is not None else None
    if killer:
        killer.start()
    _, status, used = os.wait4(process.pid, 0)
    if killer:
        killer.cancel()
    _kill_all(process.pid)  # whoever outlived a kill
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, watch.stop()


def _kill_all(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


class _Watch:
    """The most resident memory at once of a process and all below it, bytes."""

    def __init__(self, pid: int) -> None:
        self.peak, self._ended = 0, threading.Event()
        self._thread = threading.Thread(target=self._look, args=[psutil.Process(pid)], daemon=True)
        self._thread.start()

    def _look(self, process: psutil.Process) -> None:
        while not self._ended.wait(EVERY):
            total = 0
            with suppress(psutil.Error):
                for each in (process, *process.children(recursive=True)):
                    with suppress(psutil.Error):
                        total += each.memory_info().rss
            self.peak = max(self.peak, total)

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self.peak


def _bytes_in(folder: Path) -> int:
    """Bytes of all files below, a file with several names once."""
    seen: dict[tuple[int, int], int] = {}
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                found = (Path(root) / name).lstat()
                seen[found.st_dev, found.st_ino] = found.st_size
    return sum(seen.values())


def write_down(note: Path, dives: int, seed: int, measured: Sequence[Measured]) -> None:
    """What is measured so far, for going on from and for :func:`fit` and :func:`plan`."""
    told = {"dives": dives, "seed": seed, "measured": [asdict(m) for m in measured]}
    with atomic_write(note) as part:
        part.write_text(json.dumps(told, indent=1), encoding="utf-8")


# -- tables ---------------------------------------------------------------------------------------------------------


def _table(title: str, *columns: str) -> Table:
    """A table that is Markdown as it stands."""
    table = Table("step", title=title, title_justify="left", box=box.MARKDOWN)
    for name in columns:
        table.add_column(name, justify="right")
    return table


def show(measured: Sequence[Measured], dives: int) -> None:
    """Print a table of one rehearsal."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    columns = "wall s", "cpu s", "memory MB", "disk MB", "killed after s"
    table = _table(f"{dives} dives, {machine}", *columns)
    for m in measured:
        killed = "" if m.killed_after is None else f"{m.killed_after:.0f}"
        numbers = f"{m.seconds:.1f}", f"{m.cpu_seconds:.1f}", f"{m.memory / 1e6:.0f}", f"{m.disk / 1e6:.1f}"
        table.add_row(m.step, *numbers, killed)
    Console(width=100).print(table)


def fit(folders: Sequence[Path]) -> None:
    """Print how seconds and memory of each step grow with the dives: the slope of logarithms."""
    told = [read_json(folder / "rehearsal.json", FdposeError) for folder in folders]
    dives = np.log([t["dives"] for t in told])
    sizes = ", ".join(str(t["dives"]) for t in told)
    table = _table(f"exponents over {sizes} dives", "processor seconds", "memory")
    of_step = [{m["step"]: m for m in t["measured"]} for t in told]
    for name in of_step[0]:
        if all(name in each and each[name]["memory"] for each in of_step):
            logs = [np.log([max(each[name][what], 1e-3) for each in of_step]) for what in ("cpu_seconds", "memory")]
            table.add_row(name, *(f"{np.polyfit(dives, log, 1)[0]:.2f}" for log in logs))
    Console(width=100).print(table)


FINEDIVING = 3000
"""Dives of the data set."""
CORES = {"2 cores": 2, "16 cores": 16, "8 x 16 cores": 128}


def plan(folder: Path) -> None:
    """Print hours and disk for all of FineDiving, computed from one rehearsal."""
    told = read_json(folder / "rehearsal.json", FdposeError)
    week = {step.name: step for step in steps(folder, told["dives"], told["seed"])}
    table = _table(f"{FINEDIVING} dives, computed from {told['dives']}", *CORES, "memory MB", "disk GB")
    total = dict.fromkeys(CORES, 0.0)
    for m in (Measured(**m) for m in told["measured"]):
        times = FINEDIVING / told["dives"] if week[m.step].grows else 1.0
        work = m.cpu_seconds or m.seconds  # what other programs took from the clock does not count
        hours = {name: work * times / (n if week[m.step].divides else 1) / 3600 for name, n in CORES.items()}
        total = {name: total[name] + hours[name] for name in CORES}
        memory, disk = f"{m.memory / 1e6:.0f}", f"{m.disk * times / 1e9:.1f}"
        table.add_row(m.step, *(in_hours(h) for h in hours.values()), memory, disk)
    table.add_row("all", *(in_hours(h) for h in total.values()), "", "")
    Console(width=100).print(table)


def in_hours(hours: float) -> str:
    """``2.3 h``, or ``4 min`` below an hour."""
    return f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.0f} min" if hours > 1 / 60 else "< 1 min"


def _next(week: Sequence[Step], measured: Sequence[Measured]) -> Step | None:
    """The first step that was not measured yet."""
    done = {m.step for m in measured}
    return next((step for step in week if step.name not in done), None)


@click.command(help=__doc__)
@click.argument("work", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--dives", type=click.IntRange(min=20), default=3000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--steps", "teaching", type=int, default=None, help="Of fine-tuning, fewer than usual.")
@click.option("--until", default=None, help="Name of the step after which to stop.")
@click.option("--kill", is_flag=True, help="Kill every step once.")
@click.option("--fit", "side_by_side", is_flag=True, help="Compare the rehearsals in these folders.")
@click.option("--plan", "computed", is_flag=True, help="Compute all of FineDiving from the rehearsal in this folder.")
def main(
    work: tuple[Path, ...], dives: int, seed: int, teaching: int | None, until: str | None, kill: bool,
    side_by_side: bool, computed: bool,
) -> None:  # fmt: skip
    if side_by_side:
        fit(work)
        return
    (folder,) = work
    if computed:
        plan(folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "rehearsal.json"
    told = read_json(note, FdposeError) if note.is_file() else {"dives": dives, "seed": seed, "measured": []}
    if (told["dives"], told["seed"]) != (dives, seed):
        raise click.UsageError(f"{folder} holds a rehearsal of {told['dives']} dives, seed {told['seed']}")
    measured = [Measured(**m) for m in told["measured"]]
    luck = random.Random(len(measured) + seed)
    while step := _next(
        steps(folder, dives, seed, teaching), measured
    ):  # made anew, as steps name what is there by then
        click.echo(f"{step.name} ...")
        after = luck.uniform(1.0, KILLED_WITHIN) if kill else None
        measured.append(measure(step, folder, folder / "rehearsal.log", after))
        write_down(note, dives, seed, measured)
        if step.name == until:
            break
    show(measured, dives)


if __name__ == "__main__":
    main()
