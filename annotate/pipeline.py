"""From the frames of a few clips to their poses: locate, tell two divers apart, estimate, refine the boxes, estimate,
and leave out the frames in which nobody is.

Batches cross from clip to clip. Pictures are decoded and warped in threads while the models compute. Memory is bounded
in bytes: a batch holds crops, each thread one picture beside them, and :data:`annotate.pictures.KEPT_BYTES` more are at
hand, however long a clip and however large its pictures.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

import numpy as np

from annotate.background import background_shifts
from annotate.bystander import stands_after_fall, steps_of
from annotate.crop import box_of_joints, crop, to_frame, whole_frame, without_other
from annotate.estimators.base import Estimator, Finder
from annotate.locate import SURE, boxes_of, steady, windows
from annotate.pictures import Pictures
from annotate.presence import combine, find_presence, twice_found, without_joints
from annotate.track import apart, shots, steady_ways, together, ways
from finediving_pose.clip import ClipKey
from finediving_pose.errors import FdposeError, FrameError
from finediving_pose.frames import FrameFolder
from finediving_pose.poses import ClipPoses, JointSource, Visibility
from finediving_pose.prefetch import prefetch
from finediving_pose.skeleton import N_JOINTS

BATCH = 64


@dataclass(frozen=True, slots=True)
class DiverBoxes:
    """A box in each of some frames; ordered by clip, and in a clip by diver.

    Attributes
    ----------
    clip, position : int (n,), index of the clip, and of the frame in it
    box : float32 (n, 4), x1 y1 x2 y2 in pixels
    score : float32 (n,), how sure the locator was of a diver in the frame, 0 to 1; 0 where it found no box
    person : int (n,), 0 or 1, which of the divers
    way : float (n, 2), pixels, from this diver to the other; 0 where there is no other
    """

    clip: np.ndarray
    position: np.ndarray
    box: np.ndarray
    score: np.ndarray
    person: np.ndarray
    way: np.ndarray

    def only(self, rows: np.ndarray | slice) -> DiverBoxes:
        """The boxes of these rows."""
        return DiverBoxes(*(getattr(self, f.name)[rows] for f in fields(DiverBoxes)))


@dataclass(frozen=True, slots=True)
class Found:
    """Poses of a clip.

    Attributes
    ----------
    poses : one row a frame and diver; without joints and box where the diver is not there
    cuts : numbers of the frames that begin a new shot
    """

    poses: ClipPoses
    cuts: tuple[int, ...]


def poses_of_clips(
    folders: Sequence[FrameFolder],
    locator: Finder,
    estimator: Estimator,
    pairs: Collection[ClipKey] = (),
    *,
    presence: bool = True,
    thorough: bool = False,
) -> dict[ClipKey, Found | FdposeError]:
    """Poses of every clip, unsmoothed, or why there are none (a picture is missing or damaged, there are no frames).

    In the clips of ``pairs`` two divers dive. Without ``presence`` every frame gets a pose, whoever is in it
    (:mod:`annotate.presence`). With ``thorough`` the estimator takes the mean over many views of every crop; boxes are
    found with one.
    """
    outcomes: dict[ClipKey, Found | FdposeError] = {
        f.key: FrameError(f"{f.key}: has no frames; leave it out of the clips table, or extract it again")
        for f in folders
        if not f.numbers
    }
    pictures = Pictures([f for f in folders if f.numbers])
    if not pictures.folders:
        return outcomes
    divers = _each_diver(pictures, _locate(pictures, locator), estimator, pairs)
    keypoints, _ = find_points(pictures, divers, estimator)
    divers = _refined(pictures, divers, keypoints)
    keypoints, confidence = find_points(pictures, divers, estimator.thorough if thorough else estimator)
    for i, folder in enumerate(pictures.folders):
        if i in pictures.failed:
            outcomes[folder.key] = pictures.failed[i]
            continue
        rows = np.flatnonzero(divers.clip == i)
        cut_at = pictures.cuts(i)
        poses = _table(folder, divers.only(rows), keypoints[rows], confidence[rows], estimator.id)
        if presence:
            there = _there(pictures, divers.only(rows), keypoints[rows], confidence[rows])
            poses = without_joints(poses, ~np.repeat(there.T.reshape(-1, 1), N_JOINTS, axis=1))
        outcomes[folder.key] = Found(poses, tuple(folder.numbers[p] for p in cut_at.tolist()))
    return outcomes


def find_points(
    pictures: Pictures, divers: DiverBoxes, estimator: Finder, places: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Points in every box, in pixels of the frame, and their confidence: float32 (n, k, 2), (n, k).

    ``places`` as in :meth:`annotate.estimators.base.Finder.estimate`.
    """

    def crops(rows: slice) -> np.ndarray:
        part = divers.only(rows)
        where = zip(part.clip.tolist(), part.position.tolist(), part.box, part.way, strict=True)
        return crop((without_other(pictures.read(c, p), box, way) for c, p, box, way in where), part.box, estimator)

    batches = [slice(i, i + BATCH) for i in range(0, len(divers.clip), BATCH)]
    found = [estimator.estimate(c, places) for c in prefetch(crops, batches)]
    fractions, confidence = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return to_frame(fractions, divers.box, estimator), confidence


