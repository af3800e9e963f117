"""The machine's poses, as a person sees them in review."""

from __future__ import annotations

import numpy as np

from finediving_pose.journals.entry import Place
from finediving_pose.poses import ClipPoses
from finediving_pose.reviews import MachinePose


def machine_pose(poses: ClipPoses | None, place: Place) -> MachinePose | None:
    """The machine's pose at a place, to a hundredth of a pixel; None where it has no row."""
    row = None if poses is None else poses.row(place.frame, place.person)
    if poses is None or row is None:
        return None
    known = np.isfinite(poses.keypoints[row]).all(-1)
    points = np.round(poses.keypoints[row].astype(float), 2).tolist()
    joints = tuple((x, y) if here else None for here, (x, y) in zip(known, points, strict=True))
    return MachinePose(poses.author[row], joints)
