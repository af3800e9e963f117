"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from finediving_pose.workspace import Workspace

# how long an example takes says something of the machine, nothing of the code
settings.register_profile("fdpose", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fdpose")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real FineDiving labels and example frames, beside the checkout; the test is skipped where they are absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"no real FineDiving material in {folder}")
    return folder


@pytest.fixture(scope="session")
def shared_method() -> Path:
    """Parity fixtures of the reference code, beside the checkout; the test is skipped where they are absent."""
    folder = SHARED / "method" / "fixtures"
    if not folder.is_dir():
        pytest.skip(f"no parity fixtures in {folder}")
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty data directory."""
    return Workspace(tmp_path / "data")
