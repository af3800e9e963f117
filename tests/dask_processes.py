"""A Dask scheduler and workers as processes of their own, which can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

_DASK = """
import sys
from distributed.cli import dask_scheduler, dask_worker
{}.main(sys.argv[1:])
"""


def start_scheduler(folder: Path, port: int = 0) -> tuple[subprocess.Popen[str], str]:
    """A scheduler, and its address when it listens there."""
    note = folder / f"scheduler-{time.monotonic_ns()}.json"
    scheduler = _start("dask_scheduler", "--port", str(port), "--no-dashboard", "--scheduler-file", str(note))
    while not (note.exists() and note.read_text().rstrip().endswith("}")):
        assert scheduler.poll() is None
        time.sleep(0.05)
    return scheduler, json.loads(note.read_text())["address"]


def start_worker(address: str, folder: Path) -> subprocess.Popen[str]:
    """A worker of one thread that nobody starts again."""
    how = ("--nthreads", "1", "--no-dashboard", "--no-nanny", "--local-directory", str(folder))
    return _start("dask_worker", address, *how)


def _start(program: str, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _DASK.format(program), *words]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, text=True, env=env)
