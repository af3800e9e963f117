"""A training whose folder is taken away, by a person or by a disk that ends."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time

import pytest

from finediving_pose.workspace import Workspace
from tests.baselines.small_runs import SMALL_DATA, pack_made_up

pytestmark = pytest.mark.slow


def test_a_training_whose_folder_is_removed_ends_in_one_line(workspace: Workspace) -> None:
    pack_made_up(workspace)
    small = [word for key, value in SMALL_DATA.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    words = ("benchmark", "core", "--preset", "demo", "--epochs", "500", "--run", "gone", *small)
    process = subprocess.Popen(
        [sys.executable, "-m", "finediving_pose.cli", *words, "--data", str(workspace.root)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    run = workspace.root / "runs" / "gone"
    while not list(run.glob("epoch_*.pth")) and process.poll() is None:
        time.sleep(0.1)
    shutil.rmtree(run, ignore_errors=True)
    try:
        said = process.communicate(timeout=100)[1]
    finally:
        process.kill()
    assert process.returncode == 1, said
    assert "Traceback" not in said
    last = said.splitlines()[-1]
    assert last.startswith(f"fdpose: {run}") and "No such file or directory" in last
