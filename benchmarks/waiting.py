"""How long a training step of HD-GCN takes with one thread and with all, that spin or sleep, alone and not alone.

Each is a process of its own, since OpenMP reads how to wait when it is loaded. Figures are seconds a step, the median.

Run: python -m benchmarks.waiting
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STEPS, BATCH = 5, 16
STEP = f"""
import sys, time, statistics, torch
torch.set_num_threads(int(sys.argv[1]))
from baselines.backbones.hdgcn import HDGCN
network, poses, took = HDGCN(2, (16, 16, 32, 32, 64)), torch.randn({BATCH}, 2, 48, 16, 1), []
for _ in range({STEPS} + 1):
    started = time.monotonic()
    network(poses).sum().backward()
    took.append(time.monotonic() - started)
print(statistics.median(took[1:]))
"""


def seconds(threads: int, policy: str) -> float:
    """Seconds of a step."""
    words = [sys.executable, "-c", STEP, str(threads)]
    environment = os.environ | {"OMP_WAIT_POLICY": policy}
    return float(subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout)


@contextmanager
def busy(programs: int) -> Iterator[None]:
    """So many other programs that compute all the time."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(programs)]
    try:
        yield
    finally:
        for other in others:
            other.kill()


def main() -> None:
    cores = os.cpu_count() or 1
    print(f"{'threads':<10}{'waiting':<10}{'alone':>8}{'beside one':>12}{'beside two':>12}")
    for threads, policy in ((1, "ACTIVE"), (cores, "ACTIVE"), (cores, "PASSIVE")):
        row = []
        for programs in range(3):
            with busy(programs):
                row.append(seconds(threads, policy))
        print(f"{threads:<10}{policy.lower():<10}{row[0]:>8.2f}{row[1]:>12.2f}{row[2]:>12.2f}", flush=True)


if __name__ == "__main__":
    main()
