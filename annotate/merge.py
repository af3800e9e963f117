"""Hand poses over automatic ones, joint by joint, with who placed what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from annotate.agreement import layer_hits
from annotate.compare import by_hand
from annotate.crop import box_of_joints
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError
from finediving_pose.journals.catch_up import catch_up
from finediving_pose.parallel import in_order, map_clips
from finediving_pose.persons import exchanged_divers, number_hands
from finediving_pose.poses import ClipPoses, JointSource, Visibility, read_poses, write_poses
from finediving_pose.reviews import reviews_of_clip
from finediving_pose.skeleton import JOINTS, N_JOINTS
from finediving_pose.workspace import Workspace, remove_part_files
from finediving_pose.writing import writing

WORTH_A_PROCESS = 200
"""Clips for which it pays to start one more process: merging one takes milliseconds, a process a second."""
CONFLICT_PIXELS = 10.0
"""About half a head in FineDiving's frames of 256 lines: what PCKh@0.5 would call a miss."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two annotators who placed a joint too far apart."""

    key: ClipKey
    frame: int
    joint: str
    annotators: tuple[str, str]
    distance: float

    def __str__(self) -> str:
        first, second = self.annotators
        return f"{self.key} frame {self.frame} {self.joint}: {first} and {second} differ by {self.distance:.0f} px"


