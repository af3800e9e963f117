"""A short run of the kills of ``benchmarks/review.py``."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from benchmarks.review import Worker, once
from finediving_pose.workspace import Workspace
from tests.browser.served import Forks


@pytest.mark.parametrize("whom", ["server", "browser"])
def test_a_kill_loses_no_acknowledged_edit_and_at_most_one_other(
    play: Any, data: Workspace, tmp_path: Path, whom: str
) -> None:
    """What a killed server did not acknowledge is sent to the next one; of a killed browser one key may be lost."""
    luck = random.Random(0)
    with Forks() as forks:
        worker = Worker(play, data, tmp_path / "profile", forks)
        for _ in range(3):
            lost, unacknowledged = once(worker, whom, luck)
            assert lost == 0
            assert unacknowledged <= (whom == "browser")
        assert worker.acknowledged
        worker.context.close()
