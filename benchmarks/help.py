"""Time until ``fdpose --help`` has answered: under half a second is promised, so that the command line feels at hand.

A figure is the best of the rounds, each in a process of its own; beside it an interpreter that does nothing.

Run: python benchmarks/help.py --rounds 10
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

COMMANDS = {"fdpose --help": ("-m", "finediving_pose.cli", "--help"), "python alone": ("-c", "")}


def seconds(words: tuple[str, ...]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], capture_output=True, check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    for name, words in COMMANDS.items():
        print(f"{name:16} {min(seconds(words) for _ in range(rounds)):.3f} s")


if __name__ == "__main__":
    main()
