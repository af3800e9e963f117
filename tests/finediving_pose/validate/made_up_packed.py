"""Three clips in a data directory and their packed file."""

from __future__ import annotations

import numpy as np

from finediving_pose.clip import ClipKey
from finediving_pose.poses import ClipPoses
from finediving_pose.validate.packed_subject import load_packed
from finediving_pose.validate.rules import RULES, Finding
from finediving_pose.workspace import Workspace

KEYS = [ClipKey("men", 1), ClipKey("men", 2), ClipKey("women", 0)]


def poses(clip: int) -> ClipPoses:
    rng = np.random.default_rng(clip)
    points = rng.uniform(0, 60, (8, 16, 2))
    box = np.hstack([points.min(1), points.max(1)])
    whole = np.ones((8, 16))
    return ClipPoses(
        np.arange(8) + 20 * clip, np.zeros(8), box, points, 2 * whole, 0.9 * whole, whole, ["me"] * 8, [""] * 8
    )


def found(workspace: Workspace) -> list[Finding]:
    subject = load_packed(workspace.packed)
    return [f for r in RULES.values() if r.scope == "packed" for f in r(subject)]
