"""Clips and stages are as long as FineDiving's: the same mix of dives, quantile by quantile."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from finediving_pose.labels.read import read_labels
from finediving_pose.lexicon import parse_dive_number, stage_of
from finediving_pose.synth.body import Build
from finediving_pose.synth.dive import make_motion
from finediving_pose.synth.faults import dived, lost_points, random_faults

pytestmark = pytest.mark.slow

MARKS = (10, 50, 90)
TOLERANCE = {"clip": (3, 3, 4), "direction": (4, 3, 6), "armstand": (5, 4, 6), "somersaults": (4, 3, 3),
             "twists": (3, 3, 4), "entry": (3, 3, 3)}  # fmt: skip
"""Frames that a quantile may be off, for the 10th, 50th and 90th percentile."""

Lengths = dict[str, list[int]]


def add(lengths: Lengths, stages: list[tuple[int, int]], n_frames: int) -> None:
    starts = [first for _, first in stages]
    lengths["clip"].append(n_frames)
    for (action, _), length in zip(stages, np.diff([*starts, n_frames]), strict=True):
        lengths[stage_of(action).kind].append(int(length))


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Lengths:
    lengths: Lengths = defaultdict(list)
    for c in read_labels(shared_data / "finediving"):
        add(lengths, list(zip(c.sub_actions, (0, *c.stage_starts), strict=True)), c.n_frames or 0)
    return lengths


@pytest.fixture(scope="module")
def ours() -> Lengths:
    """A third of FineDiving's dives, number by number and board by board."""
    rng = np.random.default_rng(0)
    lengths: Lengths = defaultdict(list)
    for row in dived():
        named, height = parse_dive_number(row["dive_number"]), float(row["height_m"])
        for _ in range(-(-int(row["count"]) // 3)):
            faults = random_faults(rng, named, lost_points(named, height, rng))
            m = make_motion(named, height, Build(), faults, rng)
            add(lengths, list(m.stages), m.n_frames)
    return lengths


@pytest.mark.parametrize("kind", TOLERANCE)
def test_quantiles_of_lengths_are_the_real_ones(real: Lengths, ours: Lengths, kind: str) -> None:
    expected, found = (np.percentile(lengths[kind], MARKS) for lengths in (real, ours))
    assert (abs(found - expected) <= TOLERANCE[kind]).all(), f"{kind}: {found} beside {expected}"
