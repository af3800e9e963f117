"""Hand annotations in: files of any known format to ``poses/manual/<annotator>``."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.clip import Clip, ClipKey, composed
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.formats.export_record import SAME_PLACE
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.hand_layer import HandPose, update_layer
from finediving_pose.formats.registry import ImagePose, reader_of
from finediving_pose.formats.untouched import Untouched
from finediving_pose.skeleton import JOINTS, N_JOINTS
from finediving_pose.validate.words import counted
from finediving_pose.workspace import Workspace
from finediving_pose.writing import writing

PATIENCE = 60
"""Seconds that an import waits for another one: a layer is written in a moment."""

_NAME = re.compile(r"[\w][\w.-]{0,63}")

People = dict[ClipKey, dict[int, dict[int, ImagePose]]]
"""Clip, frame number, person: a pose each."""


@dataclass(slots=True)
class Intake:
    """What an import took in, and what not.

    Attributes
    ----------
    layers : joints taken in by the name of the layer
    left_out : how many things of each kind were passed over
    told : sentences that the user has to know
    replaced : frames that the annotator's layer had already, replaced as a whole
    exported, nudged : joints that were exported, and those of them taken in that moved by less than a pixel
    """

    files: int = 0
    formats: set[str] = field(default_factory=set)
    entries: int = 0
    clips: set[ClipKey] = field(default_factory=set)
    frames: set[tuple[ClipKey, int]] = field(default_factory=set)
    layers: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    replaced: int = 0
    exported: int = 0
    nudged: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For the command line."""
        return {
            "files": self.files,
            "format": ", ".join(sorted(self.formats)),
            "entries": self.entries,
            "clips": len(self.clips),
            "frames": len(self.frames),
            "joints": sum(self.layers.values()),
            "annotator": ", ".join(sorted(self.layers)),
            "left_out": dict(self.left_out),
        }

    def sentence(self) -> str:
        """One line: what came in, from whom, and what was left out and why."""
        people = ", ".join(f"{counted(n, 'joint')} by {name}" for name, n in sorted(self.layers.items()))
        came = f"took in {people} ({counted(len(self.frames), 'frame')} of {counted(len(self.clips), 'clip')})"
        if self.replaced:
            came += f"; replaced {counted(self.replaced, 'frame')} that had been imported before"
        return f"{came}; left out: {self._omissions()}" if self.left_out else came

    def _omissions(self) -> str:
        return ", ".join(f"{what} ({n:,})" for what, n in self.left_out.items())

    def note_moves(self, hand: HandPose) -> None:
        """Count the joints that were exported, and those of them that moved by less than a pixel."""
        if hand.before is not None:
            gap = np.abs(hand.pose.keypoints - hand.before).max(-1)
            self.exported += int(np.isfinite(gap).sum())
            self.nudged += int((hand.placed & (gap > SAME_PLACE) & (gap < 1)).sum())

    def tell_rounding(self) -> None:
        """Say so where nearly every joint moved by less than a pixel: a tool that rounds does that, and no person."""
        if self.exported >= N_JOINTS and self.nudged > 0.8 * self.exported:
            self.told.append(
                f"{self.nudged:,} of {self.exported:,} exported joints moved by less than a pixel, as if the tool"
                " rounds positions; all of them now count as placed by hand"
            )

    def check_not_empty(self, files: Sequence[Path]) -> None:
        """Raise PoseError where nothing was taken in."""
        if self.layers:
            return
        names = ", ".join(map(str, files[:3])) + (", ..." if len(files) > 3 else "")
        why = f"left out: {self._omissions()}" if self.left_out else "there is no annotation in it"
        add_all = any(what in (_PREDICTIONS, _AS_EXPORTED) for what in self.left_out)
        hint = "; if somebody checked them, take them in as that person's with --all" if add_all else ""
        raise PoseError(f"{names}: nothing to take in; {why}{hint}")


_EMPTY = "poses without joints"
_PREDICTIONS = "predicted poses that nobody touched"
_TWICE = "poses that are there twice"
_NOT_CHOSEN = "poses of clips that were not chosen"
_AS_EXPORTED = "joints as they were exported, the machine's or another person's"


def annotator_name(text: str) -> str:
    """An annotator's name as it names folders. Raises UsageError where it can't."""
    name = composed(text)
    if not _NAME.fullmatch(name):
        raise UsageError(f"--annotator {name!r}: use letters, digits, dots, dashes; it becomes a folder name")
    return name


