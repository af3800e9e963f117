"""``fdpose suggest`` lists frames of dives that are unlike what the estimator knows.

That an estimator learns more from them than from random ones is what benchmarks/suggestions.py measures, by hand.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from annotate.auto import Machinery, annotate_clips
from annotate.estimators.presets import DEFAULT, resolve
from benchmarks.suggestions import competition, in_one_of, suggested
from finediving_pose.labels.table import read_clips

pytestmark = pytest.mark.slow

N, DIVES, UNKNOWN = 8, 20, 1 / 10


@pytest.mark.timeout(900)
def test_suggested_frames_are_of_the_dives_that_the_estimator_has_never_seen_the_like_of(tmp_path: Path) -> None:
    """Two dives of 20 are in black and white; by lot, 0.8 of the 8 frames would be theirs."""
    pool, truth, grey = competition(tmp_path / "pool", DIVES, 101, UNKNOWN)
    clips = read_clips(pool)
    annotate_clips(pool, clips, Machinery(resolve(DEFAULT)))
    frames = suggested(pool, clips, truth, N)
    assert len(grey) == 2
    assert sum(in_one_of(grey, t) for t in frames) >= 3
