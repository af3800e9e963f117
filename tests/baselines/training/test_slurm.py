"""What torch is told of tasks that srun started."""

from __future__ import annotations

import pytest

from baselines.training.slurm import first_host, rendezvous
from finediving_pose.errors import UsageError

TASK = {
    "SLURM_JOB_ID": "4711",
    "SLURM_STEP_ID": "2",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_NTASKS": "4",
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "1",
    "SLURM_STEP_NODELIST": "gpu[03-04]",
}


def test_a_task_of_srun_is_a_process_of_one_training() -> None:
    found = rendezvous(TASK)
    assert (found["RANK"], found["WORLD_SIZE"], found["LOCAL_RANK"], found["MASTER_ADDR"]) == ("3", "4", "1", "gpu03")
    assert 20000 <= int(found["MASTER_PORT"]) < 32000
    assert rendezvous(TASK | {"SLURM_PROCID": "0"})["MASTER_PORT"] == found["MASTER_PORT"]
    assert rendezvous(TASK | {"SLURM_STEP_ID": "3"})["MASTER_PORT"] != found["MASTER_PORT"]
    assert rendezvous(TASK | {"MASTER_ADDR": "other", "MASTER_PORT": "5"}) == found | {
        "MASTER_ADDR": "other", "MASTER_PORT": "5",
    }  # fmt: skip


@pytest.mark.parametrize(
    "environment",
    [
        {},
        TASK | {"RANK": "0", "WORLD_SIZE": "2"},
        TASK | {"SLURM_STEP_NUM_TASKS": "1"},
        {"SLURM_PROCID": "0", "SLURM_NTASKS": "1"},
        {"SLURM_NTASKS": "4"},
    ],
)
def test_one_process_and_those_of_torchrun_are_left_alone(environment: dict[str, str]) -> None:
    assert rendezvous(environment) == {}


def test_tasks_that_srun_did_not_start_are_told() -> None:
    with pytest.raises(UsageError, match=r"has 4 tasks \(SLURM_NTASKS\).*write srun before fdpose"):
        rendezvous({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"})


@pytest.mark.parametrize(
    ("nodes", "host"),
    [("node1", "node1"), ("a,b", "a"), ("gpu[03-05,9],cpu1", "gpu03"), ("n[1,3]-ib", "n1-ib"), ("", "")],
)
def test_the_first_host_of_a_list(nodes: str, host: str) -> None:
    assert first_host(nodes) == host
