"""How long a training step takes with one thread and with all, that spin or sleep, alone and not alone.

Of HD-GCN, whose step is long, and of HPMCR as the demo has it, which is small and trains with one thread
(``training.threads``). Each is a process of its own, since OpenMP reads how to wait when it is loaded. Figures are
seconds a step, the median.

Run: python -m benchmarks.waiting
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STEPS, BATCH = 5, 16
NETWORKS = {
    "HD-GCN": f"""
from baselines.backbones.hdgcn import HDGCN
network, poses = HDGCN(2, (16, 16, 32, 32, 64)), torch.randn({BATCH}, 2, 48, 16, 1)
step = lambda: network(poses).sum().backward()
""",
    "HPMCR demo": f"""
from baselines.data.batch import Batch
from baselines.methods.hpmcr import HPMCRMethod
from baselines.runs.config import make_config
method = HPMCRMethod()
network, n = method.build(make_config(method, "demo", seed=0)), {BATCH}
pairs = torch.tensor([(i, j) for i in range(n) for j in range(i) if i // 8 == j // 8])
batch = Batch(
    video=torch.randn(n, 3, 48, 32, 32), pose=torch.randn(n, 2, 48, 16, 1), transitions=torch.tensor([[5, 24]] * n),
    score=torch.linspace(10, 30, n), query=pairs[:, 0], exemplar=pairs[:, 1],
)
step = lambda: sum(network.loss(batch).values()).backward()
""",
}
MEASURE = f"""
import sys, time, statistics, torch
from finediving_pose.memory import keep_memory
keep_memory()
torch.set_num_threads(int(sys.argv[1]))
exec(sys.argv[2])
took = []
for _ in range({STEPS} + 1):
    started = time.monotonic()
    step()
    took.append(time.monotonic() - started)
print(statistics.median(took[1:]))
"""


def seconds(network: str, threads: int, policy: str) -> float:
    """Seconds of a step."""
    words = [sys.executable, "-c", MEASURE, str(threads), NETWORKS[network]]
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
    print(f"{'network':<12}{'threads':<10}{'waiting':<10}{'alone':>8}{'beside one':>12}{'beside two':>12}")
    for network in NETWORKS:
        for threads, policy in ((1, "ACTIVE"), (cores, "ACTIVE"), (cores, "PASSIVE")):
            row = []
            for programs in range(3):
                with busy(programs):
                    row.append(seconds(network, threads, policy))
            figures = f"{row[0]:>8.2f}{row[1]:>12.2f}{row[2]:>12.2f}"
            print(f"{network:<12}{threads:<10}{policy.lower():<10}{figures}", flush=True)


if __name__ == "__main__":
    main()
