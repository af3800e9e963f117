"""Rules on the poses of one clip in one layer (``auto``, ``merged`` or ``manual/NAME``).

Thresholds are fractions of the diver's size, the diagonal of the box around the joints
that are present, so that they hold at any picture size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError, PoseError
from finediving_pose.frames import FrameFolder, frame_name, open_frames
from finediving_pose.poses import ClipPoses, JointSource, Visibility, read_poses
from finediving_pose.skeleton import JOINTS
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.workspace import Workspace

OUTSIDE_PIXELS = 2.0
OUTSIDE_BOX = 0.15
JOINT_LEAP = 1.0
BODY_LEAP = 2.0
COVERAGE = 0.9


@dataclass
class LayerPoses:
    """A clip's poses in one layer, and its frames where there are any.

    ``poses`` is None where the file can't be read, and ``problem`` says why.
    """

    clip: Clip
    layer: str
    poses: ClipPoses | None
    frames: FrameFolder | None = None
    problem: str = ""

    @cached_property
    def present(self) -> np.ndarray:
        """bool (n, 16), joints with a place in the picture."""
        assert self.poses
        return (self.poses.visibility != Visibility.ABSENT) & np.isfinite(self.poses.keypoints).all(-1)

    @cached_property
    def extent(self) -> np.ndarray:
        """float (n, 4), x1 y1 x2 y2 around the present joints; NaN where there is none."""
        assert self.poses
        points = np.where(self.present[..., None], self.poses.keypoints, np.nan)
        extent = np.full((len(points), 4), np.nan)
        some = self.present.any(1)
        extent[some] = np.hstack([np.nanmin(points[some], 1), np.nanmax(points[some], 1)])
        return extent

    @cached_property
    def size(self) -> np.ndarray:
        """float (n,), diagonal of the extent in pixels."""
        return np.hypot(self.extent[:, 2] - self.extent[:, 0], self.extent[:, 3] - self.extent[:, 1])

    @cached_property
    def usual_size(self) -> float:
        """Median of ``size``, which one misplaced joint does not change; infinite where there is no pose."""
        known = self.size[np.isfinite(self.size)]
        return float(np.median(known)) if len(known) else float("inf")

    def finding(self, what: str) -> Finding:
        return Finding(self.clip.key, f"{self.layer}: {what}")


def load_layers(workspace: Workspace, clip: Clip) -> Iterator[LayerPoses]:
    """Poses of a clip in every layer that has some."""
    frames = None
    layers = ["auto", "merged", *(f"manual/{name}" for name in workspace.manual_annotators())]
    for layer in layers:
        path = workspace.pose_file(layer, clip.key)
        if not path.is_file():
            continue
        try:
            frames = frames or open_frames(workspace, clip.key)
        except FdposeError:
            frames = None  # the frame rules say what is wrong with it
        try:
            yield LayerPoses(clip, layer, read_poses(path), frames)
        except PoseError as e:
            yield LayerPoses(clip, layer, None, frames, str(e))


@rule("pose.readable", severity="error")
def pose_file_is_readable(layer: LayerPoses) -> Iterator[Finding]:
    """A pose file is a pose table."""
    if layer.problem:
        yield layer.finding(layer.problem)


@rule("pose.values", severity="error")
def values_are_in_range(layer: LayerPoses) -> Iterator[Finding]:
    """Visibility is 0 to 2, source 0 to 3, confidence 0 to 1, and a joint that is seen has a place."""
    poses = layer.poses
    if poses is None:
        return
    wrong = {
        f"visibility is not 0 to {max(Visibility)}": poses.visibility > max(Visibility),
        f"source is not 0 to {max(JointSource)}": poses.source > max(JointSource),
        "confidence is not between 0 and 1": ~((poses.confidence >= 0) & (poses.confidence <= 1)),
        "a joint is seen but has no place": (poses.visibility == Visibility.VISIBLE)
        & ~np.isfinite(poses.keypoints).all(-1),
    }
    for what, joints in wrong.items():
        if joints.any():
            yield layer.finding(f"{what}: {_where(poses, joints)}")


@rule("pose.frame-exists", severity="error")
def frames_of_poses_exist(layer: LayerPoses) -> Iterator[Finding]:
    """There is a pose only where there is a frame."""
    known = layer.frames.numbers if layer.frames else layer.clip.frame_range
    if layer.poses is None or known is None:
        return
    strangers = sorted({int(f) for f in layer.poses.frame} - set(known))
    if strangers:
        yield layer.finding(
            f"{len(strangers)} poses for frames that the clip does not have, first {frame_name(strangers[0])};"
            f" it has {min(known)} to {max(known)}"
        )


@rule("pose.persons", severity="warning")
def persons_are_as_many_as_divers(layer: LayerPoses) -> Iterator[Finding]:
    """One person in individual dives, two in synchronised ones."""
    if layer.poses is None or not len(layer.poses) or layer.clip.synchronised is None:
        return
    found, divers = int(layer.poses.person.max()) + 1, 2 if layer.clip.synchronised else 1
    if found != divers:
        kind = "a synchronised" if divers == 2 else "an individual"
        yield layer.finding(f"{found} person{'s' * (found > 1)} in {kind} dive")


@rule("pose.coverage", severity="warning")
def most_frames_have_a_pose(layer: LayerPoses) -> Iterator[Finding]:
    """Nine of ten frames before the entry have a pose.

    Before the last stage, that is, or in the first two thirds of a clip without stages. Hand
    poses may be few.
    """
    if layer.poses is None or layer.frames is None or layer.layer.startswith("manual"):
        return
    numbers = layer.frames.numbers
    before = set(numbers[: layer.clip.stage_starts[-1] if layer.clip.stage_starts else len(numbers) * 2 // 3])
    posed = set(layer.poses.frame[layer.present.sum(1) >= len(JOINTS) // 2].tolist())
    share = len(posed & before) / max(len(before), 1)
    if share < COVERAGE:
        yield layer.finding(f"only {share:.0%} of the frames before the entry have a pose of 8 joints or more")


@rule("pose.outside-picture", severity="warning")
def joints_are_in_the_picture(layer: LayerPoses) -> Iterator[Finding]:
    """A joint that is present lies inside the picture."""
    if layer.poses is None or layer.frames is None:
        return
    last = np.array([layer.frames.width - 1, layer.frames.height - 1])
    points = layer.poses.keypoints
    out = ((points < -OUTSIDE_PIXELS) | (points > last + OUTSIDE_PIXELS)).any(-1) & layer.present
    if out.any():
        size = f"{layer.frames.width} x {layer.frames.height}"
        yield layer.finding(f"joints outside the picture of {size}: {_where(layer.poses, out)}")


@rule("pose.box", severity="warning")
def box_holds_the_joints(layer: LayerPoses) -> Iterator[Finding]:
    """The box holds the joints, within 15 % of the diver's size."""
    if layer.poses is None:
        return
    box, margin = layer.poses.box, OUTSIDE_BOX * layer.size
    with np.errstate(invalid="ignore"):
        beyond = np.maximum(box[:, None, :2] - layer.poses.keypoints, layer.poses.keypoints - box[:, None, 2:]).max(-1)
        out = (beyond > margin[:, None]) & layer.present
    if out.any():
        yield layer.finding(f"joints outside the box: {_where(layer.poses, out)}")


