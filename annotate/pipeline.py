"""From the frames of a few clips to their poses: locate, estimate, look again, in batches that cross from clip to clip.

Pictures are decoded and warped in threads while the models compute. Memory is bounded by the batch and by
:data:`annotate.pictures.KEPT`, however long a clip is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from annotate.crop import box_of_joints, crop, to_frame, whole_frame
from annotate.estimators.base import Estimator
from annotate.locate import SURE, both_boxes, is_pair, steady
from annotate.pictures import Pictures
from annotate.track import apart, shots
from finediving_pose.ahead import ahead
from finediving_pose.clip import ClipKey
from finediving_pose.errors import FdposeError, FrameError
from finediving_pose.frames import FrameFolder
from finediving_pose.poses import ClipPoses, JointSource, Visibility

BATCH = 64


@dataclass(frozen=True, slots=True)
class Looks:
    """What to look at: positions of frames in clips, and a box in each; clip by clip, and in a clip diver by diver.

    Attributes
    ----------
    clip, position : int (n,), which clip, and which of its frames
    box : float32 (n, 4), x1 y1 x2 y2 in pixels
    person : int (n,), 0 or 1, which of the divers
    """

    clip: np.ndarray
    position: np.ndarray
    box: np.ndarray
    person: np.ndarray

    def only(self, rows: np.ndarray) -> Looks:
        """Some of them."""
        return Looks(self.clip[rows], self.position[rows], self.box[rows], self.person[rows])


@dataclass(frozen=True, slots=True)
class Found:
    """Poses of a clip.

    Attributes
    ----------
    poses : one row a frame and diver
    sure : share of the rows in which the locator was sure of the diver
    cuts : numbers of the frames that begin a new shot
    """

    poses: ClipPoses
    sure: float
    cuts: tuple[int, ...]


def poses_of_clips(
    folders: Sequence[FrameFolder],
    locator: Estimator,
    estimator: Estimator,
    pairs: Mapping[ClipKey, bool | None] | None = None,
) -> dict[ClipKey, Found | FdposeError]:
    """Poses of every clip, unsmoothed, or why there are none (a picture is missing or damaged, there are no frames).

    ``pairs`` says of which clips it is known that two divers dive, or one; of the others the pictures say it.
    """
    outcomes: dict[ClipKey, Found | FdposeError] = {
        f.key: FrameError(f"{f.key}: has no frames; leave it out of the clips table, or extract it again")
        for f in folders
        if not f.numbers
    }
    pictures = Pictures([f for f in folders if f.numbers])
    if not pictures.folders:
        return outcomes
    looks, sure = _locate(pictures, locator, pairs or {})
    keypoints, _ = look(pictures, looks, estimator)
    looks = _look_again(pictures, looks, sure, keypoints)
    keypoints, confidence = look(pictures, looks, estimator)
    for i, folder in enumerate(pictures.folders):
        if i in pictures.failed:
            outcomes[folder.key] = pictures.failed[i]
            continue
        rows = np.flatnonzero(looks.clip == i)
        poses = _table(folder, looks.only(rows), keypoints[rows], confidence[rows], estimator.id)
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


def _locate(pictures: Pictures, locator: Estimator, pairs: Mapping[ClipKey, bool | None]) -> tuple[Looks, np.ndarray]:
    """Each diver's box in every frame of every clip, and whether the locator was sure of it: bool (n,)."""
    folders = pictures.folders
    whole = [np.repeat(whole_frame(f.width, f.height), len(f.numbers), axis=0) for f in folders]
    everything = _looks(whole, [1] * len(folders))
    boxes, score = both_boxes(*look(pictures, everything, locator))
    sure = (score >= SURE) & np.isfinite(boxes).all(-1)
    clips = []
    for i, folder in enumerate(folders):
        rows = everything.clip == i
        clips.append(_divers(pictures, i, boxes[rows], sure[rows], pairs.get(folder.key)))
    boxes, sure = [c[0] for c in clips], np.concatenate([c[1] for c in clips])
    divers = [len(b) // len(f.numbers) for b, f in zip(boxes, folders, strict=True)]
    return _steadied(pictures, _looks(boxes, divers), sure.astype(np.float32)), sure


def _looks(boxes: Sequence[np.ndarray], divers: Sequence[int]) -> Looks:
    """At the boxes of every clip, those of its first diver in all frames, then those of its second."""
    frames = [len(b) // d for b, d in zip(boxes, divers, strict=True)]
    return Looks(
        clip=np.repeat(np.arange(len(boxes)), [len(b) for b in boxes]),
        position=np.concatenate([np.tile(np.arange(n), d) for n, d in zip(frames, divers, strict=True)]),
        box=np.concatenate(boxes),
        person=np.concatenate([np.repeat(np.arange(d), n) for n, d in zip(frames, divers, strict=True)]),
    )


def _divers(
    pictures: Pictures, clip: int, boxes: np.ndarray, sure: np.ndarray, pair: bool | None
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of the first diver of a clip in all its frames, and those of the second where it is a pair; how sure."""
    if not (is_pair(sure) if pair is None else pair):
        return boxes[:, 0], sure[:, 0]
    parts = [apart(boxes[shot], sure[shot]) for shot in shots(len(boxes), pictures.cuts(clip))]
    boxes, sure = (np.concatenate(part) for part in zip(*parts, strict=True))
    return np.concatenate([boxes[:, 0], boxes[:, 1]]), np.concatenate([sure[:, 0], sure[:, 1]])


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
    """The boxes made consistent in time, diver by diver and shot by shot; ``score`` (n,) says how sure they are."""
    boxes = looks.box.copy()
    for i, folder in enumerate(pictures.folders):
        for person in np.unique(looks.person[looks.clip == i]):
            rows = np.flatnonzero((looks.clip == i) & (looks.person == person))
            for shot in shots(len(rows), pictures.cuts(i)):
                part = rows[shot]
                boxes[part] = steady(boxes[part], score[part], folder.width, folder.height)
    return replace(looks, box=boxes)


def _table(folder: FrameFolder, looks: Looks, keypoints: np.ndarray, confidence: np.ndarray, author: str) -> ClipPoses:
    n = len(keypoints)
    return ClipPoses(
        frame=np.array(folder.numbers)[looks.position],
        person=looks.person,
        box=looks.box,
        keypoints=keypoints,
        visibility=np.where(confidence > 0, Visibility.VISIBLE, Visibility.ABSENT),
        confidence=confidence,
        source=np.where(confidence > 0, JointSource.AUTOMATIC, JointSource.NONE),
        author=[author] * n,
        time=[datetime.now(UTC).isoformat(timespec="seconds")] * n,
    )
