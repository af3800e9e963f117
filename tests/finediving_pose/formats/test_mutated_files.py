"""Damaged files are refused in one line, or what is left of them comes in (``benchmarks/fuzz_imports.py``, shortly)."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fuzz_imports import fuzz


@pytest.mark.slow
def test_no_damaged_file_ends_in_a_traceback_a_hang_or_an_empty_success(tmp_path: Path) -> None:
    pytest.importorskip("sleap_io")
    counts = fuzz(tmp_path, seed=7, cases=56, keep=tmp_path / "faults")
    assert sum(counts.values()) == 56
    assert {outcome for _, outcome in counts} == {"refused", "taken in"}