@dataclass(slots=True)
class MergeSummary:
    """What a merge found.

    Attributes
    ----------
    clips, frames : how many are merged
    with_diver : frames of them in which a diver is
    joints : number of joints that are there, by source; ``none``: those that are not
    deleted : joints of which a person said that they are not there
    conflicts : see :class:`Conflict`
    right, compared : joints that people placed: where the machine is within half a head, and all of them
    """

    clips: int = 0
    frames: int = 0
    with_diver: int = 0
    joints: dict[str, int] = field(default_factory=lambda: {s.name.lower(): 0 for s in JointSource})
    deleted: int = 0
    conflicts: list[Conflict] = field(default_factory=list)
    right: int = 0
    compared: int = 0

    def add(self, other: MergeSummary) -> None:
        """Count what another merge found, too."""
        for name in ("clips", "frames", "with_diver", "deleted", "conflicts", "right", "compared"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for source, n in other.joints.items():
            self.joints[source] += n

    def as_dict(self) -> dict[str, Any]:
        """For the command line."""
        worst = sorted(self.conflicts, key=lambda c: -c.distance)[:5]
        return {
            "clips": self.clips,
            "frames": self.frames,
            "frames_with_a_diver": self.with_diver,
            **{f"joints_{name}": n for name, n in self.joints.items()},
            "joints_deleted_by_hand": self.deleted,
            "conflicts": len(self.conflicts),
            "worst_conflicts": [str(c) for c in worst],
            "machine_against_hand_pckh": round(self.right / self.compared, 4) if self.compared else None,
            "machine_against_hand_joints": self.compared,
        }


def merge_clips(
    workspace: Workspace,
    clips: Sequence[Clip],
    conflict_pixels: float = CONFLICT_PIXELS,
    jobs: int | None = None,
    scheduler: str | None = None,
) -> MergeSummary:
    """Write ``poses/merged`` for every clip that has automatic or hand poses.

    A joint placed by hand goes before one that was filled in or changed sides, and this before an automatic one. Of
    several annotators of a frame the one who worked last goes first (by name where that is equal). Two divers are
    numbered as the machine numbers them, or the first annotator where there is no machine; in ``fdpose review`` a
    person sees the machine's numbers, and what they exchange stays exchanged.

    Parameters
    ----------
    jobs, scheduler : see :func:`finediving_pose.parallel.map_clips`

    Raises
    ------
    PoseError
        A pose file or a review is damaged; the other clips are merged.
    SetupError
        There is no scheduler at the address.
    BusyError
        Another command is at work on these layers.
    """
    catch_up(workspace, "fdpose merge")
    layers = [*workspace.manual_layers(), "auto"]
    with writing("fdpose merge", [workspace.poses / "merged"], [workspace.poses / layer for layer in layers]):
        merge = partial(merge_clip, workspace, layers, conflict_pixels)
        found = in_order(clips, map_clips(merge, clips, jobs, "merging", scheduler=scheduler, worth=WORTH_A_PROCESS))
    summary, failed = MergeSummary(), []
    for _, outcome in found:
        if isinstance(outcome, FdposeError):
            failed.append(outcome)
        else:
            summary.add(outcome)
    if failed:
        others = f" (and {len(failed) - 1} more clips can't be merged)" if failed[1:] else ""
        failed[0].args = (f"{failed[0]}{others}",)
        raise failed[0]
    return summary


def merge_clip(workspace: Workspace, layers: Sequence[str], conflict_pixels: float, clip: Clip) -> MergeSummary:
    """Merge one clip's ``layers``, the machine's the last. Raises PoseError for a damaged file."""
    summary = MergeSummary()
    paths = [workspace.pose_file(layer, clip.key) for layer in layers]
    tables = [read_poses(p) if p.is_file() else None for p in paths]
    hands, auto = [t for t in tables[:-1] if t is not None], tables[-1]
    hands = number_hands(hands, auto, reviews_of_clip(workspace, clip.key) if hands else [])
    if not hands and auto is None:
        return summary
    merged = merge_tables(hands, auto)
    target = workspace.pose_file("merged", clip.key)
    remove_part_files(target)
    write_poses(target, merged)
    _count(summary, merged)
    summary.conflicts += find_conflicts(clip.key, hands, conflict_pixels)
    if hands and auto is not None:
        _compare(summary, auto, merge_tables(hands, None))
    return summary


def merge_tables(hands: Sequence[ClipPoses], auto: ClipPoses | None) -> ClipPoses:
    """One table with a row for every frame and person that any of the tables has.

    Where a person deleted every joint there is no diver, whatever the machine has; where the machine saw none, the
    joints that a person placed are the diver's.

    ``author`` names all whose joints are in the row, hands first, joined by ``+``, or who looked and saw nobody;
    ``time`` is the latest.
    """
    tables = [*hands, *([auto] if auto is not None else [])]
    places = sorted({(int(f), int(p)) for t in tables for f, p in zip(t.frame, t.person, strict=True)})
    merged = _empty(places)
    by_people = {(int(f), int(p)) for t in hands for f, p in zip(t.frame, t.person, strict=True)}
    if auto is not None:
        _fill_rows(merged, [at for at, place in enumerate(places) if place not in by_people], auto)
    for at, (frame, person) in enumerate(places):
        if (frame, person) not in by_people:
            continue
        found = [(t, i) for t in hands if (i := t.row(frame, person)) is not None]
        found.sort(key=lambda item: (item[0].time[item[1]], item[0].author[item[1]]), reverse=True)
        if auto is not None and (i := auto.row(frame, person)) is not None:
            found.append((auto, i))
        _fill_row(merged, at, found)
    return merged


def find_conflicts(key: ClipKey, hands: Sequence[ClipPoses], pixels: float) -> list[Conflict]:
    """Joints that two annotators placed more than ``pixels`` apart; filled in or exchanged ones are nobody's word."""
    found, hands = [], [by_hand(table) for table in hands]
    for a in range(len(hands)):
        for b in range(a + 1, len(hands)):
            one, two = _common(hands[a], hands[b])
            distance = np.linalg.norm(hands[a].keypoints[one] - hands[b].keypoints[two], axis=-1)
            for row, joint in np.argwhere(np.nan_to_num(distance) > pixels):
                pair = (hands[a].author[one[row]], hands[b].author[two[row]])
                frame = int(hands[a].frame[one[row]])
                found.append(Conflict(key, frame, JOINTS[joint], pair, float(distance[row, joint])))
    return found


def _fill_rows(merged: ClipPoses, where: Sequence[int], auto: ClipPoses) -> None:
    """Rows in which only the machine looked: what it has."""
    at = np.asarray(where, int)
    taken = [auto.row(int(merged.frame[i]), int(merged.person[i])) for i in where]
    rows = np.array([row for row in taken if row is not None], int)
    has = auto.source[rows] != JointSource.NONE
    for name in ("keypoints", "visibility", "confidence", "source"):
        values = getattr(merged, name)
        values[at] = np.where(has[..., None] if values.ndim == 3 else has, getattr(auto, name)[rows], values[at])
    merged.source[at] = _known(merged, at)
    around = box_of_joints(merged.keypoints[at])
    merged.box[at] = np.where(np.isfinite(auto.box[rows]).all(1, keepdims=True), auto.box[rows], around)
    for i, row in zip(where, rows.tolist(), strict=True):
        merged.author[i], merged.time[i] = auto.author[row], auto.time[row]


def _known(merged: ClipPoses, at: int | np.ndarray) -> np.ndarray:
    """Sources in rows; nobody's where the machine lacks the joint."""
    nobodys = (merged.source[at] == JointSource.AUTOMATIC) & (merged.visibility[at] == Visibility.ABSENT)
    return np.where(nobodys, JointSource.NONE, merged.source[at])


def _fill_row(merged: ClipPoses, at: int, found: list[tuple[ClipPoses, int]]) -> None:
    """Each joint from the first table in ``found`` in which a person placed it, else from the first that has it."""
    authors: list[str] = []
    placed = [(table, i, table.source[i] == JointSource.MANUAL) for table, i in found]
    for table, i, has in [*placed, *((table, i, table.source[i] != JointSource.NONE) for table, i in found)]:
        take = (merged.source[at] == JointSource.NONE) & has
        for name in ("keypoints", "visibility", "confidence", "source"):
            getattr(merged, name)[at, take] = getattr(table, name)[i, take]
        if take.any():
            authors.append(table.author[i])
    merged.source[at] = _known(merged, at)  # the machine may have lacked it on the other side
    looked = found[-1][0].author[found[-1][1]]  # the machine, where there is one, and nobody was there
    merged.author[at] = "+".join(dict.fromkeys(authors or [looked]))
    merged.time[at] = max(table.time[i] for table, i in found)
    table, i = found[-1]  # the machine's, where there is one: it looked for the whole diver
    merged.box[at] = table.box[i]
    own = (merged.source[at] == JointSource.MANUAL).all() or any(exchanged_divers(t)[i] for t, i in found[:-1])
    if own or not np.isfinite(table.box[i]).all():
        merged.box[at] = box_of_joints(merged.keypoints[at : at + 1])[0]


def _empty(places: list[tuple[int, int]]) -> ClipPoses:
    n = len(places)
    return ClipPoses(
        frame=np.array([f for f, _ in places], np.int32),
        person=np.array([p for _, p in places], np.int8),
        box=np.full((n, 4), np.nan),
        keypoints=np.full((n, N_JOINTS, 2), np.nan),
        visibility=np.full((n, N_JOINTS), Visibility.ABSENT),
        confidence=np.zeros((n, N_JOINTS)),
        source=np.full((n, N_JOINTS), JointSource.NONE),
        author=[""] * n,
        time=[""] * n,
    )


def _common(a: ClipPoses, b: ClipPoses) -> tuple[np.ndarray, np.ndarray]:
    """Row indices of the frames and persons that both tables have."""
    pairs = [
        (i, j)
        for i, (f, p) in enumerate(zip(a.frame, a.person, strict=True))
        if (j := b.row(int(f), int(p))) is not None
    ]
    one, two = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(one, int), np.array(two, int)


def _count(summary: MergeSummary, merged: ClipPoses) -> None:
    summary.clips += 1
    summary.frames += len(np.unique(merged.frame))
    summary.with_diver += len(np.unique(merged.frame[merged.has_diver]))
    there = merged.visibility != Visibility.ABSENT
    for source in JointSource:
        summary.joints[source.name.lower()] += int((there & (merged.source == source)).sum())
    summary.joints["none"] += int((~there).sum())
    summary.deleted += int((~there & (merged.source == JointSource.MANUAL)).sum())


def _compare(summary: MergeSummary, auto: ClipPoses, hands: ClipPoses) -> None:
    """Count the joints that people placed as ``fdpose compare`` counts them."""
    hand = by_hand(hands)
    one, two = _common(auto, hand)
    right, counted = layer_hits(auto.keypoints[one], hand.keypoints[two])
    summary.right += int(right.sum())
    summary.compared += int(counted.sum())
