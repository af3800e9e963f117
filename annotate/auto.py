"""Automatic poses: find the diver, crop, estimate, smooth; one part file a dive under ``poses/auto``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from annotate.crop import crop, to_frame
from annotate.estimators.base import Estimator
from annotate.locate import locate
from annotate.smooth import smooth
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError, FrameError
from finediving_pose.frames import FrameFolder, is_complete, open_frames
from finediving_pose.poses import ClipPoses, JointSource, Visibility, read_poses, write_poses
from finediving_pose.progress import track
from finediving_pose.workspace import Workspace, remove_part_files

LOW_SHOWN = 5


@dataclass(slots=True)
class AutoSummary:
    """What an automatic annotation did.

    Attributes
    ----------
    annotated : clips done now
    kept : clips that had automatic poses already
    frames : frames done now
    seconds : time they took
    failed : one line for every clip that could not be annotated
    confidence : mean joint confidence of every clip, done now or kept
    """

    annotated: int = 0
    kept: int = 0
    frames: int = 0
    seconds: float = 0.0
    failed: list[str] = field(default_factory=list)
    confidence: dict[ClipKey, float] = field(default_factory=dict)

    def lowest(self, n: int = LOW_SHOWN) -> list[tuple[ClipKey, float]]:
        """The ``n`` clips that the estimator was least sure of, worst first."""
        return sorted(self.confidence.items(), key=lambda item: (item[1], item[0]))[:n]

    def as_dict(self) -> dict[str, Any]:
        """For the command line."""
        rate = self.frames / self.seconds if self.seconds else 0.0
        return {
            "annotated": self.annotated,
            "kept": self.kept,
            "frames": self.frames,
            "frames_per_second": round(rate, 1),
            "lowest_confidence": [f"{key} ({c:.2f})" for key, c in self.lowest()],
            "failed": self.failed,
        }


def annotate_clips(
    workspace: Workspace,
    clips: Sequence[Clip],
    locator: Estimator,
    estimator: Estimator,
    *,
    force: bool = False,
    smoothed: bool = True,
) -> AutoSummary:
    """Write automatic poses for every clip that has none yet (or all of them, with ``force``).

    Smoothed over time unless asked otherwise (:mod:`annotate.smooth`). A clip whose frames are missing
    or damaged is reported in ``failed``; the others go on.
    """
    summary = AutoSummary()
    for clip in track(clips, "annotating"):
        path = workspace.pose_file("auto", clip.key)
        try:
            if path.is_file() and not force:
                poses = read_poses(path)
                summary.kept += 1
            else:
                started = time.monotonic()
                poses = annotate_clip(_frames(workspace, clip.key), locator, estimator)
                poses = smooth(poses) if smoothed else poses
                remove_part_files(path)
                write_poses(path, poses)
                summary.annotated += 1
                summary.frames += len(poses)
                summary.seconds += time.monotonic() - started
            summary.confidence[clip.key] = float(poses.confidence.mean()) if len(poses) else 0.0
        except FdposeError as e:
            summary.failed.append(str(e))
    return summary


def annotate_clip(frames: FrameFolder, locator: Estimator, estimator: Estimator) -> ClipPoses:
    """Poses of one diver in every frame of a clip. Raises FrameError where a picture is missing or damaged."""
    pictures = [frames.read(n) for n in frames.numbers]
    boxes, _ = locate(pictures, locator)
    fractions, confidence = estimator.estimate(crop(pictures, boxes, estimator))
    n = len(pictures)
    return ClipPoses(
        frame=np.array(frames.numbers),
        person=np.zeros(n),
        box=boxes,
        keypoints=to_frame(fractions, boxes, estimator),
        visibility=np.where(confidence > 0, Visibility.VISIBLE, Visibility.ABSENT),
        confidence=confidence,
        source=np.where(confidence > 0, JointSource.AUTOMATIC, JointSource.NONE),
        author=[estimator.id] * n,
        time=[datetime.now(UTC).isoformat(timespec="seconds")] * n,
    )


def _frames(workspace: Workspace, key: ClipKey) -> FrameFolder:
    if not is_complete(workspace, key):
        raise FrameError(f"{key}: no complete frames; run: fdpose extract --clip {key}")
    return open_frames(workspace, key)