def _locate(pictures: Pictures, locator: Finder) -> DiverBoxes:
    """The box around the divers in every frame of every clip."""
    counts = [len(f.numbers) for f in pictures.folders]
    everything = DiverBoxes(
        clip=np.repeat(np.arange(len(counts)), counts),
        position=np.concatenate([np.arange(n) for n in counts]),
        box=np.concatenate([np.repeat(whole_frame(f.width, f.height), len(f.numbers), 0) for f in pictures.folders]),
        score=np.ones(sum(counts), np.float32),
        person=np.zeros(sum(counts), int),
        way=np.zeros((sum(counts), 2)),
    )
    boxes, score = _surest(pictures, everything, locator)
    return replace(_steadied(pictures, replace(everything, box=boxes), score), score=score)


def _surest(pictures: Pictures, everything: DiverBoxes, locator: Finder) -> tuple[np.ndarray, np.ndarray]:
    """The box of the window in which the locator is surest, in every frame, and how sure it is; 0 without a box."""
    boxes, score = np.full_like(everything.box, np.nan), np.zeros(len(everything.clip), np.float32)
    looks = [windows(f.width, f.height) for f in pictures.folders]
    for i in range(max(map(len, looks))):
        rows = np.flatnonzero(np.array([len(look) > i for look in looks])[everything.clip])
        window = np.stack([look[i % len(look)] for look in looks])[everything.clip[rows]]
        found, sure = boxes_of(*find_points(pictures, replace(everything.only(rows), box=window), locator))
        better = np.isfinite(found).all(1) & (sure > score[rows])
        boxes[rows[better]], score[rows[better]] = found[better], sure[better]
    return boxes, score


def _each_diver(pictures: Pictures, divers: DiverBoxes, estimator: Estimator, pairs: Collection[ClipKey]) -> DiverBoxes:
    """Each diver's box in the clips of ``pairs``, where two were seen in any frame; unchanged in the others."""
    found = []
    for i, folder in enumerate(pictures.folders):
        here = divers.only(divers.clip == i)
        found += _two(pictures, here, estimator) if folder.key in pairs else [here]
    columns = ([getattr(part, f.name) for part in found] for f in fields(DiverBoxes))
    return DiverBoxes(*(np.concatenate(parts) for parts in columns))