def take_in(
    workspace: Workspace,
    clips: Sequence[Clip],
    files: Sequence[Path],
    annotator: str,
    format: str | None = None,
    *,
    everything: bool = False,
    only: Collection[ClipKey] | None = None,
) -> Intake:
    """Read annotation files and store their poses under the annotator's name.

    Of poses that were exported from here, only the joints that differ from what was exported are taken in; the others
    stay the machine's. Predictions of another program's model are left out. Where a file holds several annotators'
    work, each gets a layer of their own, ``manual/<annotator>-<name in the file>``.
    A frame that the annotator had already is replaced, others stay. Nothing is written unless every
    entry of every file finds its frame.

    Parameters
    ----------
    format : name of the files' format; None to recognise each file by looking
    everything : take in every joint as the annotator's, unchanged and predicted ones, too
    only : leave out the poses of other clips than these

    Raises
    ------
    UsageError
        The annotator's name can't be a folder name, or there is no such format.
    PoseError
        A file can't be read, an entry's picture is no frame of this data directory or has another
        size than the stored frame, a frame has a third person, a person of a frame has two poses, or nothing is left
        to take in.
    BusyError
        Another command is at work on the frames or on the annotator's layer, and does not end within :data:`PATIENCE`.
    """
    annotator = annotator_name(annotator)
    with writing("fdpose import", reads=[workspace.frames], patience=PATIENCE):
        return _take_in(workspace, clips, files, annotator, format, everything, only)


def _take_in(
    workspace: Workspace,
    clips: Sequence[Clip],
    files: Sequence[Path],
    annotator: str,
    format: str | None,
    everything: bool,
    only: Collection[ClipKey] | None,
) -> Intake:
    index = FrameIndex(workspace, clips)
    intake = Intake(files=len(files))
    found: list[tuple[Path, ImagePose]] = []
    for file in files:
        reader = reader_of(file, format)
        content = reader.read(file, index)
        intake.formats.add(reader.name)
        intake.entries += len(content.poses)
        intake.left_out += content.left_out
        intake.told += content.told
        found += [(file, pose) for pose in content.poses]
    layers = {
        name: place(index, poses, intake.left_out, only)
        for name, poses in _by_annotator(found, annotator, intake).items()
    }
    untouched = Untouched(workspace, files, {key for people in layers.values() for key in people}, everything)
    chosen = {name: _choose(people, untouched, intake, name) for name, people in layers.items()}
    for by_clip in chosen.values():
        _check_positions(index, by_clip)
    intake.check_not_empty(files)
    intake.tell_rounding()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with writing("fdpose import", [workspace.poses / "manual" / name for name in chosen], patience=PATIENCE):
        for name, by_clip in chosen.items():
            for key, hands in by_clip.items():
                intake.replaced += update_layer(workspace, name, key, hands, now)
    return intake


def place(
    index: FrameIndex,
    poses: Sequence[tuple[Path, ImagePose]],
    left_out: Counter[str] | None = None,
    only: Collection[ClipKey] | None = None,
) -> People:
    """The poses that have joints, at their frames and persons. ``poses``: with the file that each is from.

    A pose that is there twice counts once; such poses, and those of other clips than ``only``, are counted in
    ``left_out``.

    Raises PoseError as :func:`take_in` does.
    """
    found: People = defaultdict(lambda: defaultdict(dict))
    left_out = Counter() if left_out is None else left_out
    origins: dict[tuple[ClipKey, int, int], tuple[Path, ImagePose]] = {}
    for file, pose in sorted(poses, key=lambda p: p[1].person is None):  # who is known first, others take what is left
        where = f"{file}: {pose.entry}"
        key, number = index.find(pose.image, where)
        if not (pose.visibility > 0).any():
            continue
        if only is not None and key not in only:
            left_out[_NOT_CHOSEN] += 1
            continue
        _check_size(index, key, pose, where)
        there = found[key][number]
        person = pose.person
        if person is None and any(_same_pose(other, pose) for other in there.values()):
            left_out[_TWICE] += 1
            continue
        if person is None:
            twice = [p for p in there if _listed_apart(origins[key, number, p], (file, pose))]
            free = [p for p in (0, 1) if p not in there]
            person = next(iter([*twice, *free]), None)
        if person is None:
            raise PoseError(f"{where}: a third person in one frame; at most two dive")
        if person in there:
            if not _same_pose(there[person], pose):
                other, first = origins[key, number, person]
                raise PoseError(
                    f"{where}: person {person} of {key} frame {number} was annotated twice, differently (the other is"
                    f" {f'{other}: ' if other != file else ''}{first.entry}); leave one out, or import the file that"
                    " counts last on its own"
                )
            continue
        there[person] = pose
        origins[key, number, person] = (file, pose)
    return found


def _listed_apart(one: tuple[Path, ImagePose], two: tuple[Path, ImagePose]) -> bool:
    """Whether two poses of a frame are in different lists of it: another file, task, or image entry."""
    return (one[0], one[1].listing) != (two[0], two[1].listing)


