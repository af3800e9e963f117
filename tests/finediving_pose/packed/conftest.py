"""A small data directory with frames, labels and poses, and the file packed from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from finediving_pose.packed.writer import write_packed
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import fill


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Four clips of two videos: poses of one person, of two, corrected by hand, none at all. Not to be changed."""
    return fill(Workspace(tmp_path_factory.mktemp("source") / "data"))


@pytest.fixture
def packed_path(source: Workspace, tmp_path: Path) -> Path:
    """A fresh packed file with a cache."""
    path = tmp_path / "packed.h5"
    write_packed(source, target=path, cache=True)
    return path
