"""Which joints of a file did a person place, and which are as they were exported?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import ClipKey
from finediving_pose.formats.export_record import SAME_PLACE, ExportedPose, match_people, records_of
from finediving_pose.formats.hand_layer import HandPose
from finediving_pose.formats.registry import ImagePose
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.workspace import Workspace

Frame = tuple[ClipKey, int]


class Untouched:
    """Tells the joints that a person placed from those that are as they were exported.

    A joint that the machine or, in merged poses, another person placed, and that is where the export put it, is left
    out. Poses of a hand layer that was exported come back whole: they are a person's.
    """

    def __init__(
        self, workspace: Workspace, files: Sequence[Path], keys: Collection[ClipKey], everything: bool
    ) -> None:
        self.everything = everything
        self.exports: list[dict[Frame, list[ExportedPose]]] = []
        for record in records_of(workspace, files, keys) if not everything else []:
            frames: dict[Frame, list[ExportedPose]] = defaultdict(list)
            for pose in record.poses:
                frames[pose.key, pose.frame].append(pose)
            self.exports.append(frames)

    def hands(self, key: ClipKey, number: int, people: Mapping[int, ImagePose]) -> tuple[list[HandPose], int]:
        """What a person placed in a frame, and how many predictions, never exported from here, were left out."""
        exported = self._exported(key, number, people)
        found: list[HandPose] = []
        predictions = 0
        for person, pose in people.items():
            before = exported.get(person)
            if before is not None:
                found.append(HandPose(before.person, pose, _changed(pose, before), part=True, before=before.keypoints))
            elif pose.predicted and not self.everything:
                predictions += 1
            else:
                placed = pose.visibility > Visibility.ABSENT
                if pose.by_machine is not None and not self.everything:
                    placed = placed & ~pose.by_machine
                found.append(HandPose(person, pose, placed, part=bool((pose.visibility[~placed] > 0).any())))
        return found, predictions

    def _exported(self, key: ClipKey, number: int, people: Mapping[int, ImagePose]) -> dict[int, ExportedPose]:
        """By the person of the file, the pose that was exported; of several exports the one most joints are from."""
        best: tuple[int, dict[int, ExportedPose]] = (-1, {})
        for frames in self.exports:
            there = frames.get((key, number), [])
            matched = _match(people, there)
            same = sum(int((~_moved(people[person], pose)).sum()) for person, pose in matched.items())
            if there and same > best[0]:
                best = same, matched
        return best[1]


def _match(people: Mapping[int, ImagePose], exported: Sequence[ExportedPose]) -> dict[int, ExportedPose]:
    by_person = {pose.person_read: pose for pose in exported}
    persons = list(people)
    nearest = match_people([people[p].keypoints for p in persons], [pose.keypoints for pose in exported])
    found = {}
    for person, near in zip(persons, nearest, strict=True):
        if people[person].person is not None:
            before = by_person.get(person)
        else:
            before = None if near is None else exported[near]
        if before is not None:
            found[person] = before
    return found


def _moved(pose: ImagePose, before: ExportedPose) -> NDArray[np.bool_]:
    """bool (16,): the joint is elsewhere, seen otherwise, new, or deleted."""
    apart = np.abs(pose.keypoints - before.keypoints).max(-1)
    there, was = pose.visibility > Visibility.ABSENT, before.visibility > Visibility.ABSENT
    same = np.where(was & there, (apart <= SAME_PLACE) & (pose.visibility == before.visibility), was == there)
    return np.asarray(~same)


def _changed(pose: ImagePose, before: ExportedPose) -> NDArray[np.bool_]:
    """bool (16,): joints to take in as the annotator's."""
    own = before.layer.startswith("manual/") & (before.source == JointSource.MANUAL)
    return np.asarray(_moved(pose, before) | (own & (pose.visibility > Visibility.ABSENT)))
