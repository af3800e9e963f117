"""Frames with the joints that an estimator itself finds in them: labels that nobody placed.

Self-training (Lee, "Pseudo-Label", ICML workshop on challenges in representation learning, 2013). A joint is a label if
the estimator sees it, smoothing over the frames around moves it little, the mirror image has it at the same place, and
its limbs are not longer than they usually are in the dive.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from annotate.consistency import APART, long_limbs
from annotate.crop import crop
from annotate.estimators.base import Estimator, Finder
from annotate.pipeline import BATCH, poses_of_clips
from annotate.presence import mark_visibility
from annotate.smooth import smooth
from annotate.training.labelled_frames import LabelledFrame, labelled_frames
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError
from finediving_pose.frames import FrameFolder, open_frames
from finediving_pose.poses import ClipPoses, JointSource, Visibility
from finediving_pose.progress import track
from finediving_pose.skeleton import LIMBS, N_JOINTS
from finediving_pose.workspace import Workspace


def read_own_poses(
    workspace: Workspace, clips: Sequence[Clip], locator: Finder, estimator: Estimator
) -> dict[ClipKey, list[LabelledFrame]]:
    """Frames of every clip with the joints in which the estimator is consistent, looking at every crop many times.

    Clips whose frames are missing or damaged are left out, and those without such a frame.
    """
    found = {}
    for folder, poses in _estimated(workspace, clips, locator, estimator, thorough=True):
        if frames := labelled_frames(folder, poses, consistent(folder, poses, estimator)):
            found[folder.key] = frames
    return found


def read_frames_with_diver(
    workspace: Workspace, clips: Sequence[Clip], locator: Finder, estimator: Estimator
) -> list[LabelledFrame]:
    """The frames of the clips in which a diver is found, with all joints that are found."""
    frames = []
    for folder, poses in _estimated(workspace, clips, locator, estimator, thorough=False):
        frames += labelled_frames(folder, poses, poses.visibility != Visibility.ABSENT)
    return frames


def consistent(folder: FrameFolder, poses: ClipPoses, estimator: Estimator) -> np.ndarray:
    """Which joints of a clip's smoothed poses an estimator is consistent in: bool (n, 16)."""
    seen = (poses.source == JointSource.AUTOMATIC) & (poses.visibility == Visibility.VISIBLE)
    rows = np.flatnonzero(poses.has_diver)
    gaps = np.full(seen.shape, np.inf)
    for part in np.split(rows, range(BATCH, len(rows), BATCH)):
        pictures = (folder.read(int(n)) for n in poses.frame[part])
        gaps[part] = estimator.mirror_gaps(crop(pictures, poses.box[part], estimator)) if len(part) else gaps[part]
    return seen & (gaps < APART) & ~_of_long_limbs(poses)


def _of_long_limbs(poses: ClipPoses) -> np.ndarray:
    """Joints of limbs that are too long: bool (n, 16)."""
    long, joints = long_limbs(poses), np.zeros((len(poses), N_JOINTS), bool)
    for limb, ends in enumerate(LIMBS):
        joints[:, ends] |= long[:, limb, None]
    return joints


def _estimated(
    workspace: Workspace, clips: Sequence[Clip], locator: Finder, estimator: Estimator, thorough: bool
) -> Iterator[tuple[FrameFolder, ClipPoses]]:
    """Clips and their poses, smoothed, as ``fdpose annotate --auto`` makes them."""
    pairs: Collection[ClipKey] = {c.key for c in clips if c.synchronised}
    for clip in track(clips, "finding divers"):
        try:
            folder = open_frames(workspace, clip.key)
        except FdposeError:
            continue
        found = poses_of_clips([folder], locator, estimator, pairs, thorough=thorough)[folder.key]
        if not isinstance(found, FdposeError):
            yield folder, mark_visibility(smooth(found.poses, found.cuts), folder.width, folder.height)
