"""Which frames a person should look at next: those of the dives that the estimator knows least.

A dive is worth more the less sure the estimator was on the mean of its frames, the more joints the smoothing had to
move, the more limbs are longer than the diver's own, and the further joints are from where they are in the mirror
image. Half of the frames are of the dives worth most, a few of each, within a dive by lot: its hardest frames teach
less than its usual ones. The other half are drawn by lot from the other dives. Frames near one that is chosen already,
of the same dive, or of the same dive number promise less, since they show the same thing again.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import zip_longest
from operator import attrgetter
from pathlib import Path

import numpy as np

from annotate.crop import crop
from annotate.estimators.base import Estimator
from annotate.estimators.presets import resolve
from annotate.pipeline import BATCH
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.frames import open_frames
from finediving_pose.lexicon import ENTRY
from finediving_pose.poses import ClipPoses, JointSource, read_poses
from finediving_pose.progress import track
from finediving_pose.skeleton import LIMBS
from finediving_pose.workspace import Workspace, atomic_write

NEAR_FRAMES = 8
SAME_CLIP, SAME_NUMBER = 0.85, 0.95
"""What is left of a frame's promise for every chosen frame of its dive, and of its dive number."""

LOOKED_AT = 4
"""As many times the wanted frames, most promising by their stored poses, are estimated once more, mirrored."""
APART = 0.1
"""A joint this far, in widths of the crop, from where the mirror image has it is as good as not known."""

NOTHING = 0.1
"""Below this mean confidence there is hardly a diver in the frame."""
LONG_LIMB = 1.5
ENTRY_SHOWN = 0.1
"""Share of the entry stage in which there is still most of a diver to annotate; afterwards there is water."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A frame worth a person's minute.

    Attributes
    ----------
    key, frame, person : the clip, the frame's number, and which of its divers
    doubt : 1 less the mean confidence of the joints
    moved : share of the joints that the smoothing moved
    long_limbs : share of the limbs that are longer than 1.5 times their usual length in the clip
    mirrored : how far the joints are from those of the mirror image, mean over the joints, 1 for :data:`APART` or more;
        None where nobody looked
    dive : mean worth of the dive's frames; of some of them where mirror images are concerned
    luck : decides among a dive's frames
    by_lot : it is one of the usual ones, named whatever its dive is worth
    """

    key: ClipKey
    frame: int
    doubt: float
    moved: float
    long_limbs: float
    mirrored: float | None = None
    person: int = 0
    dive: float = 0.0
    luck: float = 1.0
    by_lot: bool = False

    @property
    def worth(self) -> float:
        """What the frame tells of its dive, 0 to 1: the mean of the reasons."""
        reasons = [self.doubt, self.moved, self.long_limbs, *([] if self.mirrored is None else [self.mirrored])]
        return sum(reasons) / len(reasons)

    @property
    def promise(self) -> float:
        """What the frame promises: as much as its dive is worth, if there is somebody to see."""
        return self.visible * self.dive

    @property
    def visible(self) -> float:
        """1, but less where the mean confidence is below :data:`NOTHING`: there is mostly nothing to see there."""
        return min(1.0, (1 - self.doubt) / NOTHING)

    @property
    def why(self) -> str:
        """The strongest reason, in words."""
        if self.by_lot:
            return "drawn by lot"
        reasons = {
            self.doubt: f"confidence {1 - self.doubt:.2f}",
            self.moved: f"{self.moved:.0%} of the joints disagree with the frames around",
            self.long_limbs: f"{self.long_limbs:.0%} of the limbs are too long",
            self.mirrored or 0.0: "joints are elsewhere in the mirror image",
        }
        return reasons[max(reasons)]


def suggest(workspace: Workspace, clips: Sequence[Clip], n: int, device: str = "cpu") -> list[Suggestion]:
    """``n`` frames with automatic poses, not annotated by hand yet, always the same.

    Every other one is of the dives that are worth most, those first; the rest are drawn by lot, from the other dives:
    an estimator that learns only what it can't do forgets what it can (docs/annotate.md has the figures). So a person
    can stop anywhere. The estimator that made the poses looks at some frames once more, on ``device``.

    Raises PoseError where no clip has automatic poses, SetupError where the device is not there.
    """

    @cache
    def author(name: str) -> Estimator | None:
        try:
            return resolve(name, workspace).load(device)[1].quick
        except (UsageError, PoseError):  # of a --config of one's own, deleted or damaged since
            return None

    luck = np.random.default_rng(0)
    candidates = [replace(s, luck=luck.random()) for clip in track(clips, "looking") for s in _of_clip(workspace, clip)]
    if not candidates:
        raise PoseError(f"{workspace.root}: no automatic poses to look at; run: fdpose annotate --auto")
    numbers = {c.key: c.action_type for c in clips}
    candidates, hard = _with_dives(candidates), n - n // 2
    first = _varied(candidates, numbers, LOOKED_AT * hard, attrgetter("promise"))
    hardest = _varied(_with_mirrors(_looked_at(workspace, first, author)), numbers, hard, attrgetter("promise"))
    others = [replace(s, by_lot=True) for s in candidates]
    usual = _varied(others, numbers, n - len(hardest), attrgetter("visible"), hardest)
    return [s for pair in zip_longest(hardest, _looked_at(workspace, usual, author)) for s in pair if s is not None]


