"""Memory that a process keeps for its next array."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from finediving_pose.memory import keep_memory

CODE = """
import resource, sys
import numpy as np
from finediving_pose.memory import keep_memory

if sys.argv[1] == "keep":
    assert keep_memory()

def cleared() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(8_000_000)  # 64 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

cleared()
print(cleared())
"""


def pages_cleared(how: str) -> int:
    told = subprocess.run([sys.executable, "-c", CODE, how], capture_output=True, text=True, check=True)
    return int(told.stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="this C library has no mallopt")
def test_a_second_array_takes_the_pages_of_the_first() -> None:
    """Few pages are cleared for it, where each of ten arrays had all of its own, small or huge, before."""
    assert 10 * pages_cleared("keep") < pages_cleared("give back")


def test_without_mallopt_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not keep_memory()
