"""Rules on where the poses of a clip say that a diver is, and where nobody."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from finediving_pose.frames import frame_name
from finediving_pose.validate.layer_poses import LayerPoses
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import counted


@rule("pose.nobody", severity="warning")
def somebody_dives(layer: LayerPoses) -> Iterator[Finding]:
    """Some frame of a clip shows a diver.

    The clip was annotated, and nobody was found in any of its frames: its range may be wrong, or the diver too small
    for the estimator.
    """
    if layer.poses is not None and len(layer.poses) and not layer.present.any():
        yield layer.finding("no diver in any frame", int(layer.poses.frame[0]), 0, "a diver")


@rule("pose.presence", severity="warning")
def a_diver_comes_and_goes_once(layer: LayerPoses) -> Iterator[Finding]:
    """A diver enters the picture once and leaves it once.

    A diver who is there, is gone, and is there again was lost in between, was left out by mistake, or dives again: a
    replay after a camera cut, or a second dive in one clip. Frames of which the layer says nothing are not counted.
    """
    if layer.poses is None:
        return
    for person in np.unique(layer.poses.person).tolist():
        rows = np.flatnonzero(layer.poses.person == person)
        there = layer.present[rows].any(1)
        again = [int(rows[b]) for a, b in pairwise(np.flatnonzero(there).tolist()) if b > a + 1]
        if again:
            frame = int(layer.poses.frame[again[0]])
            who = f"diver {person}" if layer.poses.person.any() else "the diver"
            yield layer.finding(
                f"{who} is gone and there again {counted(len(again), 'time')}, first in {frame_name(frame)}",
                frame,
                counted(len(again) + 1, "time"),
                "1 time",
            )
