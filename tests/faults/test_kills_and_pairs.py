"""Short runs of ``benchmarks/kills.py`` and ``benchmarks/pairs.py``, with the commands that take a moment."""

from __future__ import annotations

import random
from itertools import combinations_with_replacement
from pathlib import Path

import pytest

from benchmarks.kills import COMMANDS, kill_many
from benchmarks.pairs import alone, pair
from benchmarks.small_data import import_everything, make_data, whole

pytestmark = pytest.mark.slow

SHORT = ["extract --force", "import anna", "merge", "pack"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data directory. Not to be changed."""
    import_everything()
    folder = tmp_path_factory.mktemp("template") / "made"
    make_data(folder)
    return folder


def test_everything_in_the_small_data_directory_is_found_whole(template: Path) -> None:
    found = whole(template)
    assert {"clips.parquet", "frames/cup/0", "frames/meet/2", "finediving_pose.h5"} <= found
    assert {f"poses/manual/anna/cup/0.parquet: {n}" for n in (1, 2, 3)} <= found


@pytest.mark.parametrize("name", ["extract", "import", "merge", "export"])
def test_a_command_that_is_killed_loses_nothing_and_goes_on(tmp_path: Path, name: str) -> None:
    import_everything()
    make_data(tmp_path)
    outcome = kill_many(tmp_path, COMMANDS[name], 3, random.Random(0))
    assert (outcome.kills, outcome.lost, outcome.went_on, outcome.faults) == (3, 0, 3, ())


def test_of_two_commands_at_once_both_are_done_or_one_is_told(template: Path) -> None:
    chance, takes = random.Random(0), alone(template, SHORT)
    found = {
        (first, second): pair(template, first, second, 0.8 * takes[first] * chance.random())
        for first, second in combinations_with_replacement(SHORT, 2)
    }
    assert {names: outcome for names, outcome in found.items() if outcome.startswith("FAULT")} == {}
