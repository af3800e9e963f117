"""Automatic poses of many clips: in this process, in several, on several GPUs, or on a Dask cluster.

Clips are dealt out in groups of a few hundred frames. Each is located, estimated, smoothed and written, one part file
a clip under ``poses/auto``; what is written stays, so a stopped run goes on where it was. Every frame and diver has a
row; one without joints says that the diver is not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import numpy as np

from annotate.estimators.base import Estimator, Finder
from annotate.estimators.openvino import Engine
from annotate.estimators.presets import Preset
from annotate.pipeline import poses_of_clips
from annotate.presence import mark_visibility
from annotate.smooth import smooth
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import FdposeError, FrameError
from finediving_pose.frames import FrameFolder, is_complete, open_frames
from finediving_pose.memory import keep_memory
from finediving_pose.parallel import default_jobs, map_clips
from finediving_pose.poses import ClipPoses, read_poses, write_poses
from finediving_pose.spreadsheet import write_csv
from finediving_pose.workspace import Workspace, remove_part_files
from finediving_pose.writing import writing

GROUP = 256
"""Frames that are worked on together; a kill loses no more, but of a longer clip."""

AUTO = "auto"
"""A device that the process chooses that computes on it."""

LOW_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Machinery:
    """Which estimator runs, and where. It travels to the processes that do the work.

    Attributes
    ----------
    preset : the checkpoints
    devices : as torch names them; groups of clips take turns on them. ``auto``, with ``scheduler``, is the first GPU of
        the worker, or its processor
    bf16 : compute in bfloat16; None where the device has it
    flip : with a flip test
    thorough : take the mean over many views of every crop, where the estimator has them
    engine : what computes the networks
    jobs : processes; None for one a device
    scheduler : address of a Dask scheduler whose workers see the same paths, in place of ``jobs``
    """

    preset: Preset
    devices: tuple[str, ...] = ("cpu",)
    bf16: bool | None = None
    flip: bool = False
    thorough: bool = False
    engine: Engine = "torch"
    jobs: int | None = None
    scheduler: str | None = None

    @property
    def processes(self) -> int:
        return self.jobs or len(self.devices)


@dataclass(frozen=True, slots=True)
class Finish:
    """What is done to the poses of a clip: joints smoothed over time, those of frames without a diver left out."""

    smoothed: bool = True
    presence: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a clip, or an error.

    Attributes
    ----------
    frames : frames that were looked at
    with_diver : those of them in which a diver was found
    confidence : mean confidence of the joints in these
    """

    key: ClipKey
    frames: int = 0
    with_diver: int = 0
    confidence: float = 0.0
    error: FdposeError | None = None


@dataclass(slots=True)
class AutoSummary:
    """What an automatic annotation did.

    Attributes
    ----------
    done : clips annotated now
    kept : clips that had automatic poses already
    failed : clips that could not be annotated
    without_frames : how many of them have no frames, as after an extraction that was not finished
    report : the CSV file with all clips, the least sure first
    """

    done: list[Outcome] = field(default_factory=list)
    kept: list[Outcome] = field(default_factory=list)
    failed: list[Outcome] = field(default_factory=list)
    without_frames: int = 0
    report: Path | None = None

    def lowest(self) -> list[Outcome]:
        """All clips with poses, the least confident first."""
        return sorted([*self.done, *self.kept], key=lambda o: (o.confidence, o.key))

    def as_dict(self) -> dict[str, object]:
        """For printing."""
        nobody = [str(o.key) for o in [*self.done, *self.kept] if o.frames and not o.with_diver]
        return {
            "annotated": len(self.done),
            "kept": len(self.kept),
            "frames": sum(o.frames for o in self.done),
            "frames_with_a_diver": sum(o.with_diver for o in self.done),
            "lowest_confidence": [f"{o.key} ({o.confidence:.2f})" for o in self.lowest()[:LOW_SHOWN]],
            "no_diver_found": nobody,
            "all_clips": str(self.report) if self.report else None,
            "without_frames": self.without_frames,
            "failed": [str(o.error) for o in self.failed],
        }


def annotate_clips(
    workspace: Workspace,
    clips: Sequence[Clip],
    machinery: Machinery,
    *,
    force: bool = False,
    smoothed: bool = True,
    presence: bool = True,
) -> AutoSummary:
    """Write automatic poses for every clip that has none yet (or all of them, with ``force``).

    Only where a diver is, and smoothed over time, unless asked otherwise (:mod:`annotate.presence`,
    :mod:`annotate.smooth`). A clip whose frames are missing or damaged is in ``failed``; the others go on.

    Raises
    ------
    SetupError
        A device is not there, or the scheduler.
    PoseError
        A checkpoint is damaged, or of another network than its config.
    BusyError
        Another annotation is running, or with ``force``: another command reads the automatic poses.
    """
    report = workspace.reports / "automatic.csv"
    own = [p for p in (machinery.preset.pose, machinery.preset.locator) if workspace.root in p.parents]
    replaced = [workspace.poses / "auto"] if force else []
    with writing("fdpose annotate --auto", [report, *replaced], [workspace.frames, *own]):
        summary = _annotate_clips(workspace, clips, machinery, force, Finish(smoothed, presence))
        summary.report = _write_report(report, summary) if summary.lowest() else None
    return summary


