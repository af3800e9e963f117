"""What the rules on poses look at: the poses of one clip in one layer, and what lies around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError, PoseError
from finediving_pose.frames import FrameFolder, frame_name, open_frames
from finediving_pose.poses import ClipPoses, Visibility, read_poses
from finediving_pose.reviews import Review, reviews_of_clip
from finediving_pose.skeleton import JOINTS
from finediving_pose.validate.rules import Finding
from finediving_pose.validate.words import counted
from finediving_pose.workspace import Workspace


@dataclass
class LayerPoses:
    """A clip's poses in one layer, and its frames where there are any.

    Sizes are fractions of the diver's, the diagonal of the box around the joints that are present,
    so that thresholds hold at any picture size.

    Attributes
    ----------
    clip : Clip
    layer : ``auto``, ``merged`` or ``manual/NAME``
    poses : None where the file can't be read, and ``problem`` says why
    frames : the clip's frame folder, None where there is none
    others : poses of the clip's other layers, as far as they can be read
    reviews : what people say of the clip's poses, whichever layer they saw; none where a file of
        theirs can't be read, and ``review_problem`` says why
    """

    clip: Clip
    layer: str
    poses: ClipPoses | None
    frames: FrameFolder | None = None
    problem: str = ""
    others: dict[str, ClipPoses] = field(default_factory=dict)
    reviews: list[Review] = field(default_factory=list)
    review_problem: str = ""

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """bool (n, 16), joints with a place in the picture."""
        assert self.poses
        return (self.poses.visibility != Visibility.ABSENT) & np.isfinite(self.poses.keypoints).all(-1)

    @cached_property
    def points(self) -> NDArray[np.float32]:
        """float32 (n, 16, 2), keypoints in pixels, NaN where not present."""
        assert self.poses
        return np.where(self.present[..., None], self.poses.keypoints, np.float32(np.nan))

    @cached_property
    def extent(self) -> NDArray[np.float64]:
        """float (n, 4), x1 y1 x2 y2 around the present joints; NaN where there is none."""
        extent = np.full((len(self.points), 4), np.nan)
        some = self.present.any(1)
        extent[some] = np.hstack([np.nanmin(self.points[some], 1), np.nanmax(self.points[some], 1)])
        return extent

    @cached_property
    def size(self) -> NDArray[np.float64]:
        """float (n,), diagonal of the extent in pixels."""
        return np.hypot(self.extent[:, 2] - self.extent[:, 0], self.extent[:, 3] - self.extent[:, 1])

    @cached_property
    def usual_size(self) -> float:
        """Median of ``size``, which one misplaced joint does not change; infinite where there is no pose."""
        known = self.size[np.isfinite(self.size)]
        return float(np.median(known)) if len(known) else float("inf")

    @cached_property
    def neighbours(self) -> list[tuple[int, int]]:
        """Rows of the same person in consecutive frames."""
        assert self.poses
        pairs: list[tuple[int, int]] = []
        for person in np.unique(self.poses.person):
            rows = np.flatnonzero(self.poses.person == person).tolist()
            pairs += [(a, b) for a, b in pairwise(rows) if self.poses.frame[b] == self.poses.frame[a] + 1]
        return pairs

    @property
    def by_hand(self) -> bool:
        return self.layer.startswith("manual")

    def finding(self, what: str, frame: int | None = None, found: object = "", expected: object = "") -> Finding:
        return Finding(
            self.clip.key,
            f"{self.layer}: {what}",
            found=str(found),
            expected=str(expected),
            frame=None if frame is None else int(frame),
            layer=self.layer,
        )

    def on_joints(self, what: str, joints: NDArray[np.bool_], expected: object = "") -> Finding:
        """``what: N joints in M frames, first 00012.jpg (left_wrist, left_elbow)`` of a bool (n, 16), not all False."""
        assert self.poses
        rows = np.flatnonzero(joints.any(1))
        names = [JOINTS[j] for j in np.flatnonzero(joints[rows[0]])]
        n, m, first = int(joints.sum()), len(set(self.poses.frame[rows].tolist())), int(self.poses.frame[rows[0]])
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        many = f"{counted(n, 'joint')} in {counted(m, 'frame')}"
        found = self.finding(f"{what}: {many}, first {frame_name(first)} ({shown})", first, many, expected)
        return replace(found, joints=tuple(names))

    def on_rows(self, what: str, rows: NDArray[np.integer], expected: object = "") -> Finding:
        """``what in N frames, first 00012.jpg`` of row numbers, not empty."""
        assert self.poses
        frames = self.poses.frame[rows]
        many = counted(len(set(frames.tolist())), "frame")
        return self.finding(f"{what} in {many}, first {frame_name(int(frames[0]))}", frames[0], many, expected)


def load_layers(workspace: Workspace, clip: Clip) -> Iterator[LayerPoses]:
    """Poses of a clip in every layer that has some.

    Merged poses that were made of one layer alone, and are the same, are left out: they would say everything twice.
    """
    paths = {name: path for name in workspace.layers() if (path := workspace.pose_file(name, clip.key)).is_file()}
    if not paths:
        return
    try:
        frames = open_frames(workspace, clip.key)
    except FdposeError:
        frames = None  # the frame rules say what is wrong with it
    tables: dict[str, ClipPoses] = {}
    problems: dict[str, str] = {}
    for name, path in paths.items():
        try:
            tables[name] = read_poses(path)
        except PoseError as e:
            problems[name] = str(e)
    try:
        reviews, review_problem = reviews_of_clip(workspace, clip.key), ""
    except PoseError as e:
        reviews, review_problem = [], str(e)
    for name in paths:
        others = {n: t for n, t in tables.items() if n != name}
        if (
            name == "merged"
            and len(paths) == 2
            and name in tables
            and any(_same(tables[name], t) for t in others.values())
        ):
            continue
        yield LayerPoses(clip, name, tables.get(name), frames, problems.get(name, ""), others, reviews, review_problem)


def _same(a: ClipPoses, b: ClipPoses) -> bool:
    """Whether two tables have the same rows, places and sources."""
    columns = ("frame", "person", "box", "keypoints", "visibility", "confidence", "source")
    return all(np.array_equal(getattr(a, c), getattr(b, c), equal_nan=True) for c in columns)
