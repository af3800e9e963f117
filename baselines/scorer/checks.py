"""Whether a clip shows a dive at all, of a kind that a scorer knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError, PoseError
from finediving_pose.kinematics.measure import DiverMeasures
from finediving_pose.packed.reader import PackedFile
from finediving_pose.skeleton import INDEX

FEWEST_FRAMES = 8
"""Of a dive: it lasts a second and more."""
LEAST_MOTION = 0.5
"""Trunk lengths that a joint moves about the pelvis in a dive: half a somersault makes two of the shoulders alone. In a
video of a still picture it was 0.1, in synthetic dives more than 4, in 23 frames of real ones 3.8 and more."""


def check_dive(packed: PackedFile, i: int, exemplars: Sequence[Clip]) -> None:
    """Raise where clip i shows no dive that a scorer with these exemplars could read.

    Raises
    ------
    PoseError
        Nobody is seen in it, or nobody moves.
    FdposeError
        It has too few frames, or two divers where no exemplar has.
    """
    clip, frames = packed.clips[i], len(packed.frame_numbers(i))
    if frames < FEWEST_FRAMES:
        raise FdposeError(f"{clip.key}: has {frames} frame{'s' * (frames != 1)}, which is no dive; nothing is scored")
    joints = packed.poses(i).keypoints  # (n, 2, 16, 2)
    seen = np.asarray(np.isfinite(joints).any((2, 3)))  # (n, 2)
    if not seen[:, 0].any():
        raise PoseError(
            f"{clip.key}: has no pose of a diver in its {frames} frames, so nothing is scored; find one with:"
            f" fdpose annotate --auto --force --clip {clip.key}"
        )
    if motion(joints[:, 0]) < LEAST_MOTION:
        raise PoseError(
            f"{clip.key}: the diver does not move in any of its {frames} frames, as in a still picture; nothing is"
            " scored; give the video of a dive"
        )
    pair = bool(clip.synchronised) or 2 * int(seen[:, 1].sum()) > int(seen[:, 0].sum())
    if pair and not any(c.synchronised for c in exemplars):
        raise FdposeError(
            f"{clip.key}: shows two divers, and the scorer learned from single dives only; nothing is scored"
        )


def check_filmed(clip: Clip, divers: Sequence[DiverMeasures]) -> None:
    """Raise PoseError where take-off or entry of one's own video was not filmed, of any of its divers.

    Clips of a data set are scored, and those of a table of frames: whoever cut them saw a dive.
    """
    whole_video = clip.source == "unlabelled" and clip.frame_range is None
    for diver in divers if whole_video else ():
        if diver.not_filmed:
            raise PoseError(f"{clip.key}: {diver.not_filmed}; nothing is scored; give a video of the whole dive")


def motion(joints: NDArray[np.floating]) -> float:
    """How far the joint that moves most moves about the pelvis, in trunk lengths, whatever the camera does.

    Of joints (n, 16, 2), NaN where absent. The farthest twentieth at either end is left out, which may be wrong poses.
    Infinite where too few frames show trunk and pelvis to tell.
    """
    about = joints.astype(float) - joints[:, INDEX["pelvis"], None]
    told = np.isfinite(about).all(-1).sum(0) >= FEWEST_FRAMES  # (16,)
    if not told[INDEX["thorax"]]:
        return float("inf")
    trunk = float(np.nanmedian(np.linalg.norm(about[:, INDEX["thorax"]], axis=-1)))
    low, high = np.nanpercentile(about[:, told], [5, 95], axis=0, method="nearest")  # (told, 2)
    return float(np.linalg.norm(high - low, axis=-1).max()) / max(trunk, 1e-6)