@rule("pose.joint-leap", severity="warning")
def joints_do_not_leap(layer: LayerPoses) -> Iterator[Finding]:
    """From one frame to the next no joint moves by the diver's own size against the rest of the body."""
    if layer.poses is None:
        return
    leaps = np.zeros(layer.present.shape, bool)
    for a, b in _neighbours(layer.poses):
        both = layer.present[a] & layer.present[b]
        if both.sum() >= 4:
            move = layer.poses.keypoints[b] - layer.poses.keypoints[a]
            against = np.linalg.norm(move - np.median(move[both], axis=0), axis=-1)
            leaps[b] = both & (against > JOINT_LEAP * layer.usual_size)
    if leaps.any():
        yield layer.finding(f"joints leap: {_where(layer.poses, leaps)}")


@rule("pose.body-leap", severity="warning")
def body_does_not_leap(layer: LayerPoses) -> Iterator[Finding]:
    """From one frame to the next the diver moves by less than twice the own size."""
    if layer.poses is None:
        return
    leaps = np.zeros(len(layer.poses), bool)
    for a, b in _neighbours(layer.poses):
        both = layer.present[a] & layer.present[b]
        if both.any():
            move = np.median((layer.poses.keypoints[b] - layer.poses.keypoints[a])[both], axis=0)
            leaps[b] = np.linalg.norm(move) > BODY_LEAP * layer.usual_size
    if leaps.any():
        frames = layer.poses.frame[leaps]
        many = f"{len(frames)} frame{'s' * (len(frames) > 1)}, first {frame_name(int(frames[0]))}"
        yield layer.finding(f"the diver leaps in {many}; another person, or a cut")


def _neighbours(poses: ClipPoses) -> Iterator[tuple[int, int]]:
    """Rows of the same person in consecutive frames."""
    for person in np.unique(poses.person):
        rows = np.flatnonzero(poses.person == person)
        yield from ((int(a), int(b)) for a, b in pairwise(rows) if poses.frame[b] == poses.frame[a] + 1)


def _where(poses: ClipPoses, joints: np.ndarray) -> str:
    """``N joints in M frames, first 00012.jpg (left_wrist, left_elbow)`` of a bool (n, 16)."""
    rows = np.flatnonzero(joints.any(1))
    names = [JOINTS[j] for j in np.flatnonzero(joints[rows[0]])]
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    n, m = int(joints.sum()), len(set(poses.frame[rows].tolist()))
    return (
        f"{n} joint{'s' * (n > 1)} in {m} frame{'s' * (m > 1)}, first {frame_name(int(poses.frame[rows[0]]))} ({shown})"
    )
