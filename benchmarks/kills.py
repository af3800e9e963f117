"""kill -9 in the middle of every command that writes: what was whole stays whole, and the same command goes on.

Each command is killed at random moments, every time in a process of its own, on a small data directory; the moments are
spread over the time that the whole command takes. After each kill everything in the data directory that was whole
before is read again, and then the same command is run to its end (for a training: resumed).

What is whole: a clip's folder whose pictures have the digest of its ``clip.json``; every frame of every pose file; a
checkpoint that loads; a run with its metrics; a packed file that verifies; an export that is as it was recorded.

Run: python -m benchmarks.kills --kills 200 --seed 0
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.small_data import import_everything, kill, last_line, make_data, run, shorten_trainings, start, whole

# -- the commands -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Command:
    """What is killed, the share of the kills that it gets, and how it goes on where that is another command."""

    words: Callable[[Path], list[str]]
    share: int
    go_on: Callable[[Path], list[str]] | None = None


def _data(root: Path) -> list[str]:
    return ["--data", str(root / "data")]


def _resume(root: Path) -> list[str]:
    """The last run that was begun and not finished is resumed."""
    runs = sorted((root / "data" / "runs").glob("[!.]*"), key=lambda p: p.stat().st_mtime)
    begun = [r for r in runs if (r / "config.json").is_file() and not (r / "metrics.json").is_file()]
    if not begun:
        return COMMANDS["benchmark"].words(root)
    return ["benchmark", "--resume", str(begun[-1]), "--device", "cpu", *_data(root)]


COMMANDS = {
    "extract": Command(lambda r: ["extract", "--frames", str(r / "in"), "--force", "--jobs", "1", *_data(r)], 8),
    "annotate": Command(lambda r: ["annotate", "--auto", "--force", "--device", "cpu", *_data(r)], 6),
    "import": Command(lambda r: ["import", str(r / "hand.json"), "--annotator", "anna", "--all", *_data(r)], 8),
    "merge": Command(lambda r: ["merge", *_data(r)], 8),
    "export": Command(lambda r: ["export", "yolo", "--out", str(r / "yolo"), *_data(r)], 6),
    "finetune": Command(
        lambda r: [
            "finetune", "--name", "mine", "--network", "pose", "--steps", "3", "--batch", "2",
            "--device", "cpu", *_data(r),
        ],
        2,
    ),
    "benchmark": Command(
        lambda r: ["benchmark", "hpmcr", "--epochs", "2", "--device", "cpu", *SMALL_TRAINING, *_data(r)], 2, _resume
    ),
}  # fmt: skip
SMALL_TRAINING = ["--set", "training.workers=0", "--set", "data.in_memory=true"]


# -- kills ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command that was killed ``kills`` times: things ``lost``, and how often it ``went_on`` after."""

    kills: int = 0
    lost: int = 0
    went_on: int = 0
    faults: tuple[str, ...] = ()


def kill_many(root: Path, command: Command, kills: int, chance: random.Random) -> Outcome:
    """Kill a command so often, and run it to its end each time."""
    log = root / "log"
    started = time.monotonic()
    code = run(command.words(root), log)
    takes = time.monotonic() - started
    if code:
        return Outcome(faults=(f"exit code {code} without a kill: {last_line(log)}",))
    outcome = Outcome()
    tries = 0
    while outcome.kills < kills and tries < 5 * kills + 20:
        tries += 1
        before = whole(root)
        child, started = start(command.words(root), log), time.monotonic()
        child.join(takes * chance.random())
        waited = time.monotonic() - started
        if not kill(child):
            takes = waited  # the machine has become faster
            continue
        lost = before - whole(root)
        code = run((command.go_on or command.words)(root), log)
        lost |= before - whole(root)
        faults = [f"lost {name}" for name in sorted(lost)[:3]]
        if code:
            faults.append(f"exit code {code} afterwards: {last_line(log)}")
        outcome = replace(
            outcome,
            kills=outcome.kills + 1,
            lost=outcome.lost + len(lost),
            went_on=outcome.went_on + (code == 0),
            faults=(*outcome.faults, *faults),
        )
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="over all commands")
    parser.add_argument("--commands", nargs="+", choices=[*COMMANDS], default=[*COMMANDS])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    import_everything()
    shorten_trainings()
    shares = sum(COMMANDS[name].share for name in options.commands)
    chance = random.Random(options.seed)
    faulty = False
    print(f"{'command':<12}{'kills':>7}{'lost':>7}{'went on':>9}{'seconds':>9}", flush=True)
    for name in options.commands:
        command = COMMANDS[name]
        with tempfile.TemporaryDirectory() as folder:
            sys.stderr.flush()
            make_data(Path(folder))
            started = time.monotonic()
            kills = max(1, round(options.kills * command.share / shares))
            outcome = kill_many(Path(folder), command, kills, chance)
        seconds = time.monotonic() - started
        print(f"{name:<12}{outcome.kills:>7}{outcome.lost:>7}{outcome.went_on:>9}{seconds:>9.0f}", flush=True)
        for fault in outcome.faults[:5]:
            print(f"  FAULT: {fault}", flush=True)
        faulty = faulty or bool(outcome.faults) or outcome.kills < kills
    return int(faulty)


if __name__ == "__main__":
    sys.exit(main())
