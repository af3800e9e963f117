"""Which frames to annotate next: those of the dives that the estimator is least sure of.

A dive is worth more the lower the mean confidence of its frames, the more joints were moved by smoothing, the more
limbs are longer than the diver's own, and the further joints are from those of the mirror image. Half of the frames are
from the dives that are worth most, a few of each, drawn at random within a dive: its hardest frames teach less than its
usual ones. The other half are drawn at random from the other dives. Frames near a chosen one, of the same dive, or of
the same dive number are worth less, since they show the same thing again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import zip_longest
from operator import attrgetter

import numpy as np

from annotate.consistency import APART, long_limbs
from annotate.crop import crop
from annotate.estimators.base import Estimator
from annotate.estimators.presets import resolve
from annotate.pipeline import BATCH
from annotate.suggestion import Suggestion
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.frames import open_frames
from finediving_pose.lexicon import ENTRY
from finediving_pose.poses import JointSource, read_poses, take_rows
from finediving_pose.progress import track
from finediving_pose.reviews import reviews_of_clip
from finediving_pose.workspace import Workspace

NEAR_FRAMES = 8
SAME_CLIP, SAME_NUMBER = 0.85, 0.95
"""A frame's promise is multiplied by this for every chosen frame of its dive, and of its dive number."""

MIRRORED = 4
"""This many times the wanted frames, the most promising by their stored poses, are estimated again, mirrored."""
ENTRY_SHOWN = 0.1
"""Share of the entry stage in which most of the diver is still above the water."""


def suggest(workspace: Workspace, clips: Sequence[Clip], n: int, device: str = "cpu") -> list[Suggestion]:
    """``n`` frames with a diver by the automatic poses, and no hand poses; the same frames at every call.

    Every other frame is from the dives that are worth most, those first; the rest are drawn at random from the other
    dives, since an estimator that learns only from hard dives forgets the easy ones (docs/experiments/suggestions.md).
    So a person can stop anywhere in the list. The estimator that made the poses estimates some frames again, on
    ``device``.

    Raises
    ------
    PoseError
        No clip has automatic poses, or every frame in which they show a diver is annotated by hand.
    SetupError
        The device is not there.
    """

    @cache
    def author(name: str) -> Estimator | None:
        try:
            return resolve(name, workspace).load(device)[1]
        except (UsageError, PoseError):  # of the user's own --config, or deleted or damaged since
            return None

    luck = np.random.default_rng(0)
    stored = [s for clip in track(clips, "reading poses") for s in _of_clip(workspace, clip)]
    candidates = [replace(s, luck=luck.random()) for s in stored]
    if not candidates:
        posed = any(workspace.pose_file("auto", c.key).is_file() for c in clips)
        why = "the automatic poses show a diver only in frames that are annotated" if posed else "no automatic poses"
        raise PoseError(f"{workspace.root}: {why}; run: fdpose annotate --auto")
    numbers = {c.key: c.action_type for c in clips}
    candidates, hard = _with_dives(candidates), n - n // 2
    first = _varied(candidates, numbers, MIRRORED * hard, attrgetter("promise"))
    first = _with_gaps_of_dives(_with_mirror_gaps(workspace, first, author))
    hardest = _varied(first, numbers, hard, attrgetter("promise"))
    others = [replace(s, by_lot=True) for s in candidates]
    usual = _varied(others, numbers, n - len(hardest), attrgetter("visible"), hardest)
    usual = _with_mirror_gaps(workspace, usual, author)
    return [s for pair in zip_longest(hardest, usual) for s in pair if s is not None]


def _of_clip(workspace: Workspace, clip: Clip) -> list[Suggestion]:
    path = workspace.pose_file("auto", clip.key)
    if not path.is_file():
        return []
    poses = read_poses(path)
    poses = take_rows(poses, np.flatnonzero(poses.has_diver))
    placed = np.isfinite(poses.keypoints).all(-1)
    by_hand, last = _annotated(workspace, clip.key), _end_of_the_diver(clip)
    doubt = 1 - np.average(poses.confidence, axis=1, weights=placed) if len(poses) else np.zeros(0)
    moved = (poses.source == JointSource.INTERPOLATED).mean(1)
    long = long_limbs(poses).mean(1)
    return [
        Suggestion(clip.key, int(f), float(doubt[i]), float(moved[i]), float(long[i]), person=int(poses.person[i]))
        for i, f in enumerate(poses.frame)
        if int(f) not in by_hand and int(f) < last
    ]


