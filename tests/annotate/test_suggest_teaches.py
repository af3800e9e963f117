"""An estimator learns more from the frames of ``fdpose suggest`` than from random ones: the benchmark, once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from annotate.auto import Machinery, annotate_clips
from annotate.estimators.presets import DEFAULT, resolve
from benchmarks.suggestions import annotated, by_lot, competition, held_apart, in_one_of, learned, suggested
from finediving_pose.labels.table import read_clips

pytestmark = pytest.mark.slow

N, DIVES, UNKNOWN = 12, 48, 1 / 24


@pytest.mark.timeout(2400)
def test_suggested_frames_teach_more_than_random_ones_where_few_dives_are_unknown(tmp_path: Path) -> None:
    """Two dives of 48 are in black and white, which the bundled estimator has never seen.

    The suggestions find them, a random draw of so few frames mostly does not. Two short trainings: minutes.
    """
    pool, truth, grey = competition(tmp_path / "pool", DIVES, 101, UNKNOWN)
    clips, (colour, black_and_white) = read_clips(pool), held_apart(tmp_path, dives=16)
    tests = colour[::2], black_and_white[::2]
    annotate_clips(pool, clips, Machinery(resolve(DEFAULT)))
    ways = {"suggested": suggested(pool, clips, truth, N), "random": by_lot(truth, N, seed=0)}
    unknown = {way: sum(in_one_of(grey, t) for t in frames) for way, frames in ways.items()}
    found = {way: learned(annotated(tmp_path / way, pool, clips, ways[way]), clips, 200, 0, tests) for way in ways}
    print(unknown, found)
    assert unknown["suggested"] >= 2 > unknown["random"]
    known, not_known = np.subtract(found["suggested"], found["random"])
    assert not_known > 0.04, "of what it did not know, it has learned more"
    assert known > -0.03, "and has not forgotten more of what it knew"
