"""A tiny competition that several tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from finediving_pose.synth.competition import make_competition
from tests.finediving_pose.synth.made_up import TINY


@pytest.fixture(scope="session")
def competition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight dives of two numbers, from 10 m and from 3 m."""
    out = tmp_path_factory.mktemp("synth") / "competition"
    make_competition(out, dives=8, seed=3, dive_numbers=TINY, jobs=2)
    return out