def _annotate_clips(
    workspace: Workspace, clips: Sequence[Clip], machinery: Machinery, force: bool, finish: Finish
) -> AutoSummary:
    summary = AutoSummary()
    todo: list[FrameFolder] = []
    for clip in clips:
        try:
            if workspace.pose_file("auto", clip.key).is_file() and not force:
                summary.kept.append(_kept(workspace, clip.key))
            else:
                todo.append(open_frames(workspace, clip.key))
        except FdposeError as e:
            summary.failed.append(Outcome(clip.key, error=e))
            summary.without_frames += not is_complete(workspace, clip.key)
    if todo:
        for device in ("cpu",) if machinery.scheduler else machinery.devices:
            estimators(machinery, device)  # what is wrong with them is said once, before anything is done
    work = [
        (machinery.devices[i % len(machinery.devices)], tuple(f.key for f in group))
        for i, group in enumerate(groups(todo))
    ]
    pairs = frozenset(c.key for c in clips if c.synchronised)
    annotate = partial(annotate_group, workspace, machinery, pairs, finish)
    for (_, keys), outcome in map_clips(
        annotate, work, machinery.processes, "annotating", scheduler=machinery.scheduler, count=_clips_of
    ):
        failed = [Outcome(key, error=outcome) for key in keys] if isinstance(outcome, FdposeError) else outcome
        for o in failed:
            (summary.failed if o.error else summary.done).append(o)
    return summary


def groups(folders: Sequence[FrameFolder], frames: int = GROUP) -> Iterator[list[FrameFolder]]:
    """Clips in order, in groups of about ``frames`` frames; a longer clip is a group of its own."""
    group: list[FrameFolder] = []
    for folder in folders:
        if group and sum(len(f.numbers) for f in [*group, folder]) > frames:
            yield group
            group = []
        group.append(folder)
    if group:
        yield group


def annotate_group(
    workspace: Workspace,
    machinery: Machinery,
    pairs: Collection[ClipKey],
    finish: Finish,
    work: tuple[str, tuple[ClipKey, ...]],
) -> list[Outcome]:
    """Annotate the clips of one group on its device and write their poses; of both divers in those of ``pairs``."""
    device, keys = work
    locator, pose = estimators(machinery, device)
    folders, outcomes = [], []
    for key in keys:
        try:
            folders.append(open_frames(workspace, key))
        except FrameError as e:
            outcomes.append(Outcome(key, error=e))
    sizes = {f.key: (f.width, f.height) for f in folders}
    how = {"presence": finish.presence, "thorough": machinery.thorough}
    for key, found in poses_of_clips(folders, locator, pose, pairs, **how).items():
        if isinstance(found, FdposeError):
            outcomes.append(Outcome(key, error=found))
            continue
        poses = smooth(found.poses, found.cuts) if finish.smoothed else found.poses
        poses = mark_visibility(poses, *sizes[key])
        path = workspace.pose_file("auto", key)
        remove_part_files(path)
        write_poses(path, poses)
        outcomes.append(_outcome(key, poses))
    return outcomes


@cache
def estimators(machinery: Machinery, device: str) -> tuple[Finder, Estimator]:
    """The locator and the joints' estimator on a device, loaded once a process."""
    import torch

    if device == AUTO:
        device = "cuda:0" if torch.cuda.is_available() and machinery.engine == "torch" else "cpu"
    if device == "cpu" and (machinery.jobs or machinery.scheduler):
        share = 1 if machinery.scheduler else max(1, default_jobs() // machinery.processes)
        torch.set_num_threads(min(share, torch.get_num_threads()))
    keep_memory()
    return machinery.preset.load(device, machinery.bf16, machinery.flip, machinery.engine)


def _kept(workspace: Workspace, key: ClipKey) -> Outcome:
    return _outcome(key, read_poses(workspace.pose_file("auto", key)))


def _outcome(key: ClipKey, poses: ClipPoses) -> Outcome:
    there = poses.has_diver
    frames, with_diver = len(np.unique(poses.frame)), len(np.unique(poses.frame[there]))
    return Outcome(key, frames, with_diver, float(poses.confidence[there].mean()) if with_diver else 0.0)


def _clips_of(work: tuple[str, tuple[ClipKey, ...]]) -> int:
    return len(work[1])


def _write_report(path: Path, summary: AutoSummary) -> Path:
    """All clips with poses, the least confident first: a CSV file, whole or not at all."""
    rows = ([str(o.key), o.frames, o.with_diver, f"{o.confidence:.3f}"] for o in summary.lowest())
    return write_csv(path, ["clip", "frames", "frames_with_a_diver", "confidence"], rows)
