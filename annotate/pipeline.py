"""From the frames of a few clips to their poses: locate, estimate, look again, in batches that cross from clip to clip.

Pictures are decoded and warped in threads while the models compute. Memory is bounded by the batch and by
:data:`annotate.pictures.KEPT`, however long a clip is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from annotate.crop import box_of_joints, crop, to_frame, whole_frame
from annotate.estimators.base import Estimator
from annotate.locate import SURE, boxes_of, steady
from annotate.pictures import Pictures
from annotate.track import shots
from finediving_pose.ahead import ahead
from finediving_pose.clip import ClipKey
from finediving_pose.errors import FdposeError, FrameError
from finediving_pose.frames import FrameFolder
from finediving_pose.poses import ClipPoses, JointSource, Visibility

BATCH = 64


@dataclass(frozen=True, slots=True)
class Looks:
    """What to look at: positions of frames in clips, and a box in each.

    Attributes
    ----------
    clip, position : int (n,), which clip, and which of its frames
    box : float32 (n, 4), x1 y1 x2 y2 in pixels
    """

    clip: np.ndarray
    position: np.ndarray
    box: np.ndarray


@dataclass(frozen=True, slots=True)
class Found:
    """Poses of a clip.

    Attributes
    ----------
    poses : one row a frame
    sure : share of the frames in which the locator was sure of a diver
    cuts : numbers of the frames that begin a new shot
    """

    poses: ClipPoses
    sure: float
    cuts: tuple[int, ...]


def poses_of_clips(
    folders: Sequence[FrameFolder], locator: Estimator, estimator: Estimator
) -> dict[ClipKey, Found | FdposeError]:
    """Poses of every clip, unsmoothed, or why there are none (a picture is missing or damaged, there are no frames)."""
    outcomes: dict[ClipKey, Found | FdposeError] = {
        f.key: FrameError(f"{f.key}: has no frames; leave it out of the clips table, or extract it again")
        for f in folders
        if not f.numbers
    }
    pictures = Pictures([f for f in folders if f.numbers])
    if not pictures.folders:
        return outcomes
    looks, sure = _locate(pictures, locator)
    keypoints, _ = look(pictures, looks, estimator)
    looks = _look_again(pictures, looks, sure, keypoints)
    keypoints, confidence = look(pictures, looks, estimator)
    for i, folder in enumerate(pictures.folders):
        rows = looks.clip == i
        if i in pictures.failed:
            outcomes[folder.key] = pictures.failed[i]
            continue
        poses = _table(folder, looks.box[rows], keypoints[rows], confidence[rows], estimator.id)
        cut_at = tuple(folder.numbers[p] for p in pictures.cuts(i).tolist())
        outcomes[folder.key] = Found(poses, float(sure[rows].mean()), cut_at)
    return outcomes


def look(pictures: Pictures, looks: Looks, estimator: Estimator) -> tuple[np.ndarray, np.ndarray]:
    """Points in every box, in pixels of the frame, and their confidence: float32 (n, k, 2), (n, k)."""

    def crops(rows: slice) -> np.ndarray:
        where = zip(looks.clip[rows].tolist(), looks.position[rows].tolist(), strict=True)
        return crop([pictures.read(c, p) for c, p in where], looks.box[rows], estimator)

    batches = [slice(i, i + BATCH) for i in range(0, len(looks.clip), BATCH)]
    found = [estimator.estimate(c) for c in ahead(crops, batches)]
    fractions, confidence = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return to_frame(fractions, looks.box, estimator), confidence


def _locate(pictures: Pictures, locator: Estimator) -> tuple[Looks, np.ndarray]:
    """The diver's box in every frame of every clip, and whether the locator was sure of it: bool (n,)."""
    counts = [len(f.numbers) for f in pictures.folders]
    whole = np.concatenate([whole_frame(f.width, f.height) for f in pictures.folders])
    everything = Looks(
        np.repeat(np.arange(len(counts)), counts),
        np.concatenate([np.arange(n) for n in counts]),
        np.repeat(whole, counts, axis=0),
    )
    boxes, score = boxes_of(*look(pictures, everything, locator))
    sure = (score >= SURE) & np.isfinite(boxes).all(1)
    return _steadied(pictures, replace(everything, box=boxes), score), sure


def _look_again(pictures: Pictures, looks: Looks, sure: np.ndarray, keypoints: np.ndarray) -> Looks:
    """Boxes halfway from the located ones to those around the joints that were found in them.

    Joints that were found in a box slightly wrong pull it to the diver; all the way would follow every stray joint.
    Frames in which the locator was not sure of a diver (``sure``, bool (n,)) have no say.
    """
    around = box_of_joints(keypoints)
    around = np.where(np.isfinite(around), around, looks.box)
    around = _steadied(pictures, replace(looks, box=around), sure.astype(np.float32)).box
    return replace(looks, box=(looks.box + around) / 2)


def _steadied(pictures: Pictures, looks: Looks, score: np.ndarray) -> Looks:
    """The boxes made consistent in time, shot by shot; ``score`` (n,) says how sure they are."""
    boxes = looks.box.copy()
    for i, folder in enumerate(pictures.folders):
        rows = np.flatnonzero(looks.clip == i)
        for shot in shots(len(rows), pictures.cuts(i)):
            part = rows[shot]
            boxes[part] = steady(boxes[part], score[part], folder.width, folder.height)
    return replace(looks, box=boxes)


def _table(
    folder: FrameFolder, boxes: np.ndarray, keypoints: np.ndarray, confidence: np.ndarray, author: str
) -> ClipPoses:
    n = len(folder.numbers)
    return ClipPoses(
        frame=np.array(folder.numbers),
        person=np.zeros(n),
        box=boxes,
        keypoints=keypoints,
        visibility=np.where(confidence > 0, Visibility.VISIBLE, Visibility.ABSENT),
        confidence=confidence,
        source=np.where(confidence > 0, JointSource.AUTOMATIC, JointSource.NONE),
        author=[author] * n,
        time=[datetime.now(UTC).isoformat(timespec="seconds")] * n,
    )
