"""Two commands at once, of every pair of the commands that write: both are done, or one is told.

The second command is started at a random moment of the first one. Then either both end as they do alone, or exactly one
is told which command is at work, where and since when. Anything else is a fault, and so is anything that was whole
before and can't be read afterwards.

Run: python -m benchmarks.pairs --seed 0
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import combinations_with_replacement
from pathlib import Path

from benchmarks.small_data import import_everything, last_line, make_data, run, shorten_trainings, start, whole

Words = Callable[[Path], list[str]]

COMMANDS: dict[str, Words] = {
    "extract": lambda r: ["extract", "--frames", str(r / "in"), "--jobs", "1", *_data(r)],
    "extract --force": lambda r: ["extract", "--frames", str(r / "in"), "--jobs", "1", "--force", *_data(r)],
    "split": lambda r: ["split", *_data(r)],
    "annotate": lambda r: ["annotate", "--auto", "--device", "cpu", *_data(r)],
    "annotate --force": lambda r: ["annotate", "--auto", "--force", "--device", "cpu", *_data(r)],
    "import anna": lambda r: ["import", str(r / "hand.json"), "--annotator", "anna", "--all", *_data(r)],
    "import bob": lambda r: ["import", str(r / "hand.json"), "--annotator", "bob", "--all", *_data(r)],
    "merge": lambda r: ["merge", *_data(r)],
    "validate": lambda r: ["validate", "--csv", str(r / "findings.csv"), "--jobs", "1", *_data(r)],
    "pack": lambda r: ["pack", "--cache", *_data(r)],
    "export": lambda r: ["export", "yolo", "--out", str(r / "yolo"), *_data(r)],
    "suggest": lambda r: ["suggest", "2", "--device", "cpu", *_data(r)],
    "render": lambda r: ["render", "--out", str(r / "sheets"), *_data(r)],
    "finetune": lambda r: [
        "finetune", "--name", "mine", "--network", "pose", "--steps", "2", "--batch", "2",
        "--device", "cpu", *_data(r),
    ],
    "benchmark": lambda r: ["benchmark", "hpmcr", "--epochs", "1", "--device", "cpu", *_data(r)],
    "synth": lambda r: ["synth", "--out", str(r / "synthetic"), "--dives", "2", "--jobs", "1"],
}  # fmt: skip

ENDS = {"validate": {0, 1}}
"""Exit codes of what ends well: an import leaves validate something to find, poses that are not merged yet."""

TOLD = re.compile(r"fdpose: .*: fdpose [\w -]+ is (writing|reading) it \(process \d+ on .*, since .* UTC\); run this")


def _data(root: Path) -> list[str]:
    return ["--data", str(root / "data")]


def alone(template: Path, names: list[str]) -> dict[str, float]:
    """Seconds that each command takes when nobody disturbs it."""
    found = {}
    for name in names:
        with copied(template) as root:
            started = time.monotonic()
            code = run(COMMANDS[name](root), root / "log")
            found[name] = time.monotonic() - started
            if code not in ENDS.get(name, {0}):
                raise SystemExit(f"{name}: exit code {code} alone: {last_line(root / 'log')}")
    return found


class copied:
    """A copy of a folder that goes when the block ends."""

    def __init__(self, template: Path) -> None:
        self.template = template

    def __enter__(self) -> Path:
        self.folder = tempfile.mkdtemp()
        return Path(shutil.copytree(self.template, Path(self.folder) / "copy"))

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def pair(template: Path, first: str, second: str, delay: float) -> str:
    """What became of two commands of which the second starts ``delay`` seconds after the first."""
    with copied(template) as root:
        before = whole(root)
        logs = [root / "first.log", root / "second.log"]
        one = start(COMMANDS[first](root), logs[0])
        time.sleep(delay)
        two = start(COMMANDS[second](root), logs[1])
        for child in (one, two):
            child.join()
        lost = before - whole(root)
        told = [bool(TOLD.search(last_line(log))) and c.exitcode == 1 for log, c in zip(logs, (one, two), strict=True)]
        done = [c.exitcode in ENDS.get(name, {0}) for name, c in zip((first, second), (one, two), strict=True)]
        if lost:
            return f"FAULT: lost {sorted(lost)[:3]}"
        if sum(told) == 1 and done[not told[1]]:
            return f"{'second' if told[1] else 'first'} told"
        if sum(told) == 0 and all(done):
            return "both done"
        return "FAULT: " + "; ".join(
            f"exit code {c.exitcode}: {last_line(x)}" for c, x in zip((one, two), logs, strict=True)
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", nargs="+", choices=[*COMMANDS], default=[*COMMANDS])
    parser.add_argument("--rounds", type=int, default=1, help="times that each pair is run")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    import_everything()
    shorten_trainings()
    chance, outcomes = random.Random(options.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template"
        make_data(template)
        takes = alone(template, options.commands)
        for first, second in combinations_with_replacement(options.commands, 2):
            for _ in range(options.rounds):
                outcome = pair(template, first, second, 0.8 * takes[first] * chance.random())
                outcomes[outcome.partition(":")[0]] += 1
                print(f"{first:<18}{second:<18}{outcome}", flush=True)
    print("\n" + ", ".join(f"{n} {what}" for what, n in outcomes.most_common()))
    return int("FAULT" in outcomes)


if __name__ == "__main__":
    sys.exit(main())
