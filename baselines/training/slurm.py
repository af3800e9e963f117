"""Tasks that srun started, as torch wants to be told of them; torchrun is not needed then."""

from __future__ import annotations

import re
from collections.abc import Mapping

from finediving_pose.errors import UsageError

FIRST_PORT = 20000
PORTS = 12000
"""Ports from 20000 on, below those that Linux gives away by itself (32768)."""


def rendezvous(environment: Mapping[str, str]) -> dict[str, str]:
    """RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT of a task of srun; nothing where there is one task.

    Nothing, too, where torchrun or somebody else has set them. The port follows from the numbers of job and step.

    Raises
    ------
    UsageError
        SLURM has several tasks for this job and srun did not start them: this process is alone, and would wait.
    """
    tasks = environment.get("SLURM_STEP_NUM_TASKS")
    if "RANK" in environment or "SLURM_PROCID" not in environment:
        return {}
    if tasks is None:
        asked = environment.get("SLURM_NTASKS", "1")
        if asked == "1":
            return {}
        raise UsageError(
            f"this SLURM job has {asked} tasks (SLURM_NTASKS), and this process is one that srun did not start: write"
            " srun before fdpose, and the tasks train together; or ask for one task (--ntasks=1), and use torchrun for"
            " several GPUs"
        )
    if tasks == "1":
        return {}
    nodes = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_JOB_NODELIST", "")
    job, step = (int(environment.get(name, "0")) for name in ("SLURM_JOB_ID", "SLURM_STEP_ID"))
    found = {
        "RANK": environment["SLURM_PROCID"],
        "WORLD_SIZE": tasks,
        "LOCAL_RANK": environment.get("SLURM_LOCALID", "0"),
        "MASTER_ADDR": first_host(nodes) or "127.0.0.1",
        "MASTER_PORT": str(FIRST_PORT + (job * 7 + step) % PORTS),
    }
    return {name: environment.get(name, value) for name, value in found.items()}


def first_host(nodes: str) -> str:
    """The first host of a list as SLURM writes it: ``gpu[03-05,9],cpu1`` gives ``gpu03``."""
    name = re.match(r"([^\[,]*)(?:\[(\d+)[^\]]*\]([^,\[]*))?", nodes)
    return "".join(part or "" for part in name.groups()) if name else ""