def _with_dives(candidates: Sequence[Suggestion]) -> list[Suggestion]:
    """The candidates with ``dive``, the mean worth of their dive's frames, weighted by how visible the diver is."""
    total: defaultdict[ClipKey, float] = defaultdict(float)
    seen: defaultdict[ClipKey, float] = defaultdict(float)
    for s in candidates:
        total[s.key] += s.visible * s.worth
        seen[s.key] += s.visible
    return [replace(s, dive=total[s.key] / seen[s.key] if seen[s.key] else 0.0) for s in candidates]


def _with_gaps_of_dives(measured: Sequence[Suggestion]) -> list[Suggestion]:
    """The same, with the mirror images of a dive's frames as a fourth reason for the dive."""
    gaps: defaultdict[ClipKey, list[float]] = defaultdict(list)
    for s in measured:
        gaps[s.key] += [] if s.mirrored is None else [s.mirrored]
    return [replace(s, dive=(3 * s.dive + float(np.mean(gaps[s.key]))) / 4) if gaps[s.key] else s for s in measured]


def _with_mirror_gaps(
    workspace: Workspace, candidates: Sequence[Suggestion], author: Callable[[str], Estimator | None]
) -> list[Suggestion]:
    """The candidates with ``mirrored``, from the estimator that made their poses; unchanged where that is gone."""
    by_author: dict[str, list[tuple[Suggestion, np.ndarray]]] = defaultdict(list)
    tables = {key: read_poses(workspace.pose_file("auto", key)) for key in {s.key for s in candidates}}
    for s in candidates:
        poses = tables[s.key]
        row = poses.row(s.frame, s.person)
        assert row is not None
        by_author[poses.author[row]].append((s, poses.box[row]))
    found = []
    for name, group in by_author.items():
        estimator = author(name)
        if estimator is None:
            found += [s for s, _ in group]
            continue
        batches = [group[i : i + BATCH] for i in range(0, len(group), BATCH)]
        for batch in track(batches, "estimating mirror images", "frames", count=len):
            part, boxes = zip(*batch, strict=True)
            pictures = (open_frames(workspace, s.key).read(s.frame) for s in part)  # one at a time in memory
            gaps = estimator.mirror_gaps(crop(pictures, np.stack(boxes), estimator)) / APART
            found += [replace(s, mirrored=g) for s, g in zip(part, gaps.clip(0, 1).mean(1).tolist(), strict=True)]
    return found


def _end_of_the_diver(clip: Clip) -> float:
    """The frame number from which the diver is under water, by the labelled stages; infinite where there are none."""
    if not clip.sub_actions or clip.n_frames is None or clip.sub_actions[-1] != ENTRY:
        return float("inf")
    start = clip.stage_starts[-1]
    return (clip.start_frame or 0) + start + ENTRY_SHOWN * (clip.n_frames - start)


def _annotated(workspace: Workspace, key: ClipKey) -> set[int]:
    """Frames in which somebody placed joints, or said something of a pose."""
    reviewed = {r.frame for r in reviews_of_clip(workspace, key) if r.state}
    files = [workspace.pose_file(layer, key) for layer in workspace.manual_layers()]
    return reviewed | {int(f) for path in files if path.is_file() for f in read_poses(path).frame}


def _varied(
    candidates: Sequence[Suggestion],
    numbers: dict[ClipKey, str | None],
    n: int,
    promise: Callable[[Suggestion], float],
    before: Sequence[Suggestion] = (),
) -> list[Suggestion]:
    """The ``n`` most promising, one by one; a chosen one (or one of ``before``) lowers the promise of those like it."""
    left = sorted(candidates, key=lambda s: (-promise(s), s.luck, s.key, s.frame))
    of_clip = Counter(s.key for s in before)
    of_number = Counter(numbers.get(s.key) for s in before)
    taken: defaultdict[ClipKey, list[int]] = defaultdict(list)
    for s in before:
        taken[s.key].append(s.frame)
    chosen: list[Suggestion] = []
    while left and len(chosen) < n:
        best, most = None, -1.0
        for s in left:
            if promise(s) <= most:
                break  # the rest promises less even before it is discounted
            if any(abs(s.frame - f) < NEAR_FRAMES for f in taken[s.key]):
                continue
            still = promise(s) * SAME_CLIP ** of_clip[s.key] * SAME_NUMBER ** of_number[numbers.get(s.key)]
            if still > most:
                best, most = s, still
        if best is None:
            break
        chosen.append(best)
        left.remove(best)
        of_clip[best.key] += 1
        of_number[numbers.get(best.key)] += 1
        taken[best.key].append(best.frame)
    return chosen
