"""A small packed competition, for all tests that train on one."""

from __future__ import annotations

import pytest

from finediving_pose.workspace import Workspace
from tests.baselines.small_runs import pack_made_up
from tests.command import fdpose


@pytest.fixture(scope="session")
def competition(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Eight dives of two numbers, packed."""
    folder = tmp_path_factory.mktemp("benchmark")
    data = Workspace(folder / "data")
    numbers = ("--dive-number", "107b", "--dive-number", "205b")
    steps = (
        ("synth", "--out", folder / "synth", "--dives", 8, *numbers),
        ("extract", "--videos", folder / "synth" / "videos", "--labels", folder / "synth" / "labels"),
        ("annotate", "--manual", folder / "synth" / "truth" / "annotations.json"),
        ("merge",),
        ("pack",),
    )
    for command, *words in steps:
        result = fdpose(command, *words, *(() if command == "synth" else ("--data", data.root)))
        assert result.exit_code == 0, result.output
    return data


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Twelve made-up dives of two numbers, packed, in a second; see :func:`tests.baselines.small_runs.pack_made_up`."""
    return pack_made_up(Workspace(tmp_path_factory.mktemp("made-up") / "data"))