def _two(pictures: Pictures, divers: DiverBoxes, estimator: Estimator) -> list[DiverBoxes]:
    """The boxes of both divers of one clip; unchanged where nothing tells two divers apart."""
    joints, confidence = (
        a.reshape(len(a), 2, -1, *a.shape[2:]) for a in find_points(pictures, divers, estimator, places=2)
    )
    way, telling = ways(joints, confidence, divers.box)
    parts = [steady_ways(way[shot], telling[shot]) for shot in shots(len(way), pictures.cuts(divers.clip[0]))]
    way = together(divers.box, np.concatenate(parts))
    if not way.any():
        return [divers]
    boxes, person = apart(divers.box, way), np.zeros(len(way), int)
    return [replace(divers, box=boxes[:, i], person=person + i, way=w) for i, w in enumerate((way, -way))]


def _refined(pictures: Pictures, divers: DiverBoxes, keypoints: np.ndarray) -> DiverBoxes:
    """Boxes halfway from the located ones to those around the joints that were found in them.

    Joints that were found in a box slightly wrong pull it to the diver; all the way would follow every stray joint.
    Frames in which the locator was not sure of a diver have no say.
    """
    around = box_of_joints(keypoints)
    around = np.where(np.isfinite(around), around, divers.box)
    around = _steadied(pictures, replace(divers, box=around), (divers.score >= SURE).astype(np.float32)).box
    return replace(divers, box=(divers.box + around) / 2)


def _steadied(pictures: Pictures, divers: DiverBoxes, score: np.ndarray) -> DiverBoxes:
    """The boxes made consistent in time, diver by diver and shot by shot; ``score`` (n,) says how sure they are."""
    boxes = divers.box.copy()
    for i, folder in enumerate(pictures.folders):
        parts = shots(len(folder.numbers), pictures.cuts(i))
        for person in np.unique(divers.person[divers.clip == i]):
            rows = np.flatnonzero((divers.clip == i) & (divers.person == person))
            for shot in parts:
                part = rows[shot]
                boxes[part] = steady(boxes[part], score[part], folder.width, folder.height)
    return replace(divers, box=boxes)


def _there(pictures: Pictures, divers: DiverBoxes, joints: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Whether each diver of one clip is there, frame by frame: bool (persons, frames)."""
    persons = int(divers.person.max()) + 1
    of_joints = confidence.mean(1).reshape(persons, -1)
    parts = shots(of_joints.shape[1], pictures.cuts(int(divers.clip[0])))
    nobody = _bystanders(pictures, divers, parts)
    if persons == 2:
        size = float(np.median(np.hypot(*(divers.box[:, 2:] - divers.box[:, :2]).T)))
        pairs = joints.reshape(2, -1, *joints.shape[1:]).swapaxes(0, 1)
        nobody |= twice_found(pairs, of_joints.T, size).T
    sure = np.where(nobody, 0, combine(of_joints, divers.score.reshape(persons, -1)))
    return np.stack([find_presence(s, parts) for s in sure])


def _bystanders(pictures: Pictures, divers: DiverBoxes, parts: Sequence[slice]) -> np.ndarray:
    """Where a bystander was found in place of each diver of one clip, frame by frame: bool (persons, frames)."""
    boxes = divers.box.reshape(int(divers.person.max()) + 1, -1, 4)
    clip = int(divers.clip[0])
    shifts = background_shifts((pictures.read(clip, i) for i in range(boxes.shape[1])), boxes.swapaxes(0, 1))
    return np.stack([stands_after_fall(steps_of(each, shifts), parts) for each in boxes])


def _table(
    folder: FrameFolder, divers: DiverBoxes, keypoints: np.ndarray, confidence: np.ndarray, author: str
) -> ClipPoses:
    n = len(keypoints)
    return ClipPoses(
        frame=np.array(folder.numbers)[divers.position],
        person=divers.person,
        box=divers.box,
        keypoints=keypoints,
        visibility=np.where(confidence > 0, Visibility.VISIBLE, Visibility.ABSENT),
        confidence=confidence,
        source=np.where(confidence > 0, JointSource.AUTOMATIC, JointSource.NONE),
        author=[author] * n,
        time=[datetime.now(UTC).isoformat(timespec="seconds")] * n,
    )
