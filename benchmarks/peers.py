"""Time of a leaderboard of demo presets: encoders frozen and shared, against each method's encoder trained with it.

Every method that has a demo preset is trained and scored, seed after seed. Shared: methods whose encoder of pictures
can be frozen read features that are computed once, by the first of them, whose time includes that. Separate: the same
with ``training.frozen=false``, the encoder trained from pictures, cropped at random, in each training. Methods without
such an encoder are the same in both and are run once; their time counts on both sides. The packed file is copied, so
that its own features and runs are left alone. Processor time is given beside the clock's, which other programs stretch.

Run: python benchmarks/peers.py --data ./fdpose-demo              # 128 dives, half an hour and more on two cores
     python benchmarks/peers.py --data ./fdpose-demo --seeds 3
     python benchmarks/peers.py --data ./tiny --methods usdl tsa  # some methods
     python benchmarks/peers.py --data ./tiny --epochs 1          # to try it: one epoch each
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baselines.method import Method
from baselines.registry import find_method, list_methods
from baselines.report.page import write_page
from baselines.runs.run import new_run, run
from finediving_pose.progress import console
from finediving_pose.workspace import Workspace, copy_file

SHARED: dict[str, Any] = {"training.frozen": True, "data.train_crop": "centre"}
SEPARATE: dict[str, Any] = {"training.frozen": False, "data.train_crop": "random"}


@dataclass(frozen=True)
class Time:
    """Seconds by the clock and of the processor, children included."""

    clock: float = 0.0
    processor: float = 0.0

    @classmethod
    def now(cls) -> Time:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return cls(time.monotonic(), sum(u.ru_utime + u.ru_stime for u in used))

    def __add__(self, other: Time) -> Time:
        return Time(self.clock + other.clock, self.processor + other.processor)

    def __sub__(self, other: Time) -> Time:
        return Time(self.clock - other.clock, self.processor - other.processor)

    def __str__(self) -> str:
        return f"{self.clock:8.1f} s {self.processor:8.1f} s"


def train(data: Workspace, method: Method, seed: int, epochs: int | None, changes: dict[str, Any]) -> Time:
    """Train, score and write the page."""
    started = Time.now()
    learns = method.sections("demo")["training"]["epochs"] > 0
    folder = new_run(data, method, "demo", seed, epochs=epochs if learns else None, changes=changes)
    run(folder)
    write_page(folder)
    return Time.now() - started


def compare(data: Workspace, methods: list[Method], seeds: int, epochs: int | None) -> None:
    """Print a row a method, and the sums."""
    total = {"shared": Time(), "separate": Time()}
    print(f"{'':16} {'shared: clock':>10}  {'processor':>9}   {'separate: clock':>10}  {'processor':>9}   ratio")
    for method in methods:
        shared = separate = Time()
        for seed in range(seeds):
            if method.encoder:
                shared += train(data, method, seed, epochs, SHARED)
                separate += train(data, method, seed, epochs, SEPARATE)
            else:
                once = train(data, method, seed, epochs, {})
                shared, separate = shared + once, separate + once
        total = {"shared": total["shared"] + shared, "separate": total["separate"] + separate}
        print(f"{method.name:16} {shared}   {separate}   {separate.processor / shared.processor:5.2f}", flush=True)
    shared, separate = total["shared"], total["separate"]
    print(f"{'all':16} {shared}   {separate}   {separate.processor / shared.processor:5.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="Data directory with a packed file.")
    parser.add_argument("--methods", nargs="+", help="Names.  [default: all with a demo preset]")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=None, help="Instead of the presets'.")
    given = parser.parse_args()
    console.quiet = True
    found = [find_method(name) for name in given.methods] if given.methods else list_methods()[0]
    with tempfile.TemporaryDirectory() as folder:
        copy = Workspace(Path(folder))
        copy_file(Workspace(given.data).packed, copy.packed)
        shown = sorted((m for m in found if "demo" in m.presets), key=lambda m: bool(m.encoder))
        compare(copy, shown, given.seeds, given.epochs)  # so imports count on both sides alike


if __name__ == "__main__":
    main()
