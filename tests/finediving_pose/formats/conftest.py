"""A data directory of two short labelled clips."""

from __future__ import annotations

import pytest

from finediving_pose.workspace import Workspace
from tests.finediving_pose.formats.made_up import fill, full_tables, write_layer


@pytest.fixture(scope="session")
def framed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Frames and labels; each test writes poses of its own."""
    return fill(Workspace(tmp_path_factory.mktemp("formats") / "data"))


@pytest.fixture
def posed(workspace: Workspace) -> Workspace:
    """Frames, labels, and automatic poses of both clips."""
    fill(workspace)
    write_layer(workspace, full_tables())
    return workspace