def _same_pose(one: ImagePose, two: ImagePose) -> bool:
    return bool(
        np.array_equal(one.visibility, two.visibility)
        and np.allclose(one.keypoints, two.keypoints, atol=0.01, equal_nan=True)
    )


def _check_size(index: FrameIndex, key: ClipKey, pose: ImagePose, where: str) -> None:
    frames = index.folders[key]
    if pose.size and pose.size != (frames.width, frames.height):
        raise PoseError(
            f"{where}: annotated at {pose.size[0]} x {pose.size[1]} pixels, but the stored frame has"
            f" {frames.width} x {frames.height}; scale the joints, or extract at that size"
        )


_SHARES = 8
"""Different positions of one pose within a single pixel that tell shares of the picture from pixels."""


def _check_positions(index: FrameIndex, chosen: Mapping[ClipKey, Mapping[int, Sequence[HandPose]]]) -> None:
    """Raise PoseError where positions can't be pixels of the picture.

    That is where a joint is farther outside than the picture is wide or high, or all are within one pixel of a corner.
    """
    for key, frames in chosen.items():
        size = np.array([index.folders[key].width, index.folders[key].height])
        for hand in (hand for hands in frames.values() for hand in hands):
            there = hand.placed & (hand.pose.visibility > 0)
            joints = hand.pose.keypoints[there]
            if len(far := np.flatnonzero(~((joints >= -size) & (joints <= 2 * size)).all(1))):
                x, y = joints[far[0]].tolist()
                raise PoseError(
                    f"{key}: {hand.pose.entry}: {JOINTS[np.flatnonzero(there)[far[0]]]} is at {x:g}, {y:g}, far outside"
                    f" the picture of {size[0]} x {size[1]} pixels; write positions in pixels of this picture"
                )
            if ((joints >= 0) & (joints <= 1)).all() and len(np.unique(joints, axis=0)) >= _SHARES:
                raise PoseError(
                    f"{key}: {hand.pose.entry}: all joints lie within one pixel, as if they were shares of the picture;"
                    f" write pixels: x times {size[0]}, y times {size[1]}"
                )


def _by_annotator(
    found: Sequence[tuple[Path, ImagePose]], annotator: str, intake: Intake
) -> dict[str, list[tuple[Path, ImagePose]]]:
    """The poses by the name of the layer: ``annotator``, or one for each annotator that the files name."""
    with_joints = [(file, pose) for file, pose in found if (pose.visibility > 0).any()]
    if len(found) > len(with_joints):
        intake.left_out[_EMPTY] += len(found) - len(with_joints)
    names = {pose.annotator for _, pose in with_joints if pose.annotator is not None}
    if len(names) < 2:
        return {annotator: with_joints} if with_joints else {}
    layers: dict[str, list[tuple[Path, ImagePose]]] = defaultdict(list)
    folders = _folder_names(names)
    for file, pose in with_joints:
        layers[f"{annotator}-{folders[pose.annotator]}" if pose.annotator else annotator].append((file, pose))
    who = ", ".join(f"{annotator}-{folder} ({name})" for name, folder in sorted(folders.items()))
    intake.told.append(f"{counted(len(layers), 'annotator')} in the file, a layer each: {who}")
    return layers


def _folder_names(names: Collection[str]) -> dict[str, str]:
    """Annotators' names in a file, addresses for instance, as parts of folders' names; all different."""
    chosen: dict[str, str] = {}
    for name in sorted(names):
        short = re.sub(r"[^\w.-]+", "-", name.partition("@")[0])[:40].strip("-.") or "unnamed"
        taken = {folder.lower() for folder in chosen.values()}
        chosen[name] = next(f for f in (short, *(f"{short}-{n}" for n in range(2, 999))) if f.lower() not in taken)
    return chosen


def _choose(
    people: People, untouched: Untouched, intake: Intake, name: str
) -> dict[ClipKey, dict[int, list[HandPose]]]:
    """The joints to store of each clip's frames."""
    chosen: dict[ClipKey, dict[int, list[HandPose]]] = {}
    for key, frames in people.items():
        for number, persons in frames.items():
            hands, predicted = untouched.hands(key, number, persons)
            if predicted:
                intake.left_out[_PREDICTIONS] += predicted
            for hand in hands:
                intake.note_moves(hand)
                intake.layers[name] += int(hand.placed.sum())
                left = hand.pose.visibility[~hand.placed]
                if (left > 0).any():
                    intake.left_out[_AS_EXPORTED] += int((left > 0).sum())
            if any(hand.placed.any() for hand in hands):
                chosen.setdefault(key, {})[number] = hands
                intake.clips.add(key)
                intake.frames.add((key, number))
    if name in intake.layers and not intake.layers[name]:
        del intake.layers[name]
    return chosen