def write_suggestions(path: Path, suggestions: Sequence[Suggestion]) -> Path:
    """A CSV file with a row a frame, whole or not at all."""
    with atomic_write(path) as part, open(part, "w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(["image", "dive_worth", "worth", "why"])
        writer.writerows([f"{s.key}/{s.frame:05d}.jpg", f"{s.dive:.3f}", f"{s.worth:.3f}", s.why] for s in suggestions)
    return path


def _of_clip(workspace: Workspace, clip: Clip) -> list[Suggestion]:
    path = workspace.pose_file("auto", clip.key)
    if not path.is_file():
        return []
    poses = read_poses(path)
    by_hand, last = _annotated(workspace, clip.key), _end_of_the_diver(clip)
    doubt = 1 - poses.confidence.mean(1)
    moved = (poses.source == JointSource.INTERPOLATED).mean(1)
    long_limbs = _long_limbs(poses)
    return [
        Suggestion(
            clip.key, int(f), float(doubt[i]), float(moved[i]), float(long_limbs[i]), person=int(poses.person[i])
        )
        for i, f in enumerate(poses.frame)
        if int(f) not in by_hand and int(f) < last
    ]


def _with_dives(candidates: Sequence[Suggestion]) -> list[Suggestion]:
    """The candidates with the mean worth of their dive's frames, those in which there is nothing to see left out."""
    total: defaultdict[ClipKey, float] = defaultdict(float)
    seen: defaultdict[ClipKey, float] = defaultdict(float)
    for s in candidates:
        total[s.key] += s.visible * s.worth
        seen[s.key] += s.visible
    return [replace(s, dive=total[s.key] / seen[s.key] if seen[s.key] else 0.0) for s in candidates]


def _with_mirrors(looked_at: Sequence[Suggestion]) -> list[Suggestion]:
    """The same, with the mirror images of a dive's frames as one more reason for the dive."""
    gaps: defaultdict[ClipKey, list[float]] = defaultdict(list)
    for s in looked_at:
        gaps[s.key] += [] if s.mirrored is None else [s.mirrored]
    return [replace(s, dive=(3 * s.dive + float(np.mean(gaps[s.key]))) / 4) if gaps[s.key] else s for s in looked_at]


def _looked_at(
    workspace: Workspace, candidates: Sequence[Suggestion], author: Callable[[str], Estimator | None]
) -> list[Suggestion]:
    """The candidates with ``mirrored``, from the estimator that made their poses; as they are where that is gone."""
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
        for i in range(0, len(group), BATCH):
            part, boxes = zip(*group[i : i + BATCH], strict=True)
            pictures = [open_frames(workspace, s.key).read(s.frame) for s in part]
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
    files = [workspace.pose_file(layer, key) for layer in workspace.manual_layers()]
    return {int(f) for path in files if path.is_file() for f in read_poses(path).frame}


def _long_limbs(poses: ClipPoses) -> np.ndarray:
    """Share of each row's limbs that are longer than 1.5 times their 75th percentile in the clip: float (n,)."""
    a, b = np.array(LIMBS).T
    lengths = np.linalg.norm(poses.keypoints[:, a] - poses.keypoints[:, b], axis=-1)  # (n, 15)
    if not len(lengths):
        return np.zeros(0)
    usual = np.nanpercentile(lengths, 75, axis=0)
    return np.asarray(lengths > LONG_LIMB * usual).mean(1)


def _varied(
    candidates: Sequence[Suggestion],
    numbers: dict[ClipKey, str | None],
    n: int,
    promise: Callable[[Suggestion], float],
    before: Sequence[Suggestion] = (),
) -> list[Suggestion]:
    """What promises most, one by one, each (and those ``before``) making its like promise less; by lot among equals."""
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


def write_sheet(path: Path, workspace: Workspace, suggestions: Sequence[Suggestion]) -> Path:
    """The frames with the machine's pose, side by side, the best first: a PNG picture.

    Raises FrameError where a picture is missing or damaged.
    """
    import cv2

    from finediving_pose.frames import open_frames
    from finediving_pose.report.overlay import contact_sheet, join_tiles

    tiles = [
        contact_sheet(
            open_frames(workspace, s.key), read_poses(workspace.pose_file("auto", s.key)), [s.frame], words=_caption(s)
        )
        for s in suggestions
    ]
    ok, data = cv2.imencode(".png", cv2.cvtColor(join_tiles(tiles, columns=6), cv2.COLOR_RGB2BGR))
    assert ok
    with atomic_write(path) as part:
        part.write_bytes(data.tobytes())
    return path


def _caption(s: Suggestion) -> str:
    video = s.key.video if len(s.key.video) <= 16 else f"...{s.key.video[-13:]}"
    return f"{video}/{s.key.index} {s.frame:05d}"
